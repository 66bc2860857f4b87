"""Parquet files to the CSV that PostgreSQL's COPY reads, with Redshift's checks on the way.

Comes in: an object's bytes and the columns to fill. Goes out: chunks of CSV with their row counts,
or the LoadError that Redshift raises for a type, a width or a NULL that does not fit.
"""

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from sandbox.redshift.aws import S3Object, read_object, s3_errors
from sandbox.redshift.errors import SCAN_ERROR, LoadError, Rejection
from sandbox.redshift.loads.columns import Column, fits, is_text, parquet_name

BATCH_ROWS = 65_536
SHOWN_VALUE = 1000
"""Characters of a rejected value that the system views keep."""


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file as CSV."""

    rows: int
    csv: bytes


def open_parquet(source: S3Object) -> pq.ParquetFile:
    """The object as a Parquet file. Raises LoadError if it is none."""
    with s3_errors(f"Failed to read {source.url}"):
        body = read_object(source.url)
    try:
        return pq.ParquetFile(io.BytesIO(body))
    except (pa.ArrowInvalid, OSError) as error:
        context = f"File '{source.url}' has an invalid version number: , must be PAR1"
        raise LoadError(SCAN_ERROR, 15007, context, Rejection(source.url)) from error


def _batches(source: S3Object, file: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
    try:
        yield from file.iter_batches(batch_size=BATCH_ROWS)
    except (pa.ArrowException, OSError) as error:
        context = f"Error: File '{source.url}' cannot be read: {error}"
        raise LoadError(SCAN_ERROR, 15007, context, Rejection(source.url)) from error


def read_by_position(
    source: S3Object, columns: Sequence[Column], fill_missing: bool, nested_as_text: bool
) -> Iterator[Chunk]:
    """COPY's way: the file's columns fill `columns` in their order. Raises LoadError."""
    file = open_parquet(source)
    schema = file.schema_arrow
    too_few = len(schema) < len(columns) and not fill_missing
    if too_few or len(schema) > len(columns):
        context = (
            "Unmatched number of columns between table and file. Table columns: "
            f"{len(columns)}, Data columns: {len(schema)}, File name: {source.url}"
        )
        raise LoadError(SCAN_ERROR, 15007, context, Rejection(source.url))
    for column, field in zip(columns, schema, strict=False):
        _check_type(source, column, field, nested_as_text)
    names = [column.name for column in columns]
    line = 0
    for batch in _batches(source, file):
        arrays = [*batch.columns]
        arrays += [pa.nulls(batch.num_rows)] * (len(columns) - len(arrays))
        for column, array in zip(columns, arrays, strict=True):
            _check_values(source, column, array, line)
        yield Chunk(batch.num_rows, to_csv(names, columns, arrays))
        line += int(batch.num_rows)


def read_by_name(
    source: S3Object, columns: Sequence[Column], constants: Sequence[tuple[str, str | None]]
) -> Iterator[Chunk]:
    """Spectrum's way: columns by name in any case, absent ones NULL, partition values constant."""
    file = open_parquet(source)
    places = {field.name.lower(): place for place, field in enumerate(file.schema_arrow)}
    for column in columns:
        if column.name in places:
            _check_type(source, column, file.schema_arrow.field(places[column.name]), True)
    names = [column.name for column in columns] + [name for name, _ in constants]
    line = 0
    for batch in _batches(source, file):
        rows = int(batch.num_rows)
        arrays = [
            batch.column(places[column.name]) if column.name in places else pa.nulls(rows)
            for column in columns
        ]
        for column, array in zip(columns, arrays, strict=True):
            _check_values(source, column, array, line)
        arrays += [pa.repeat(pa.scalar(value, pa.string()), rows) for _, value in constants]
        yield Chunk(rows, to_csv(names, columns, arrays))
        line += rows


def to_csv(names: Sequence[str], columns: Sequence[Column], arrays: Sequence[Any]) -> bytes:
    """Arrays as CSV: NULL is empty, text is quoted. `columns` type the first of `arrays`."""
    texts = []
    for place, array in enumerate(arrays):
        zoned = place < len(columns) and columns[place].type.base == "timestamptz"
        texts.append(_printable(array, zoned))
    table = pa.Table.from_arrays(texts, names=list(names))
    sink = io.BytesIO()
    options = pa.csv.WriteOptions(include_header=False, quoting_style="needed")
    pa.csv.write_csv(table, sink, options)
    return sink.getvalue()


def _printable(array: Any, zoned: bool) -> Any:
    """`array` in a type that write_csv prints as PostgreSQL reads it."""
    kind = array.type
    if pa.types.is_timestamp(kind):
        utc = pc.cast(array, pa.timestamp("us", kind.tz), safe=False)
        text = pc.cast(pc.cast(utc, pa.timestamp("us")), pa.string())
        return pc.binary_join_element_wise(text, "+00", "") if zoned else text
    if pa.types.is_dictionary(kind):
        return pc.cast(array, pa.string())
    if pa.types.is_null(kind):
        return pc.cast(array, pa.string())
    if pa.types.is_nested(kind):
        values = array.to_pylist()
        texts = [None if v is None else json.dumps(v, default=str) for v in values]
        return pa.array(texts, pa.string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.array(
            [None if v is None else "\\x" + v.hex() for v in array.to_pylist()], pa.string()
        )
    return array


def _check_type(source: S3Object, column: Column, field: pa.Field, nested_as_text: bool) -> None:
    if fits(field.type, column.type, nested_as_text):
        return
    context = (
        f"File '{source.url}' has an incompatible Parquet schema for column "
        f"'{source.url}.{column.name}'. Column type: {column.type}, "
        f"Parquet schema: optional {parquet_name(field.type)} {field.name}"
    )
    rejection = Rejection(source.url, column.name, str(column.type))
    raise LoadError(SCAN_ERROR, 15007, context, rejection)


def _check_values(source: S3Object, column: Column, array: Any, line: int) -> None:
    """Redshift counts the bytes of a text, PostgreSQL its characters; so the check is here."""
    kind = str(column.type)
    if not column.nullable and array.null_count:
        message = f"Cannot insert a NULL value into column {column.name}"
        rejection = Rejection(source.url, column.name, kind)
        raise LoadError(message, 8007, "", rejection, code="23502")
    if column.type.base not in ("varchar", "bpchar") or not is_text(array.type):
        return
    lengths = pc.binary_length(array)
    longest = pc.max(lengths).as_py()
    if longest is None or not column.type.length or longest <= column.type.length:
        return
    place = pc.index(pc.greater(lengths, column.type.length), True).as_py()
    context = (
        f"The length of the data column {column.name} is longer than the length defined in the "
        f"table. Table: {column.type.length}, Data: {lengths[place].as_py()}, "
        f"File name: {source.url}"
    )
    value = array[place].as_py()[:SHOWN_VALUE]
    rejection = Rejection(source.url, column.name, kind, line + place + 1, value)
    raise LoadError(SCAN_ERROR, 15001, context, rejection)
