"""Local copies of external tables, brought up to date before a statement reads them.

Comes in: a table in Glue. Goes out: a table in PostgreSQL with the same rows. What is loaded is
remembered by partition, location and objects, so that only what changed is read again. The copy
is read-only for everybody but the stand-in.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sandbox.redshift.aws import S3Object, list_objects, s3_errors, split_url
from sandbox.redshift.backend import Backend
from sandbox.redshift.errors import RedshiftError
from sandbox.redshift.external.definitions import (
    NULL_PARTITION,
    ExternalTable,
    PartitionValues,
    read_partitions,
    read_table,
)
from sandbox.redshift.external.references import PartitionTest, partition_test
from sandbox.redshift.loads.columns import Column, from_hive
from sandbox.redshift.loads.parquet import read_by_name
from sandbox.redshift.sql.tokens import literal, quoted


@dataclass(frozen=True)
class Contents:
    """What a partition holds: where it lies and the objects there."""

    location: str
    objects: tuple[S3Object, ...]


@dataclass
class Loaded:
    """What a local copy holds."""

    columns: tuple[tuple[str, str], ...]
    partitions: dict[PartitionValues, Contents] = field(default_factory=dict)


class ExternalCopies:
    """The local copies, by (schema, table)."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._loaded: dict[tuple[str, str], Loaded] = {}

    def forget(self, schema: str) -> None:
        """The copies of `schema` are gone."""
        for name in [name for name in self._loaded if name[0] == schema]:
            del self._loaded[name]

    async def refresh(self, schema: str, database: str, name: str, statement: str) -> None:
        """Make the copy equal to Glue and S3, as far as `statement` (if not empty) can see.

        Raises RedshiftError for a table that is not Parquet or cannot be read.
        """
        loop = asyncio.get_running_loop()
        table = await loop.run_in_executor(None, read_table, database, name)
        if table is None:
            await self._drop(schema, name)
            return
        if not table.storage.is_parquet:
            raise RedshiftError(
                f"external table {schema}.{name} is not Parquet"
                f" ({table.storage.serialization_lib or 'no SerDe'})",
                hint="the local stand-in reads external tables in Parquet; "
                "ask Spark or Athena for the others",
            )
        test = partition_test(statement, schema, name, table.keys) if statement else None
        present, contents = await loop.run_in_executor(None, _read_contents, database, table, test)
        loaded = await self._ensure_table(schema, table)
        stale = [values for values, it in contents.items() if loaded.partitions.get(values) != it]
        gone = [values for values in loaded.partitions if values not in present]
        if not stale and not gone:
            return
        await self._backend.query("begin")
        try:
            await self._replace(schema, table, [*gone, *stale], {v: contents[v] for v in stale})
            await self._backend.query("commit")
        except BaseException:
            await self._backend.query("rollback")
            raise
        for values in gone:
            del loaded.partitions[values]
        loaded.partitions.update({values: contents[values] for values in stale})

    async def _ensure_table(self, schema: str, table: ExternalTable) -> Loaded:
        name = (schema, table.name)
        columns = (*table.columns, *table.keys)
        loaded = self._loaded.get(name)
        (exists,) = (await self._backend.query(f"select to_regclass({literal(quoted(name))})"))[0]
        if loaded is not None and exists is not None and loaded.columns == columns:
            return loaded
        definitions = ", ".join(f"{quoted([c])} {from_hive(kind).sql}" for c, kind in columns)
        await self._backend.query(
            f"drop table if exists {quoted(name)};"
            f"create table {quoted(name)} ({definitions});"
            f"grant select on {quoted(name)} to public"
        )
        self._loaded[name] = Loaded(columns)
        return self._loaded[name]

    async def _drop(self, schema: str, name: str) -> None:
        if self._loaded.pop((schema, name), None) is not None:
            await self._backend.query(f"drop table if exists {quoted((schema, name))}")

    async def _replace(
        self,
        schema: str,
        table: ExternalTable,
        removed: Iterable[PartitionValues],
        added: dict[PartitionValues, Contents],
    ) -> None:
        target = quoted((schema, table.name))
        for values in removed:
            await self._backend.query(f"delete from {target} where {_condition(table, values)}")
        columns = [Column(name, from_hive(kind)) for name, kind in table.columns]
        listed = ", ".join(quoted([name]) for name, _ in (*table.columns, *table.keys))
        for values, contents in added.items():
            await self._backend.copy_in(
                f"copy {target} ({listed}) from stdin (format csv, encoding 'utf8')",
                _chunks(columns, _constants(table, values), contents.objects),
            )


def _chunks(
    columns: Sequence[Column],
    constants: Sequence[tuple[str, str | None]],
    objects: Sequence[S3Object],
) -> Iterator[bytes]:
    for source in objects:
        for chunk in read_by_name(source, columns, constants):
            yield chunk.csv


def _constants(table: ExternalTable, values: PartitionValues) -> list[tuple[str, str | None]]:
    return [
        (name, None if value == NULL_PARTITION else value)
        for (name, _), value in zip(table.keys, values, strict=True)
    ]


def _condition(table: ExternalTable, values: PartitionValues) -> str:
    tests = [
        f"{quoted([name])} is not distinct from {literal(value)}::{from_hive(kind).sql}"
        for (name, value), (_, kind) in zip(_constants(table, values), table.keys, strict=True)
    ]
    return " and ".join(tests) or "true"


def _read_contents(
    database: str, table: ExternalTable, test: PartitionTest | None
) -> tuple[set[PartitionValues], dict[PartitionValues, Contents]]:
    """All the partitions there are, and what those that pass `test` hold."""
    locations: dict[PartitionValues, str] = {(): table.storage.location}
    if table.keys:
        partitions = read_partitions(database, table)
        locations = {partition.values: partition.storage.location for partition in partitions}
    present = set(locations)
    if test is not None:
        locations = {values: at for values, at in locations.items() if test(values)}
    objects = _objects_at(list(locations.values()))
    return present, {
        values: Contents(location, tuple(objects[location]))
        for values, location in locations.items()
    }


def _common_start(texts: Sequence[str]) -> str:
    """What all texts begin with: S3 lists by characters, not by directories."""
    first, last = min(texts), max(texts)
    same = (place for place, letter in enumerate(first) if last[place : place + 1] != letter)
    return first[: next(same, len(first))]


def _objects_at(locations: Sequence[str]) -> dict[str, list[S3Object]]:
    """The objects below each location, with one listing a bucket."""
    found: dict[str, list[S3Object]] = {location: [] for location in locations}
    prefixes: dict[str, dict[str, str]] = {}
    for location in found:
        bucket, key = split_url(location)
        prefix = key if not key or key.endswith("/") else f"{key}/"
        prefixes.setdefault(bucket, {})[location] = prefix
    for bucket, by_location in prefixes.items():
        common = _common_start(list(by_location.values()))
        with s3_errors(f"Failed to list s3://{bucket}/{common}"):
            listed = list_objects(bucket, common)
        for location, prefix in by_location.items():
            found[location] = [item for item in listed if item.key.startswith(prefix)]
    return found
