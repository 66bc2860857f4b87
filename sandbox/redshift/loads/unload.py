"""UNLOAD of a query to Parquet on S3.

Comes in: an Unload plan and the session's connection. Goes out: objects below the destination,
by partition where asked, and a manifest. Nothing is written over unless the statement allows it.
"""

import asyncio
import io
import json
from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from sandbox.redshift.aws import list_objects, s3, s3_errors, split_url
from sandbox.redshift.backend import Backend
from sandbox.redshift.errors import LoadError, RedshiftError
from sandbox.redshift.sql.plans import Unload

TEMPORARY = "rs_unload"

OPTIONS = {
    "ACCESS_KEY_ID",
    "ALLOWOVERWRITE",
    "CLEANPATH",
    "CREDENTIALS",
    "ENCRYPTED",
    "FORMAT",
    "IAM_ROLE",
    "INCLUDE",
    "KMS_KEY_ID",
    "MANIFEST",
    "MAXFILESIZE",
    "PARALLEL",
    "REGION",
    "ROWGROUPSIZE",
    "SECRET_ACCESS_KEY",
    "SESSION_TOKEN",
    "VERBOSE",
}

_ARROW = {
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "double precision": pa.float64(),
    "integer": pa.int32(),
    "numeric": pa.decimal128(38, 10),
    "real": pa.float32(),
    "smallint": pa.int32(),
    "timestamp without time zone": pa.timestamp("us"),
}


async def run_unload(plan: Unload, backend: Backend) -> str:
    """Carry out `plan` and return Redshift's notice. Raises RedshiftError."""
    _check_options(plan.options)
    await backend.query(f"drop table if exists pg_temp.{TEMPORARY}")
    await backend.query(f"create temporary table {TEMPORARY} as {plan.query}")
    columns = await backend.query(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute"
        f" where attrelid = '{TEMPORARY}'::regclass and attnum > 0 order by attnum"
    )
    csv = await backend.copy_out(f"copy {TEMPORARY} to stdout (format csv)")
    await backend.query(f"drop table {TEMPORARY}")
    types = {str(name): _arrow_type(str(kind)) for name, kind in columns}
    for name in plan.partition_by:
        if name not in types:
            raise RedshiftError(f'column "{name}" does not exist', "42703")
    table = _read_csv(csv, types)
    await asyncio.get_running_loop().run_in_executor(None, _write, plan, table)
    return f"UNLOAD completed, {table.num_rows} record(s) unloaded successfully."


def _check_options(options: Mapping[str, str]) -> None:
    if options.get("FORMAT") != "PARQUET":
        raise RedshiftError(
            f"UNLOAD to {options.get('FORMAT', 'text')} is not supported by the local stand-in",
            hint="it writes FORMAT AS PARQUET",
        )
    for name in options:
        if name not in OPTIONS:
            raise RedshiftError(f"{name} is not supported for UNLOAD to PARQUET")


def _arrow_type(kind: str) -> pa.DataType:
    if kind.startswith("numeric("):
        precision, scale = kind.removeprefix("numeric(").removesuffix(")").split(",")
        return pa.decimal128(int(precision), int(scale))
    return _ARROW.get(kind, pa.string())


def _read_csv(csv: bytes, types: dict[str, pa.DataType]) -> pa.Table:
    if not csv:
        return pa.table({name: pa.array([], kind) for name, kind in types.items()})
    return pa.csv.read_csv(
        io.BytesIO(csv),
        read_options=pa.csv.ReadOptions(column_names=list(types)),
        parse_options=pa.csv.ParseOptions(newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(
            column_types=types,
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=[""],
            true_values=["t"],
            false_values=["f"],
        ),
    )


def _write(plan: Unload, table: pa.Table) -> None:
    bucket, prefix = split_url(plan.destination)
    with s3_errors(f"Failed to write {plan.destination}"):
        _clear(plan, bucket, prefix)
        entries = []
        for number, (directory, part) in enumerate(_partitions(plan, table)):
            body = io.BytesIO()
            pq.write_table(part, body, compression="snappy")
            key = f"{prefix}{directory}{number:04d}_part_00.parquet"
            s3().put_object(Bucket=bucket, Key=key, Body=body.getvalue())
            meta = {"content_length": body.tell(), "record_count": part.num_rows}
            entries.append({"url": f"s3://{bucket}/{key}", "meta": meta})
        if "MANIFEST" in plan.options:
            body_of_manifest = json.dumps({"entries": entries}).encode()
            s3().put_object(Bucket=bucket, Key=f"{prefix}manifest", Body=body_of_manifest)


def _clear(plan: Unload, bucket: str, prefix: str) -> None:
    present = list_objects(bucket, prefix)
    if "CLEANPATH" in plan.options:
        for item in present:
            s3().delete_object(Bucket=bucket, Key=item.key)
    elif present and "ALLOWOVERWRITE" not in plan.options:
        raise LoadError(
            "Specified unload destination on S3 is not empty. Consider using a different bucket / "
            "prefix, manually removing the target files in S3, or using the ALLOWOVERWRITE option.",
            8001,
        )


def _partitions(plan: Unload, table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """(directory below the prefix, rows); one of each without PARTITION BY."""
    names = list(plan.partition_by)
    if not names:
        yield "", table
        return
    for values in table.select(names).group_by(names).aggregate([]).to_pylist():
        mask = pa.array([True] * table.num_rows)
        for name, value in values.items():
            column = table.column(name)
            scalar = pa.scalar(value, column.type)
            mask = pc.and_(mask, pc.is_null(column) if value is None else pc.equal(column, scalar))
        directory = "".join(
            f"{name}={'__HIVE_DEFAULT_PARTITION__' if value is None else value}/"
            for name, value in values.items()
        )
        rows = table.filter(mask)
        yield directory, rows if "INCLUDE" in plan.options else rows.drop_columns(names)
