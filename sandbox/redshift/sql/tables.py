"""CREATE TABLE, ALTER TABLE: Redshift's physical attributes and types.

Comes in: a statement's cursor. Goes out: DDL for PostgreSQL, with the attributes in a comment that
the triggers of shims/40_table_attributes.sql read. Keys other than NOT NULL are informational.
"""

import json
from collections.abc import Sequence
from typing import Any

from sandbox.redshift.errors import RedshiftError
from sandbox.redshift.sql.expressions import rewrite_query
from sandbox.redshift.sql.lint import TYPES
from sandbox.redshift.sql.plans import NOTHING, Pass, Plan
from sandbox.redshift.sql.tokens import (
    Cursor,
    Kind,
    Name,
    Word,
    literal,
    quoted,
    split_at_commas,
    text_of,
    words,
)

Attributes = dict[str, Any]
"""diststyle, distkey, sorttype, sortkey (list), backup, constraints (list), autorefresh."""

BARE_TYPES = {
    "BPCHAR": "char(256)",
    "CHAR": "char(1)",
    "CHARACTER": "char(1)",
    "DATETIME": "timestamp",
    "DECIMAL": "decimal(18,0)",
    "GEOGRAPHY": "text",
    "GEOMETRY": "text",
    "HLLSKETCH": "text",
    "NUMERIC": "decimal(18,0)",
    "NVARCHAR": "varchar(256)",
    "SUPER": "jsonb",
    "TEXT": "varchar(256)",
    "VARBYTE": "bytea",
    "VARCHAR": "varchar(256)",
}
"""What Redshift makes of a type without a size."""

TABLE_CONSTRAINTS = {"PRIMARY", "UNIQUE", "FOREIGN", "CONSTRAINT"}


def create_table(cursor: Cursor) -> Plan:
    """CREATE [TEMP] TABLE, with columns, LIKE or AS. The cursor is behind CREATE."""
    temporary = False
    while cursor.peek() in ("TEMP", "TEMPORARY", "LOCAL"):
        temporary = True
        cursor.take()
    cursor.expect("TABLE")
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    name = cursor.name()
    if name[-1].startswith("#"):
        temporary = True
    attributes: Attributes = {}
    columns = None
    if cursor.at("("):
        pieces = split_at_commas(cursor.group())
        definitions = [_column(cursor.sql, piece, attributes) for piece in pieces]
        columns = ", ".join(text for text in definitions if text)
    read_attributes(cursor, attributes)
    head = "create {}table {}{}".format(
        "temporary " if temporary else "", "if not exists " if if_not_exists else "", quoted(name)
    )
    if columns is not None:
        head += f" ({columns})"
    if cursor.accept("AS"):
        head += f" as (\n{rewrite_query(without_parentheses(cursor.rest()))}\n)"
    elif not cursor.done:
        cursor.fail()
    return Pass(attribute_comment(name, attributes) + head)


def attribute_comment(name: Name, attributes: Attributes) -> str:
    """The comment that carries `attributes` to the trigger."""
    text = json.dumps({"name": name[-1], **attributes}).replace("/", "\\/")
    return f"/*rs:{text}*/ "


def without_parentheses(sql: str) -> str:
    """`sql` without a pair of parentheses around all of it."""
    tokens = words(sql)
    if not tokens or tokens[0].upper != "(":
        return sql
    cursor = Cursor(sql)
    inner = cursor.group()
    return without_parentheses(text_of(sql, inner)) if cursor.done else sql


def read_attributes(cursor: Cursor, attributes: Attributes) -> None:
    """Read table attributes into `attributes` up to a word that is none."""
    while not cursor.done:
        if cursor.accept("BACKUP"):
            attributes["backup"] = cursor.take().upper == "YES"
        elif cursor.accept("DISTSTYLE"):
            attributes["diststyle"] = cursor.take().text.lower()
        elif cursor.accept("DISTKEY"):
            attributes["distkey"] = ", ".join(cursor.names_in_group())
            attributes.setdefault("diststyle", "key")
        elif cursor.peek() in ("COMPOUND", "INTERLEAVED"):
            attributes["sorttype"] = cursor.take().text.lower()
        elif cursor.accept("SORTKEY"):
            automatic = cursor.accept("AUTO")
            attributes["sortkey"] = ["auto"] if automatic else list(cursor.names_in_group())
        elif cursor.accept("ENCODE"):
            cursor.take()
        elif cursor.accept("AUTO", "REFRESH"):
            attributes["autorefresh"] = cursor.take().upper in ("YES", "TRUE", "ON")
        else:
            return


def _column(sql: str, piece: Sequence[Word], attributes: Attributes) -> str | None:
    """One definition of a column list as PostgreSQL takes it; None for what is only recorded."""
    cursor = Cursor(sql, piece)
    if cursor.peek() in TABLE_CONSTRAINTS:
        attributes.setdefault("constraints", []).append(cursor.rest())
        return None
    if cursor.at("LIKE"):
        return cursor.rest()
    if cursor.at("CHECK"):
        raise RedshiftError("CHECK constraints are not supported")
    (name,) = cursor.name()[-1:]
    parts = [quoted([name])]
    if not cursor.done:
        parts.append(column_type(cursor))
    while not cursor.done:
        parts.append(_column_attribute(cursor, name, attributes))
    return " ".join(part for part in parts if part)


def column_type(cursor: Cursor) -> str:
    """A column's type with Redshift's default size."""
    word = cursor.take()
    if word.upper in TYPES:
        raise RedshiftError(f"type {word.text} is not supported on Redshift")
    if cursor.at("("):
        size = text_of(cursor.sql, cursor.group())
        return f"{word.text.lower()}({'65535' if size.upper() == 'MAX' else size})"
    if word.upper == "CHARACTER" and cursor.accept("VARYING"):
        if cursor.at("("):
            size = text_of(cursor.sql, cursor.group())
            return f"varchar({'65535' if size.upper() == 'MAX' else size})"
        return "varchar(256)"
    return BARE_TYPES.get(word.upper, cursor.sql[word.start : word.end])


def _column_attribute(cursor: Cursor, name: str, attributes: Attributes) -> str:
    """What follows a column's type, one item at a time."""
    constraints = attributes.setdefault("constraints", [])
    if cursor.accept("ENCODE"):
        cursor.take()
    elif cursor.accept("DISTKEY"):
        attributes.update(diststyle="key", distkey=name)
    elif cursor.accept("SORTKEY"):
        attributes["sortkey"] = [name]
    elif cursor.accept("PRIMARY", "KEY"):
        constraints.append(f"primary key({name})")
        return "not null"
    elif cursor.accept("UNIQUE"):
        constraints.append(f"unique({name})")
    elif cursor.accept("REFERENCES"):
        cursor.name()
        if cursor.at("("):
            cursor.group()
        constraints.append(f"foreign key({name})")
    elif cursor.accept("GENERATED", "BY", "DEFAULT", "AS") or cursor.at("IDENTITY"):
        cursor.expect("IDENTITY")
        seed_and_step = [text_of(cursor.sql, part) for part in split_at_commas(cursor.group())]
        if len(seed_and_step) != 2:
            cursor.fail()
        return "generated by default as identity (start with {} increment by {})".format(
            *seed_and_step
        )
    elif cursor.accept("SYSDATE"):
        return "rs.sysdate()"
    elif cursor.at("CHECK"):
        raise RedshiftError("CHECK constraints are not supported")
    else:
        word = cursor.take()
        text = cursor.sql[word.start : word.end]
        return literal(word.text) if word.kind is Kind.STRING and "\\" in text else text
    return ""


def alter_table(cursor: Cursor) -> Plan:
    """ALTER TABLE. The cursor is behind TABLE."""
    sql = cursor.sql
    name = cursor.name()
    start = cursor.position
    tag = "ALTER TABLE"
    if cursor.accept("APPEND", "FROM"):
        source = quoted(cursor.name())
        call = f"call rs.alter_table_append({literal(quoted(name))}, {literal(source)})"
        return Pass(call, tag="ALTER TABLE APPEND")
    if cursor.accept("ALTER"):
        attributes: Attributes = {}
        if cursor.at("DISTKEY") and cursor.peek(1) != "(":
            cursor.take()
            attributes = {"diststyle": "key", "distkey": cursor.name()[-1]}
        elif cursor.accept("SORTKEY", "NONE"):
            attributes = {"sortkey": []}
        elif cursor.accept("DISTSTYLE", "KEY", "DISTKEY"):
            attributes = {"diststyle": "key", "distkey": cursor.name()[-1]}
        else:
            read_attributes(cursor, attributes)
        if attributes:
            return _alter_attributes(name, attributes)
        if cursor.position > start + 1:
            return Pass(NOTHING, tag)
        if cursor.accept("COLUMN"):
            cursor.name()
            if cursor.accept("ENCODE"):
                return Pass(NOTHING, tag)
    elif cursor.accept("ADD"):
        if cursor.peek() in TABLE_CONSTRAINTS:
            return _alter_attributes(name, {"constraints": [cursor.rest()]})
        if not cursor.at("PARTITION"):
            cursor.accept("COLUMN")
            added: Attributes = {}
            column = _column(sql, cursor.words[cursor.position :], added)
            return Pass(f"alter table {quoted(name)} add column {column}")
        raise RedshiftError(
            "ALTER TABLE ADD PARTITION is not supported by the local stand-in",
            hint="external partitions come from the Glue Data Catalog: add them there",
        )
    elif cursor.accept("RENAME", "TO"):
        return Pass(f"alter table {quoted(name)} rename to {quoted(cursor.name()[-1:])}")
    return Pass(sql)


def _alter_attributes(name: Name, attributes: Attributes) -> Plan:
    changed = literal(json.dumps(attributes))
    return Pass(f"call rs.alter_attributes({literal(quoted(name))}, {changed})", tag="ALTER TABLE")
