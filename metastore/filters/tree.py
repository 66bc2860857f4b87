"""The filter as a tree of small frozen types. Values are text as written; types come later.

`not` never stays in the tree: `negate` pushes it into the leaves, so that a leaf that is unknown
(the default partition, SQL's null) is simply false and `All` and `AnyOf` stay plain.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Operator: TypeAlias = Literal["=", "<>", "<", "<=", ">", ">="]

OPPOSITE: dict[Operator, Operator] = {
    "=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">",
}  # fmt: skip
"""`not (a < b)` is `a >= b`."""

MIRRORED: dict[Operator, Operator] = {
    "=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<=",
}  # fmt: skip
"""`5 < a` is `a > 5`."""


class FilterError(Exception):
    """The filter cannot be understood, or does not fit the table's partition keys."""


@dataclass(frozen=True)
class Comparison:
    """`column operator value`."""

    column: str
    operator: Operator
    value: str


@dataclass(frozen=True)
class Membership:
    """`column [not] in (values)`."""

    column: str
    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True)
class Between:
    """`column [not] between low and high`, both ends included."""

    column: str
    low: str
    high: str
    negated: bool = False


@dataclass(frozen=True)
class Like:
    """`column [not] like pattern`; how a pattern is read: `metastore.filters.patterns`."""

    column: str
    pattern: str
    negated: bool = False


@dataclass(frozen=True)
class All:
    """Every part holds. No part is itself an `All`."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class AnyOf:
    """At least one part holds. No part is itself an `AnyOf`."""

    parts: tuple["Condition", ...]


Leaf: TypeAlias = Comparison | Membership | Between | Like
Condition: TypeAlias = Leaf | All | AnyOf


def negate(condition: Condition) -> Condition:
    """The condition that holds where this one is known not to."""
    match condition:
        case Comparison(column, operator, value):
            return Comparison(column, OPPOSITE[operator], value)
        case Membership(column, values, negated):
            return Membership(column, values, not negated)
        case Between(column, low, high, negated):
            return Between(column, low, high, not negated)
        case Like(column, pattern, negated):
            return Like(column, pattern, not negated)
        case All(parts):
            return AnyOf(tuple(negate(part) for part in parts))
        case AnyOf(parts):
            return All(tuple(negate(part) for part in parts))
