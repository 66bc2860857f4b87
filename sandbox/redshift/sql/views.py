"""Views: bound, late-binding and materialized.

Comes in: a statement's cursor. Goes out: DDL or a call of shims/50_views.sql, which makes the two
kinds that PostgreSQL does not have.
"""

import json

from sandbox.redshift.sql.expressions import rewrite_query
from sandbox.redshift.sql.plans import Pass, Plan
from sandbox.redshift.sql.tables import Attributes, read_attributes, without_parentheses
from sandbox.redshift.sql.tokens import Cursor, Name, literal, quoted, text_of

LATE_BINDING = ["WITH", "NO", "SCHEMA", "BINDING"]


def create_view(cursor: Cursor, replace: bool) -> Plan:
    """CREATE [OR REPLACE] VIEW. The cursor is behind VIEW."""
    name = cursor.name()
    columns = ""
    if cursor.at("("):
        columns = f"({text_of(cursor.sql, cursor.group())})"
    cursor.expect("AS")
    body = list(cursor.words[cursor.position :])
    late = [word.upper for word in body[-4:]] == LATE_BINDING
    if late:
        del body[-4:]
    if not body:
        cursor.fail()
    query = rewrite_query(without_parentheses(text_of(cursor.sql, body)))
    if late:
        if columns:
            query = f"select * from (\n{query}\n) as late_binding {columns}"
        arguments = f"{_schema_and_name(name)}, {literal(query)}, {str(replace).lower()}"
        return Pass(f"call rs.create_late_binding_view({arguments})", tag="CREATE VIEW")
    create = "create or replace view" if replace else "create view"
    return Pass(f"{create} {quoted(name)}{columns} as (\n{query}\n)", binds=True)


def create_materialized_view(cursor: Cursor) -> Plan:
    """CREATE MATERIALIZED VIEW. The cursor is behind VIEW."""
    name = cursor.name()
    attributes: Attributes = {"backup": True, "diststyle": "even", "autorefresh": False}
    read_attributes(cursor, attributes)
    cursor.expect("AS")
    query = rewrite_query(without_parentheses(cursor.rest()))
    arguments = ", ".join(
        [_schema_and_name(name)]
        + [literal(text) for text in (query, cursor.sql.strip(), json.dumps(attributes))]
    )
    return Pass(f"call rs.create_materialized_view({arguments})", tag="CREATE MATERIALIZED VIEW")


def drop_materialized_view(cursor: Cursor) -> Plan:
    """DROP MATERIALIZED VIEW. The cursor is behind VIEW."""
    if_exists = str(cursor.accept("IF", "EXISTS")).lower()
    arguments = f"{_schema_and_name(cursor.name())}, {if_exists}"
    return Pass(f"call rs.drop_materialized_view({arguments})", tag="DROP MATERIALIZED VIEW")


def refresh_materialized_view(cursor: Cursor) -> Plan:
    """REFRESH MATERIALIZED VIEW. The cursor is behind REFRESH."""
    cursor.expect("MATERIALIZED", "VIEW")
    arguments = _schema_and_name(cursor.name())
    return Pass(f"call rs.refresh_materialized_view({arguments})", tag="REFRESH MATERIALIZED VIEW")


def alter_materialized_view(cursor: Cursor) -> Plan:
    """ALTER MATERIALIZED VIEW … AUTO REFRESH. The cursor is behind VIEW."""
    name = cursor.name()
    attributes: Attributes = {}
    read_attributes(cursor, attributes)
    if "autorefresh" not in attributes or not cursor.done:
        cursor.fail()
    refresh = str(attributes["autorefresh"]).lower()
    arguments = f"{_schema_and_name(name)}, {refresh}"
    return Pass(f"call rs.alter_materialized_view({arguments})", tag="ALTER MATERIALIZED VIEW")


def _schema_and_name(name: Name) -> str:
    schema = name[-2] if len(name) > 1 else None
    return f"{literal(schema)}, {literal(name[-1])}"
