"""COPY from S3 into a table.

Comes in: a Copy plan and the session's connection. Goes out: the rows, in the session's own
transaction, and a row in STL_LOAD_COMMITS for each file. A failed COPY leaves nothing behind;
`execution` records its error.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sandbox.redshift.aws import S3Object
from sandbox.redshift.backend import Backend
from sandbox.redshift.errors import LoadError, RedshiftError
from sandbox.redshift.loads.columns import Column, ColumnType
from sandbox.redshift.loads.parquet import read_by_position
from sandbox.redshift.loads.sources import check_options, find_objects
from sandbox.redshift.sql.plans import Copy
from sandbox.redshift.sql.tokens import literal, quoted

TABLE_COLUMNS = """
select
    a.attname,
    t.typname,
    case when t.typname in ('varchar', 'bpchar') and a.atttypmod > 0 then a.atttypmod - 4 end,
    case when t.typname = 'numeric' then ((a.atttypmod - 4) >> 16) & 65535 end,
    case when t.typname = 'numeric' then (a.atttypmod - 4) & 65535 end,
    a.attnotnull,
    a.attidentity <> '',
    a.attrelid::oid::bigint
from pg_attribute as a
inner join pg_type as t on t.oid = a.atttypid
where a.attrelid = {table}::regclass and a.attnum > 0 and not a.attisdropped
order by a.attnum
"""


@dataclass
class Progress:
    """What a COPY has done so far: rows a file."""

    query: int
    table: int
    files: list[tuple[S3Object, int]] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return sum(rows for _, rows in self.files)


async def run_copy(plan: Copy, backend: Backend) -> str:
    """Carry out `plan` and return Redshift's notice. Raises RedshiftError."""
    check_options(plan.options)
    query = int((await backend.query("select nextval('rs.query_id')"))[0][0] or 0)
    columns, table = await table_columns(backend, plan)
    loop = asyncio.get_running_loop()
    is_manifest = "MANIFEST" in plan.options
    try:
        objects = await loop.run_in_executor(None, find_objects, plan.source, is_manifest)
        progress = Progress(query, table)
        if "NOLOAD" in plan.options:
            await loop.run_in_executor(
                None, lambda: list(_chunks(plan, objects, columns, progress))
            )
            return "Validation completed, no errors found."
        listed = ", ".join(quoted([column.name]) for column in columns)
        await backend.copy_in(
            f"copy {quoted(plan.table)} ({listed}) from stdin (format csv, encoding 'utf8')",
            _chunks(plan, objects, columns, progress),
        )
    except LoadError as error:
        error.query, error.table = query, table
        raise
    await _record(backend, progress)
    return f"Load into table '{plan.table[-1]}' completed, {progress.rows} record(s) loaded successfully."


async def table_columns(backend: Backend, plan: Copy) -> tuple[list[Column], int]:
    """The columns that `plan` fills and the table's oid. Raises RedshiftError."""
    table = literal(quoted(plan.table))
    rows = await backend.query(TABLE_COLUMNS.format(table=table))
    if not rows:
        raise RedshiftError(f'relation "{plan.table[-1]}" has no columns', "42P01")
    columns = [
        Column(
            str(name),
            ColumnType(str(base), int(length or 0), int(precision or 0), int(scale or 0)),
            nullable=not_null == "f",
            identity=identity == "t",
        )
        for name, base, length, precision, scale, not_null, identity, _ in rows
    ]
    if plan.columns:
        by_name = {column.name: column for column in columns}
        for name in plan.columns:
            if name not in by_name:
                raise RedshiftError(
                    f'column "{name}" of relation "{plan.table[-1]}" does not exist', "42703"
                )
        columns = [by_name[name] for name in plan.columns]
    elif "EXPLICIT_IDS" not in plan.options:
        columns = [column for column in columns if not column.identity]
    return columns, int(rows[0][7] or 0)


def _chunks(
    plan: Copy, objects: Sequence[S3Object], columns: Sequence[Column], progress: Progress
) -> Iterator[bytes]:
    fill, nested = "FILLRECORD" in plan.options, "SERIALIZETOJSON" in plan.options
    for source in objects:
        rows = 0
        for chunk in read_by_position(source, columns, fill, nested):
            rows += chunk.rows
            yield chunk.csv
        progress.files.append((source, rows))


async def _record(backend: Backend, progress: Progress) -> None:
    """Rows of STL_LOAD_COMMITS, and what pg_last_copy_count() says in this session."""
    values = ", ".join(
        f"({progress.query}, {literal(source.url)}, {rows}, {progress.table}, {source.size})"
        for source, rows in progress.files
    )
    await backend.query(
        "insert into rs.load_commit (query, filename, lines_scanned, tbl, bytes) values "
        f"{values};"
        f"select set_config('rs.last_copy_count', '{progress.rows}', false),"
        f" set_config('rs.last_copy_id', '{progress.query}', false)"
    )
