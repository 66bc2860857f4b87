"""The way from a statement to its plan: which room handles it, and what is refused.

Comes in: one statement. Goes out: a plan. Raises RedshiftError; nothing else, whatever the text.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from sandbox.redshift.errors import RedshiftError
from sandbox.redshift.sql import show, tables, transfers, views
from sandbox.redshift.sql.expressions import rewrite_query
from sandbox.redshift.sql.lint import refuse_postgresql_only
from sandbox.redshift.sql.plans import Pass, Plan, Truncate
from sandbox.redshift.sql.tokens import Cursor, Kind, Untokenizable, Word, literal, quoted, words

PARAMETER = re.compile(r"\$(\d+)")
PLACEHOLDER = re.compile(r"rs_parameter_(\d+)_", re.IGNORECASE)

PARAMETERS_ONLY = re.compile(
    r"\s*(/\*.*?\*/\s*)*insert\s+into\s+[^\s(]+\s*\([^()]*\)\s*values[\s(),$\d]*",
    re.IGNORECASE | re.DOTALL,
)
"""The INSERT of dbt's seeds: nothing in it to rewrite, and thousands of parameters long."""

CATALOG = re.compile(r"(pg_(?!last_copy)\w+|information_schema)", re.IGNORECASE)

NOT_ON_REDSHIFT = {"INDEX", "UNIQUE", "TYPE", "EXTENSION", "DOMAIN", "TRIGGER", "SEQUENCE"}
QUERIES = {"SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "("}


def plan(sql: str, parameters: int = 0) -> Plan:
    """The plan of one statement with `parameters` of the form $1.

    Raises RedshiftError for what Redshift or the stand-in does not do.
    """
    if parameters:
        return _plan_with_parameters(sql)
    try:
        tokens = words(sql)
    except Untokenizable:
        return Pass(sql)
    while tokens and tokens[-1].upper == ";":
        tokens = tokens[:-1]
    if not tokens:
        return Pass(sql)
    if any(word.upper == ";" for word in tokens):
        return Pass(sql)
    statement = sql[: tokens[-1].end]
    cursor = Cursor(statement, tokens)
    handler = HANDLERS.get(tokens[0].upper)
    if handler is None:
        return Pass(statement)
    if tokens[0].upper not in QUERIES:
        cursor.take()
    return handler(cursor)


def _plan_with_parameters(sql: str) -> Plan:
    # the parser would read $1 as the tag of a dollar quote
    if PARAMETERS_ONLY.fullmatch(sql):
        return Pass(sql, reads=False)
    planned = plan(PARAMETER.sub(r"rs_parameter_\1_", sql))
    if not isinstance(planned, Pass):
        raise RedshiftError("this statement takes no parameters", "42601")
    return replace(planned, sql=PLACEHOLDER.sub(r"$\1", planned.sql))


def _query(cursor: Cursor) -> Plan:
    sql, tokens = cursor.sql, cursor.words
    if [word.upper for word in tokens[-2:]] == ["REMOVE", "DUPLICATES"]:
        raise RedshiftError("MERGE … REMOVE DUPLICATES is not supported by the local stand-in")
    sql = show.read_settings(sql)
    if not _reads_catalog(tokens):
        refuse_postgresql_only(tokens)
        return Pass(rewrite_query(sql))
    if any(word.upper == "ATTISDISTKEY" for word in tokens):
        sql = re.sub(r"(pg_catalog\.)?\bpg_attribute\b", "rs.pg_attribute", sql)
    return Pass(rewrite_query(sql, catalog=True))


def _reads_catalog(tokens: Sequence[Word]) -> bool:
    return any(
        word.kind in (Kind.NAME, Kind.QUOTED) and CATALOG.fullmatch(word.text) for word in tokens
    )


def _create(cursor: Cursor) -> Plan:
    replace = cursor.accept("OR", "REPLACE")
    if cursor.peek() not in ("FUNCTION", "PROCEDURE"):
        refuse_postgresql_only(cursor.words)
    if cursor.accept("EXTERNAL", "SCHEMA"):
        return transfers.external_schema(cursor)
    if cursor.at("EXTERNAL"):
        raise RedshiftError(
            f"CREATE EXTERNAL {cursor.peek(1)} is not supported by the local stand-in",
            hint="external tables come from the Glue Data Catalog: create the table there",
        )
    if cursor.accept("MATERIALIZED", "VIEW"):
        return views.create_materialized_view(cursor)
    if cursor.accept("VIEW"):
        return views.create_view(cursor, replace)
    if cursor.accept("SCHEMA"):
        return _create_schema(cursor)
    if cursor.peek() in ("TABLE", "TEMP", "TEMPORARY", "LOCAL"):
        return tables.create_table(cursor)
    if cursor.peek() in NOT_ON_REDSHIFT:
        raise RedshiftError(f"CREATE {cursor.peek()} is not supported on Redshift")
    return Pass(cursor.sql)


def _drop(cursor: Cursor) -> Plan:
    if cursor.accept("MATERIALIZED", "VIEW"):
        return views.drop_materialized_view(cursor)
    if cursor.accept("SCHEMA"):
        return _drop_schema(cursor)
    return Pass(cursor.sql)


def _create_schema(cursor: Cursor) -> Plan:
    """CREATE SCHEMA, whose name may carry the database's; a quota has no effect here."""
    if_not_exists = "if not exists " if cursor.accept("IF", "NOT", "EXISTS") else ""
    if cursor.at("AUTHORIZATION"):
        return Pass(cursor.sql)
    create = f"create schema {if_not_exists}{quoted(cursor.name()[-1:])}"
    if cursor.accept("AUTHORIZATION"):
        create += f" authorization {quoted(cursor.name())}"
    if not cursor.done and not cursor.accept("QUOTA"):
        cursor.fail()
    return Pass(create)


def _drop_schema(cursor: Cursor) -> Plan:
    """DROP SCHEMA; the tables of an external one are not its own, so they do not hold it."""
    if_exists = str(cursor.accept("IF", "EXISTS")).lower()
    names = [cursor.name()[-1]]
    while cursor.accept(","):
        names.append(cursor.name()[-1])
    if cursor.at("DROP", "EXTERNAL", "DATABASE"):
        raise RedshiftError(
            "DROP EXTERNAL DATABASE is not supported by the local stand-in",
            hint="drop the database in the Glue Data Catalog",
        )
    cascade = str(cursor.accept("CASCADE")).lower()
    cursor.accept("RESTRICT")
    if not cursor.done:
        cursor.fail()
    listed = ", ".join(literal(name) for name in names)
    return Pass(f"call rs.drop_schemas(array[{listed}], {if_exists}, {cascade})", "DROP SCHEMA")


def _alter(cursor: Cursor) -> Plan:
    if cursor.accept("MATERIALIZED", "VIEW"):
        return views.alter_materialized_view(cursor)
    if cursor.accept("TABLE"):
        return tables.alter_table(cursor)
    return Pass(cursor.sql)


def _vacuum(cursor: Cursor) -> Plan:
    while cursor.peek() in ("FULL", "SORT", "DELETE", "ONLY", "REINDEX", "RECLUSTER", "BOOST"):
        cursor.take()
    return Pass("vacuum" if cursor.done else f"vacuum {quoted(cursor.name())}")


def _analyze(cursor: Cursor) -> Plan:
    if cursor.accept("COMPRESSION"):
        return Pass(
            "select ''::text as \"table\", ''::text as \"column\", ''::text as encoding,"
            " 0::numeric as est_reduction_pct where false"
        )
    cursor.accept("VERBOSE")
    if cursor.done:
        return Pass("analyze")
    name = quoted(cursor.name())
    columns = cursor.names_in_group() if cursor.at("(") else ()
    listed = ", ".join(quoted([column]) for column in columns)
    return Pass(f"analyze {name} ({listed})" if listed else f"analyze {name}")


def _grant(cursor: Cursor) -> Plan:
    """GRANT and REVOKE: PostgreSQL knows no `TO ROLE r`, only `TO r`."""
    sql = cursor.sql
    for before, word in reversed(list(zip(cursor.words, cursor.words[1:], strict=False))):
        if word.upper == "ROLE" and before.upper in ("TO", "FROM", ","):
            sql = sql[: word.start] + sql[word.end :].lstrip()
    return Pass(sql)


def _truncate(cursor: Cursor) -> Plan:
    return Truncate(cursor.sql)


def _explain(cursor: Cursor) -> Plan:
    start = cursor.position
    cursor.accept("VERBOSE")
    planned = plan(cursor.rest())
    if not isinstance(planned, Pass):
        cursor.position = start
        cursor.fail()
    return Pass(f"explain {planned.sql}")


def _cancel(cursor: Cursor) -> Plan:
    process = cursor.take()
    if process.kind is not Kind.NUMBER or not process.text.isdigit():
        raise RedshiftError(f'syntax error at or near "{process.text}"', "42601")
    return Pass(f"do $$ begin perform pg_cancel_backend({process.text}); end $$", tag="CANCEL")


HANDLERS: dict[str, Callable[[Cursor], Plan]] = {
    "ALTER": _alter,
    "ANALYZE": _analyze,
    "CANCEL": _cancel,
    "COPY": transfers.copy,
    "CREATE": _create,
    "DROP": _drop,
    "EXPLAIN": _explain,
    "GRANT": _grant,
    "REFRESH": views.refresh_materialized_view,
    "RESET": show.set_or_reset,
    "REVOKE": _grant,
    "SET": show.set_or_reset,
    "SHOW": show.show,
    "TRUNCATE": _truncate,
    "UNLOAD": transfers.unload,
    "USE": show.use,
    "VACUUM": _vacuum,
    **dict.fromkeys(QUERIES, _query),
}
