"""Which Parquet types fit Redshift's columns, and Glue's types as Redshift's."""

import pyarrow as pa
import pytest

from sandbox.redshift.errors import RedshiftError
from sandbox.redshift.loads.columns import Column, ColumnType, fits, from_hive
from sandbox.redshift.loads.parquet import to_csv

FITTING = {
    "bigint_takes_int64": ("int8", pa.int64(), True),
    "bigint_refuses_int32": ("int8", pa.int32(), False),
    "integer_takes_int32": ("int4", pa.int32(), True),
    "integer_refuses_int64": ("int4", pa.int64(), False),
    "smallint_takes_int16": ("int2", pa.int16(), True),
    "double_refuses_float": ("float8", pa.float32(), False),
    "date_takes_date": ("date", pa.date32(), True),
    "date_refuses_text": ("date", pa.string(), False),
    "timestamp_takes_zoned_micros": ("timestamp", pa.timestamp("us", "UTC"), True),
    "boolean_takes_boolean": ("bool", pa.bool_(), True),
    "varchar_takes_text": ("varchar", pa.string(), True),
    "varchar_refuses_bigint": ("varchar", pa.int64(), False),
    "super_takes_text": ("jsonb", pa.string(), True),
    "super_takes_lists_when_asked": ("jsonb", pa.list_(pa.int64()), True),
}


@pytest.mark.parametrize(("base", "parquet", "fit"), FITTING.values(), ids=FITTING.keys())
def test_fits(base: str, parquet: pa.DataType, fit: bool) -> None:
    assert fits(parquet, ColumnType(base), nested_as_text=True) is fit


@pytest.mark.parametrize(
    ("parquet", "fit"),
    [(pa.decimal128(10, 2), True), (pa.decimal128(12, 2), False), (pa.decimal128(10, 3), False)],
)
def test_a_decimal_fits_with_the_same_scale_and_no_more_digits(
    parquet: pa.DataType, fit: bool
) -> None:
    assert fits(parquet, ColumnType("numeric", precision=10, scale=2), False) is fit


HIVE = {
    "string": "varchar(65535)",
    "varchar(20)": "varchar(20)",
    "char(3)": "bpchar(3)",
    "bigint": "int8",
    "int": "int4",
    "tinyint": "int2",
    "double": "float8",
    "decimal(18,2)": "numeric(18,2)",
    "decimal": "numeric(10,0)",
    "boolean": "bool",
    "date": "date",
    "timestamp": "timestamp",
    "array<string>": "jsonb",
    "struct<a:int>": "jsonb",
}


@pytest.mark.parametrize(("hive", "redshift"), HIVE.items())
def test_glue_types(hive: str, redshift: str) -> None:
    assert from_hive(hive).sql == redshift


def test_an_unknown_glue_type_is_named() -> None:
    with pytest.raises(RedshiftError, match="uniontype<int>"):
        from_hive("uniontype<int>")


def test_csv_tells_null_from_empty_text() -> None:
    columns = [Column("a", ColumnType("varchar", 10)), Column("b", ColumnType("int8"))]
    arrays = [pa.array(["", None, 'x"y\n,é']), pa.array([1, None, 3])]
    assert to_csv(["a", "b"], columns, arrays) == '"",1\n,\n"x""y\n,é",3\n'.encode()


def test_csv_of_a_zoned_column_says_utc() -> None:
    moment = pa.array([0], pa.timestamp("us", "UTC"))
    written = {
        base: to_csv(["t"], [Column("t", ColumnType(base))], [moment])
        for base in ("timestamp", "timestamptz")
    }
    assert written == {
        "timestamp": b'"1970-01-01 00:00:00.000000"\n',
        "timestamptz": b'"1970-01-01 00:00:00.000000+00"\n',
    }
