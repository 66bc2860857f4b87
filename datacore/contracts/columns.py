"""Properties of a contract as columns of its raw table.

Comes in: the standard's properties. Goes out: `Column`s with Hive types, and the property that a
dotted path names. What is wrong goes to the `Findings`; nothing is raised.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from open_data_contract_standard.model import SchemaProperty

from datacore.contracts.hive import HiveType, parse_hive_type
from datacore.contracts.lines import Location
from datacore.contracts.model import Column
from datacore.contracts.standard import Findings, did_you_mean

RESERVED = ("dt", "hour", "_corrupt_record")
"""Columns that every raw table has besides its contract's."""

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

EPOCHS = {"epoch_s": "s", "epoch_ms": "ms", "epoch_us": "us"}
"""`logicalTypeOptions.format` of a timestamp that is a number, to its unit."""

_INTEGERS = ("tinyint", "smallint", "int", "bigint")
_HOLDS = {
    "string": ("string",),
    "date": ("date", "string"),
    "time": ("string",),
    "timestamp": ("string", "bigint"),
    "number": ("double", "float", "decimal", *_INTEGERS),
    "integer": ("bigint", *_INTEGERS[:-1]),
    "object": ("struct", "map", "string"),
    "array": ("array", "string"),
    "boolean": ("boolean",),
}
"""ODCS's logical types, and the Hive types that can hold each; the first is taken where none is given."""

UNKNOWN = HiveType("string")
"""Stands for a type that cannot be told; a problem is noted wherever it is used."""


@dataclass(frozen=True)
class Field:
    """A property that a dotted path leads to."""

    path: str
    location: Location
    declared: SchemaProperty

    @property
    def time_unit(self) -> str | None:
        """`s`, `ms` or `us` for an epoch, else None."""
        return EPOCHS.get(_format(self.declared) or "")


def read_columns(
    properties: Sequence[SchemaProperty], location: Location, findings: Findings
) -> tuple[Column, ...]:
    """The raw table's columns, in the order of the contract."""
    types = _types(properties, location, findings)
    for index, one in enumerate(properties):
        if (one.name or "").lower() in RESERVED:
            findings.add(
                (*location, index, "name"),
                "is the name of a column that every raw table has",
                "leave the field out; it stays in the raw line",
            )
    return tuple(
        Column(
            name=one.name or "",
            type=str(hive),
            logical_type=one.logicalType or "",
            required=bool(one.required or one.primaryKey),
            description=" ".join((one.description or "").split()),
            time_unit=EPOCHS.get(_format(one) or ""),
        )
        for one, hive in zip(properties, types, strict=True)
    )


def fields_in(
    properties: Sequence[SchemaProperty], location: Location, prefix: str = ""
) -> list[Field]:
    """Every property, and those within objects, by dotted path. Lists have no path."""
    found = []
    for index, one in enumerate(properties):
        here = (*location, index)
        path = f"{prefix}{one.name or ''}"
        found.append(Field(path, here, one))
        found += fields_in(one.properties or (), (*here, "properties"), f"{path}.")
    return found


def _types(
    properties: Sequence[SchemaProperty], location: Location, findings: Findings
) -> list[HiveType]:
    names: dict[str, str] = {}
    types = []
    for index, one in enumerate(properties):
        here = (*location, index)
        name = one.name or ""
        if not IDENTIFIER.fullmatch(name):
            findings.add(
                (*here, "name"),
                "is not a name of letters, digits and _" if name else "is missing",
                "name the field as it stands in the record; a field with another name stays in the raw line",
            )
        elif name.lower() in names:
            findings.add(
                (*here, "name"),
                f"repeats {names[name.lower()]!r} (Hive ignores case)",
                "keep one of them",
            )
        names.setdefault(name.lower(), name)
        types.append(_type(one, here, findings))
    return types


def _type(one: SchemaProperty, location: Location, findings: Findings) -> HiveType:
    """The property's Hive type: as given, else as its logical type and its parts make it."""
    logical = one.logicalType
    if logical not in _HOLDS:
        guess = did_you_mean(logical, _HOLDS) if logical else None
        findings.add(
            (*location, "logicalType"),
            "is not a logical type of ODCS 3.1" if logical else "is missing",
            guess or f"use one of {', '.join(_HOLDS)}",
        )
        return UNKNOWN
    _check_timestamp(one, location, findings)
    made = _made_of_parts(one, location, findings)
    if one.physicalType is None:
        return made or _default(one, location, findings)
    at = (*location, "physicalType")
    try:
        given = parse_hive_type(one.physicalType)
    except ValueError as error:
        findings.add(at, f"is no type of the raw tables: {error}", _choices(logical))
        return UNKNOWN
    if given.base not in _HOLDS[logical]:
        findings.add(at, f"cannot hold the logical type {logical}", _choices(logical))
    elif logical == "timestamp" and (given.base == "bigint") != (_format(one) in EPOCHS):
        findings.add(
            at,
            "does not fit logicalTypeOptions.format",
            "bigint needs format: epoch_s, epoch_ms or epoch_us; string needs ISO 8601 and no format",
        )
    elif made and given.base == made.base and str(given).lower() != str(made).lower():
        findings.add(at, f"differs from its parts, which make {made}", "leave physicalType out")
    return given


def _made_of_parts(one: SchemaProperty, location: Location, findings: Findings) -> HiveType | None:
    """Struct or array from `properties` or `items`; None where the property has none."""
    if one.properties is not None and one.logicalType == "object":
        parts = _types(one.properties, (*location, "properties"), findings)
        names = tuple(part.name or "" for part in one.properties)
        return HiveType("struct", tuple(parts), names) if parts else None
    if one.items is not None and one.logicalType == "array":
        return HiveType("array", (_type(one.items, (*location, "items"), findings),))
    for key, owner in (("properties", "object"), ("items", "array")):
        if getattr(one, key) is not None:
            findings.add((*location, key), f"belongs to the logical type {owner}", "remove it")
    return None


def _default(one: SchemaProperty, location: Location, findings: Findings) -> HiveType:
    logical = one.logicalType or ""
    if logical in ("object", "array"):
        key = "properties" if logical == "object" else "items"
        findings.add(
            (*location, key),
            f"is missing: nothing says what the {logical} holds",
            f"add {key}, or physicalType: string to keep it as JSON text",
        )
        return UNKNOWN
    if logical == "timestamp" and _format(one) in EPOCHS:
        return HiveType("bigint")
    return HiveType(_HOLDS[logical][0])


def _check_timestamp(one: SchemaProperty, location: Location, findings: Findings) -> None:
    if one.logicalType == "timestamp" and _format(one) not in (None, *EPOCHS):
        findings.add(
            (*location, "logicalTypeOptions", "format"),
            "is not a form of time that the platform reads",
            "use ISO 8601 and no format, an epoch (epoch_s, epoch_ms, epoch_us), or logicalType: string",
        )


def _format(one: SchemaProperty) -> str | None:
    form = (one.logicalTypeOptions or {}).get("format")
    return None if form is None else str(form)


def _choices(logical: str) -> str:
    return f"for {logical} use {', '.join(_HOLDS[logical])}"
