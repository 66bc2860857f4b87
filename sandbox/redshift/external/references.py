"""Which external tables a statement reads, and which of their partitions it can need.

Comes in: SQL text. Goes out: names, and for simple conditions on partition keys a test of a
partition's values. In doubt everything is named and nothing is left out.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import SqlglotError

from sandbox.redshift.external.definitions import PartitionValues
from sandbox.redshift.sql.tokens import Kind, Untokenizable, words

PartitionTest = Callable[[PartitionValues], bool]

METADATA_VIEWS = {"svv_columns", "svv_tables"}
METADATA_PREFIX = "svv_external_"


@dataclass(frozen=True)
class References:
    """What of the external schemas a statement needs: tables as (schema, table), the metadata.

    `sql` is the statement itself, for its conditions; `indirect` the tables that only views name.
    """

    tables: frozenset[tuple[str, str]] = frozenset()
    indirect: frozenset[tuple[str, str]] = frozenset()
    metadata: bool = False
    sql: str = ""

    def __bool__(self) -> bool:
        return bool(self.tables or self.metadata)


def identifiers(sql: str) -> set[str]:
    """All the names in `sql`, lower case; none if it cannot be read."""
    try:
        return {w.text.lower() for w in words(sql) if w.kind in (Kind.NAME, Kind.QUOTED)}
    except Untokenizable:
        return set()


def find_references(sql: str, bodies: Iterable[str], schemas: Iterable[str]) -> References:
    """What `sql` and the `bodies` of the views that it names need of `schemas`."""
    known = set(schemas)
    direct, metadata = _read(sql, known)
    behind: set[tuple[str, str]] = set()
    for body in bodies:
        tables, shows_metadata = _read(body, known)
        behind |= tables
        metadata = metadata or shows_metadata
    return References(frozenset(direct | behind), frozenset(behind), metadata, sql)


def _read(sql: str, schemas: set[str]) -> tuple[set[tuple[str, str]], bool]:
    try:
        tokens = words(sql)
    except Untokenizable:
        return set(), False
    tables = {
        (schema.text.lower(), table.text.lower())
        for schema, dot, table in zip(tokens, tokens[1:], tokens[2:], strict=False)
        if dot.upper == "." and schema.text.lower() in schemas
    }
    names = identifiers(sql)
    metadata = any(name.startswith(METADATA_PREFIX) for name in names)
    shows = bool(tokens) and tokens[0].upper == "SHOW"
    return tables, metadata or shows or bool(names & METADATA_VIEWS)


def partition_test(
    sql: str, schema: str, table: str, keys: Sequence[tuple[str, str]]
) -> PartitionTest | None:
    """A test that leaves out partitions which the WHERE of `sql` excludes; None if it is not sure.

    It understands `key = | < | <= | > | >= | between | in` with literals, joined by AND, when
    the statement names the table once. Dates and text compare as text, other types not at all.
    """
    try:
        tree = sqlglot.parse_one(sql, read=Redshift)
    except (SqlglotError, RecursionError):
        return None
    found = [
        node
        for node in tree.find_all(exp.Table)
        if node.name.lower() == table and node.db.lower() in (schema, "")
    ]
    select = found[0].find_ancestor(exp.Select) if len(found) == 1 else None
    where = select.args.get("where") if select else None
    if where is None:
        return None
    places = {
        name: place
        for place, (name, kind) in enumerate(keys)
        if kind.lower() in ("date", "string") or kind.lower().startswith("varchar")
    }
    alias = found[0].alias_or_name.lower()
    tests: list[PartitionTest] = []
    for condition in where.this.flatten() if isinstance(where.this, exp.And) else [where.this]:
        test = _condition(condition.unnest(), alias, places)
        if test is not None:
            tests.append(test)
    if not tests:
        return None
    return lambda values: all(test(values) for test in tests)


def _condition(node: exp.Expr, alias: str, places: dict[str, int]) -> PartitionTest | None:
    column = node.this
    if not isinstance(column, exp.Column) or column.table.lower() not in ("", alias):
        return None
    place = places.get(column.name.lower())
    if place is None:
        return None
    if isinstance(node, exp.In):
        wanted = [_text(item) for item in node.expressions]
        if not wanted or None in wanted:
            return None
        return lambda values: values[place] in wanted
    if isinstance(node, exp.Between):
        low, high = _text(node.args["low"]), _text(node.args["high"])
        if low is None or high is None:
            return None
        return lambda values: low <= values[place] <= high
    return _comparison(node, place)


def _comparison(node: exp.Expr, place: int) -> PartitionTest | None:
    limit = _text(node.expression) if isinstance(node, exp.Binary) else None
    if limit is None:
        return None
    tests: dict[type[exp.Expr], PartitionTest] = {
        exp.EQ: lambda values: values[place] == limit,
        exp.LT: lambda values: values[place] < limit,
        exp.LTE: lambda values: values[place] <= limit,
        exp.GT: lambda values: values[place] > limit,
        exp.GTE: lambda values: values[place] >= limit,
    }
    return tests.get(type(node))


def _text(node: exp.Expr) -> str | None:
    """The text of a literal, also under a cast to date; None for anything else."""
    if isinstance(node, exp.Cast) and node.to.this in (
        exp.DataType.Type.DATE,
        exp.DataType.Type.VARCHAR,
    ):
        node = node.this
    return str(node.this) if isinstance(node, exp.Literal) and node.is_string else None
