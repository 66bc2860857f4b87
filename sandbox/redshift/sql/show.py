"""SHOW, SET, RESET and USE.

Comes in: a statement's cursor. Goes out: a query on shims/90_show.sql, or the setting under the
prefix `rs.`, because PostgreSQL refuses settings that it does not know.
"""

from sandbox.redshift.errors import RedshiftError
from sandbox.redshift.sql.plans import NOTHING, Pass, Plan
from sandbox.redshift.sql.tokens import Cursor, Kind, literal

SETTINGS = {
    "activate_aqua",
    "analyze_threshold_percent",
    "cast_super_null_on_error",
    "describe_field_name_in_uppercase",
    "downcase_delimited_identifier",
    "enable_case_sensitive_identifier",
    "enable_case_sensitive_super_attribute",
    "enable_numeric_rounding",
    "enable_result_cache_for_session",
    "json_parse_truncate_strings",
    "max_concurrency_scaling_clusters",
    "mv_enable_aqmv_for_session",
    "navigate_super_null_on_error",
    "parse_super_null_on_error",
    "query_group",
    "spectrum_enable_pseudo_columns",
    "spectrum_query_maxerror",
    "wlm_query_slot_count",
}
"""Redshift's own settings: kept, shown again, without effect."""

MUST_STAY_OFF = {"enable_case_sensitive_identifier", "enable_case_sensitive_super_attribute"}
"""Settings with an effect that cannot be had here: names are folded to lower case."""


def show(cursor: Cursor) -> Plan:
    """SHOW. The cursor is behind SHOW."""
    sql = cursor.sql
    if cursor.accept("DATABASES"):
        sql = "select * from rs.show_databases()"
    elif cursor.accept("TABLES", "FROM", "SCHEMA"):
        name = cursor.name()
        database = name[-2] if len(name) > 1 else None
        arguments = (database, name[-1], _pattern(cursor))
        sql = f"select * from rs.show_tables({', '.join(map(literal, arguments))})"
    elif cursor.accept("COLUMNS", "FROM", "TABLE"):
        name = cursor.name()
        if len(name) < 2:
            raise RedshiftError("SHOW COLUMNS needs schema.table", "42601")
        sql = f"select * from rs.show_columns({literal(name[-2])}, {literal(name[-1])})"
    elif cursor.accept("SCHEMAS", "FROM", "DATABASE"):
        database, pattern = literal(cursor.name()[-1]), literal(_pattern(cursor))
        sql = f"select * from rs.show_schemas({database}, {pattern})"
    elif cursor.accept("GRANTS", "ON"):
        cursor.accept("TABLE")
        name = cursor.name()
        if len(name) < 2:
            raise RedshiftError("SHOW GRANTS needs schema.table", "42601")
        sql = f"select * from rs.show_grants({literal(name[-2])}, {literal(name[-1])})"
    elif cursor.peek().lower() in SETTINGS:
        setting = cursor.peek().lower()
        sql = f"select coalesce(current_setting('rs.{setting}', true), '') as {setting}"
    return Pass(sql)


def _pattern(cursor: Cursor) -> str | None:
    return cursor.string() if cursor.accept("LIKE") else None


def set_or_reset(cursor: Cursor) -> Plan:
    """SET and RESET. The cursor is behind the verb."""
    if cursor.at("USE"):
        return Pass(NOTHING, tag="RESET")
    cursor.accept("SESSION")
    cursor.accept("LOCAL")
    if cursor.peek().lower() in SETTINGS:
        setting = cursor.take()
        place = setting.start
        if not cursor.done:
            cursor.take()
        if setting.text.lower() in MUST_STAY_OFF and cursor.peek() in ("ON", "TRUE", "1"):
            raise RedshiftError(f"the local stand-in cannot set {setting.text} on")
        return Pass(f"{cursor.sql[:place]}rs.{cursor.sql[place:]}")
    return Pass(cursor.sql)


def use(cursor: Cursor) -> Plan:
    """USE database: only the one that the session is in. The cursor is behind USE."""
    name = cursor.name()[-1]
    return Pass(f"do $$ begin perform rs.use_database({literal(name)}); end $$", tag="USE")


def read_settings(sql: str) -> str:
    """`sql` with `current_setting('query_group')` asking for the kept setting."""
    if "current_setting" not in sql.lower():
        return sql
    cursor = Cursor(sql)
    for word, opening, setting in reversed(
        list(zip(cursor.words, cursor.words[1:], cursor.words[2:], strict=False))
    ):
        is_call = word.upper == "CURRENT_SETTING" and opening.upper == "("
        if is_call and setting.kind is Kind.STRING and setting.text.lower() in SETTINGS:
            sql = f"{sql[: setting.start]}'rs.{setting.text.lower()}'{sql[setting.end :]}"
    return sql
