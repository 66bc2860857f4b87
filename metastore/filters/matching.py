"""The exact meaning of a filter: a tree and the table's partition keys in, a test of values out.

Values and literals are compared as the key's type: `05` equals `5` for an `int`, not for a
`string`. The default partition is SQL's null: it matches nothing but its own name. A partition
value that its type cannot hold reads as null too, as Spark reads it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from operator import eq, ge, gt, le, lt, ne
from typing import Any, TypeAlias

from datacore.errors import shorten
from metastore.filters.patterns import to_regex
from metastore.filters.tree import (
    All,
    AnyOf,
    Between,
    Comparison,
    Condition,
    FilterError,
    Leaf,
    Like,
    Membership,
)

DEFAULT_PARTITION = "__HIVE_DEFAULT_PARTITION__"
"""The value under which Hive and Spark keep rows whose partition column is null."""

Test: TypeAlias = Callable[[Sequence[str]], bool]
Reader: TypeAlias = Callable[[str], Any]

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": eq, "<>": ne, "<": lt, "<=": le, ">": gt, ">=": ge,
}  # fmt: skip
_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")


@dataclass(frozen=True)
class PartitionKey:
    """A partition column: its name in lower case and its Hive type, as in `decimal(10,2)`."""

    name: str
    type: str

    @property
    def kind(self) -> str:
        """The type's name without its parameters: `decimal`."""
        return self.type.lower().partition("(")[0].strip()


INTEGERS = frozenset({"tinyint", "smallint", "int", "integer", "bigint"})
DECIMALS = frozenset({"decimal", "numeric", "float", "double"})
TEXTS = frozenset({"string", "varchar", "char"})


def read_integer(text: str) -> int:
    """Raises ValueError where `text` is not a whole number."""
    if not _INTEGER.fullmatch(text):
        raise ValueError(text)
    return int(text)


def read_decimal(text: str) -> Decimal:
    """Raises ValueError where `text` is not a number."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ValueError(text) from error


def read_date(text: str) -> date:
    """`2026-01-02` and, as Hive does, `2026-1-2`. Raises ValueError."""
    found = _DATE.fullmatch(text)
    if not found:
        raise ValueError(text)
    return date(int(found[1]), int(found[2]), int(found[3]))


def read_timestamp(text: str) -> datetime:
    """ISO or Hive's form, no zone. Raises ValueError."""
    return datetime.fromisoformat(text).replace(tzinfo=None)


def reader(kind: str) -> Reader:
    """How a value of the type named `kind` is read from text."""
    if kind in INTEGERS:
        return read_integer
    if kind in DECIMALS:
        return read_decimal
    if kind == "char":
        return lambda text: text.rstrip(" ")
    named: dict[str, Reader] = {
        "date": read_date,
        "timestamp": read_timestamp,
        "boolean": str.lower,
    }
    return named.get(kind, str)


def matcher(condition: Condition, keys: Sequence[PartitionKey]) -> Test:
    """A test of a partition's values, given in the order of `keys`.

    Raises FilterError for a column that is not a partition key and for a literal that the key's
    type cannot hold.
    """
    match condition:
        case All(parts):
            tests = [matcher(part, keys) for part in parts]
            return lambda values: all(test(values) for test in tests)
        case AnyOf(parts):
            tests = [matcher(part, keys) for part in parts]
            return lambda values: any(test(values) for test in tests)
        case _:
            return _leaf_test(condition, keys)


def find_key(column: str, keys: Sequence[PartitionKey]) -> int:
    """The position of `column` among the keys. Raises FilterError."""
    for position, key in enumerate(keys):
        if key.name == column:
            return position
    names = ", ".join(key.name for key in keys) or "it has none"
    raise FilterError(f"{shorten(column)} is not a partition column (they are: {names})")


def _leaf_test(leaf: Leaf, keys: Sequence[PartitionKey]) -> Test:
    position = find_key(leaf.column, keys)
    read = reader(keys[position].kind)
    names_default = _names_default(leaf)
    holds = _value_test(leaf, keys[position])

    def test(values: Sequence[str]) -> bool:
        text = values[position]
        if text == DEFAULT_PARTITION:
            return names_default
        try:
            value = read(text)
        except ValueError:
            return False
        return holds(value)

    return test


def _names_default(leaf: Leaf) -> bool:
    match leaf:
        case Comparison(_, "=", value):
            return value == DEFAULT_PARTITION
        case Membership(_, values, negated=False):
            return DEFAULT_PARTITION in values
        case _:
            return False


def _value_test(leaf: Leaf, key: PartitionKey) -> Callable[[Any], bool]:
    """What a typed value that is not null must satisfy."""
    match leaf:
        case Comparison(_, "=", value) if value == DEFAULT_PARTITION:
            return lambda _: False
        case Comparison(_, operator, value):
            compare, right = _OPERATORS[operator], typed(value, key)
            return lambda left: compare(left, right)
        case Membership(_, values, negated):
            wanted = {typed(value, key) for value in values if value != DEFAULT_PARTITION}
            return lambda left: (left in wanted) != negated
        case Between(_, low, high, negated):
            least, most = typed(low, key), typed(high, key)
            return lambda left: (least <= left <= most) != negated
        case Like(_, pattern, negated):
            regex = to_regex(pattern)
            return lambda left: bool(regex.fullmatch(str(left))) != negated


def typed(literal: str, key: PartitionKey) -> Any:
    """A literal as the key's type. Raises FilterError that names column, type and value."""
    try:
        return reader(key.kind)(literal)
    except ValueError:
        raise FilterError(
            f"{key.name} is {key.type}, and {shorten(literal, 40)!r} is not"
        ) from None
