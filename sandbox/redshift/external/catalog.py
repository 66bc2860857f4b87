"""The system views of external schemas, made equal to Glue.

Comes in: the external schemas and what Glue says now. Goes out: the rows behind SVV_EXTERNAL_*,
replaced in one transaction and only when something changed.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping

from sandbox.redshift.backend import Backend
from sandbox.redshift.external.definitions import (
    ExternalPartition,
    ExternalTable,
    Storage,
    read_partitions,
    read_tables,
)
from sandbox.redshift.sql.tokens import literal

Listing = tuple[tuple[ExternalTable, tuple[ExternalPartition, ...]], ...]
"""A schema's tables, each with its partitions."""

BATCH = 1000
"""Rows of one INSERT."""


class ExternalCatalog:
    """Keeps what was written last, so that nothing is written when Glue has not changed."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._written: dict[str, Listing] = {}

    def forget(self, schema: str) -> None:
        """What is known of `schema` does not hold any more."""
        self._written.pop(schema, None)

    async def refresh(self, databases: Mapping[str, str]) -> None:
        """Make the views equal to Glue; `databases` by external schema. Raises RedshiftError."""
        loop = asyncio.get_running_loop()
        for schema, database in databases.items():
            listing = await loop.run_in_executor(None, _read_listing, database)
            if self._written.get(schema) != listing:
                self.forget(schema)
                await self._backend.query(";".join(_statements(schema, listing)))
                self._written[schema] = listing


def _read_listing(database: str) -> Listing:
    return tuple(
        (table, tuple(read_partitions(database, table)))
        for table in sorted(read_tables(database), key=lambda table: table.name)
    )


def _statements(schema: str, listing: Listing) -> list[str]:
    """The replacement as one simple query, which PostgreSQL runs as one transaction."""
    statements = [
        f"delete from rs.{name} where schema_name = {literal(schema)}"
        for name in ("external_table", "external_column", "external_partition")
    ]
    tables, columns, partitions = [], [], []
    for table, its_partitions in listing:
        tables.append(_row(schema, table.name, *_storage(table.storage)))
        typed = [*table.columns, *table.keys]
        for position, (name, kind) in enumerate(typed, start=1):
            part_key = max(0, position - len(table.columns))
            columns.append(_row(schema, table.name, name, kind, position, part_key))
        for partition in its_partitions:
            values = _json_list(partition.values)
            partitions.append(_row(schema, table.name, values, *_storage(partition.storage)))
    for name, rows in (
        ("external_table", tables),
        ("external_column", columns),
        ("external_partition", partitions),
    ):
        for start in range(0, len(rows), BATCH):
            batch = ", ".join(rows[start : start + BATCH])
            statements.append(f"insert into rs.{name} values {batch}")
    return statements


def _storage(storage: Storage) -> tuple[object, ...]:
    return (
        storage.location,
        storage.input_format,
        storage.output_format,
        storage.serialization_lib,
        storage.serde_parameters,
        storage.compressed,
        storage.parameters,
    )


def _json_list(values: Iterable[str]) -> str:
    return json.dumps(list(values), separators=(",", ":"), ensure_ascii=False)


def _row(*values: object) -> str:
    return f"({', '.join(literal(value) for value in values)})"
