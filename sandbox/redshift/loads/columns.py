"""Columns as Redshift has them, and which Parquet types go into them.

Comes in: a table's columns from PostgreSQL, or Hive types from Glue. Goes out: the names and rules
of Redshift's types. Nothing is read or written here.
"""

import re
from dataclasses import dataclass

import pyarrow as pa

from sandbox.redshift.errors import RedshiftError


@dataclass(frozen=True)
class ColumnType:
    """A type by PostgreSQL's short name (int8, varchar, numeric, …) with its sizes."""

    base: str
    length: int = 0
    precision: int = 0
    scale: int = 0

    @property
    def sql(self) -> str:
        """The type in a column definition."""
        if self.base == "numeric":
            return f"numeric({self.precision},{self.scale})"
        if self.base in ("varchar", "bpchar"):
            return f"{self.base}({self.length})" if self.length else self.base
        return self.base

    def __str__(self) -> str:
        """The type as Redshift's load errors write it."""
        if self.base == "numeric":
            return f"DECIMAL({self.precision}, {self.scale})"
        if self.base in ("varchar", "bpchar"):
            return f"VARCHAR({self.length})"
        return _ERROR_NAMES.get(self.base, self.base.upper())


@dataclass(frozen=True)
class Column:
    """A column that a load fills."""

    name: str
    type: ColumnType
    nullable: bool = True
    identity: bool = False


_ERROR_NAMES = {
    "bool": "BOOLEAN",
    "float4": "REAL",
    "float8": "DOUBLE",
    "int2": "SMALLINT",
    "int4": "INTEGER",
    "int8": "BIGINT",
    "jsonb": "SUPER",
}

_HIVE = {
    "bigint": "int8",
    "binary": "bytea",
    "boolean": "bool",
    "date": "date",
    "double": "float8",
    "float": "float4",
    "int": "int4",
    "integer": "int4",
    "smallint": "int2",
    "timestamp": "timestamp",
    "tinyint": "int2",
}

LONGEST_TEXT = 65535

# the array, its offsets and what it stands for do not matter here: only what fits where
_FITS = {
    "bool": pa.types.is_boolean,
    "bytea": lambda t: pa.types.is_binary(t) or pa.types.is_large_binary(t),
    "date": pa.types.is_date32,
    "float4": pa.types.is_float32,
    "float8": pa.types.is_float64,
    "int8": pa.types.is_int64,
    "timestamp": pa.types.is_timestamp,
    "timestamptz": pa.types.is_timestamp,
}


def from_hive(hive_type: str) -> ColumnType:
    """Glue's type as Redshift Spectrum shows it; nested ones as SUPER.

    Raises RedshiftError for a type that Spectrum does not know.
    """
    text = hive_type.strip().lower()
    if text == "string":
        return ColumnType("varchar", length=LONGEST_TEXT)
    if text in _HIVE:
        return ColumnType(_HIVE[text])
    if text.startswith(("array<", "map<", "struct<")):
        return ColumnType("jsonb")
    if sized := re.fullmatch(r"(varchar|char)\s*\(\s*(\d+)\s*\)", text):
        return ColumnType({"char": "bpchar"}.get(sized[1], sized[1]), length=int(sized[2]))
    if decimal := re.fullmatch(r"decimal(?:\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?", text):
        return ColumnType("numeric", precision=int(decimal[1] or 10), scale=int(decimal[2] or 0))
    raise RedshiftError(f"external type {hive_type} is not supported")


def fits(parquet_type: pa.DataType, column: ColumnType, nested_as_text: bool) -> bool:
    """Whether Redshift takes `parquet_type` into `column`: no widening, no rounding."""
    base = column.base
    if base in ("int4", "int2"):
        return bool(pa.types.is_integer(parquet_type)) and parquet_type.bit_width <= 32
    if base == "numeric":
        is_decimal = pa.types.is_decimal(parquet_type)
        return bool(
            is_decimal
            and parquet_type.scale == column.scale
            and parquet_type.precision <= column.precision
        )
    if base == "jsonb":
        return is_text(parquet_type) or (nested_as_text and bool(pa.types.is_nested(parquet_type)))
    if base in ("varchar", "bpchar", "text"):
        return is_text(parquet_type) or bool(pa.types.is_dictionary(parquet_type))
    return base in _FITS and bool(_FITS[base](parquet_type))


def is_text(parquet_type: pa.DataType) -> bool:
    """Whether a Parquet type holds text."""
    return bool(pa.types.is_string(parquet_type) or pa.types.is_large_string(parquet_type))


def parquet_name(parquet_type: pa.DataType) -> str:
    """A Parquet type as Redshift's messages write it."""
    name = str(parquet_type)
    if pa.types.is_integer(parquet_type):
        name = "int64" if parquet_type.bit_width == 64 else "int32"
    elif is_text(parquet_type):
        name = "binary (UTF8)"
    elif pa.types.is_timestamp(parquet_type):
        name = "int64 (TIMESTAMP)"
    elif pa.types.is_date(parquet_type):
        name = "int32 (DATE)"
    elif pa.types.is_decimal(parquet_type):
        sizes = f"{parquet_type.precision},{parquet_type.scale}"
        name = f"fixed_len_byte_array (DECIMAL({sizes}))"
    elif pa.types.is_boolean(parquet_type):
        name = "boolean"
    return name
