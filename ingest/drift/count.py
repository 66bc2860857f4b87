"""Drift: fields that records carry and their contract does not name, and fields of another type.

Comes in: lines of raw objects, a contract. Goes out: `Drift`s, counts by field. Only reads. A field
that no contract names is kept on S3 like every other; queries do not see it until the contract
names it. What does not fit its type is a rejected record in the lake; here it is counted by what
came instead.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from datacore.contracts.hive import HiveType, parse_hive_type
from datacore.contracts.model import Contract
from datacore.errors import shorten

NEW = "not in the contract"
EXAMPLE = 40
"""Characters of a value that are shown."""
INTEGERS = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}


@dataclass
class Drift:
    """One field of a data type that is not as the contract says."""

    field: str
    """Dotted path; `[]` goes into an array."""
    what: str
    """`not in the contract`, or `string instead of bigint`."""
    records: int
    example: str


class Counter:
    """Counts the drift of one data type."""

    def __init__(self, contract: Contract) -> None:
        self.records = 0
        self.unreadable = 0
        """Lines that are no JSON object."""
        self._columns = {one.name: parse_hive_type(one.type) for one in contract.columns}
        self._found: dict[tuple[str, str], Drift] = {}
        self._decode = msgspec.json.Decoder(dict[str, Any]).decode

    def add(self, lines: Iterable[bytes]) -> None:
        """Count the fields of records, a line each."""
        for line in lines:
            self.records += 1
            try:
                record = self._decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                self.unreadable += 1
                continue
            for place in self._fields("", record, self._columns):
                drift = self._found.get(place[:2])
                if drift is None:
                    self._found[place[:2]] = Drift(*place[:2], 1, _shown(place[2]))
                else:
                    drift.records += 1

    def found(self) -> list[Drift]:
        """The most frequent first."""
        return sorted(self._found.values(), key=lambda drift: (-drift.records, drift.field))

    def _fields(
        self, path: str, record: Mapping[str, Any], named: Mapping[str, HiveType]
    ) -> list[tuple[str, str, Any]]:
        """Field, what is with it, and its value; each field and reason once a record."""
        drifts: dict[tuple[str, str], Any] = {}
        for name, value in record.items():
            kind = named.get(name)
            if kind is None:
                drifts.setdefault((path + name, NEW), value)
            elif value is not None:
                self._value(path + name, value, kind, drifts)
        return [(field, what, value) for (field, what), value in drifts.items()]

    def _value(
        self, path: str, value: Any, kind: HiveType, drifts: dict[tuple[str, str], Any]
    ) -> None:
        if kind.base == "struct" and isinstance(value, dict):
            named = dict(zip(kind.fields, kind.parts, strict=True))
            for field, what, inner in self._fields(f"{path}.", value, named):
                drifts.setdefault((field, what), inner)
        elif kind.base == "array" and isinstance(value, list):
            for inner in value:
                if inner is not None:
                    self._value(f"{path}[]", inner, kind.parts[0], drifts)
        elif not _fits(value, kind):
            drifts.setdefault((path, f"{_kind_of(value)} instead of {kind}"), value)


def _fits(value: Any, kind: HiveType) -> bool:
    """Whether Spark's JSON reader takes the value for the type."""
    if kind.base == "string":
        return True  # any value becomes text
    if kind.base in INTEGERS:
        bits = INTEGERS[kind.base] - 1
        return type(value) is int and -(1 << bits) <= value < 1 << bits
    if kind.base in ("float", "double", "decimal"):
        return type(value) in (int, float)
    if kind.base == "boolean":
        return type(value) is bool
    if kind.base in ("struct", "map"):
        return isinstance(value, dict)
    if kind.base == "array":
        return isinstance(value, list)
    return isinstance(value, str)  # a date


def _kind_of(value: Any) -> str:
    """JSON's word for a value's type; a number too large for any integer type is told apart."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer" if -(1 << 63) <= value < 1 << 63 else "integer beyond 64 bits"
    names: dict[type, str] = {float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]


def _shown(value: Any) -> str:
    return shorten(msgspec.json.encode(value).decode(), EXAMPLE)
