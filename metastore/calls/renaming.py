"""Renaming a table, which Glue cannot do: made again under the new name, then dropped.

A managed table at its default place moves there too: its files are copied first and deleted last.
So a failure before the end leaves the old table whole, with its files; what was made of the new
one is taken away again.
"""

from contextlib import suppress
from typing import Any

from hmsclient.genthrift.hive_metastore import ttypes

from metastore.calls.catalog import Catalog, Table, log
from metastore.calls.tables import changed_now
from metastore.files import FilesFailed, UnsafeLocation
from metastore.glue import GlueError, NotFound
from metastore.translate.partitions import partition_input
from metastore.translate.tables import is_managed, table_to_glue

_PATH = "path"
"""Spark's copy of the location, among the SerDe's parameters."""


def rename_table(catalog: Catalog, database: str, name: str, table: Any) -> None:
    """Give `database.name` the name, and the rest, of Hive's `table`.

    Raises InvalidOperationException where the new place or name is taken.
    """
    current = catalog.table_now(database, name)
    source = (current.get("StorageDescriptor") or {}).get("Location")
    target = _target(catalog, current, table)
    table.parameters = changed_now(table.parameters)
    if table.sd and target:
        table.sd.location = target
    location = table.sd.location if table.sd else None
    if table.sd and table.sd.serdeInfo and _PATH in (table.sd.serdeInfo.parameters or {}):
        table.sd.serdeInfo.parameters[_PATH] = location
    new = (table.dbName.lower(), table.tableName.lower())
    old = (database.lower(), name.lower())
    with catalog.writing_table(old, new):
        _check_free(catalog, new)
        if source and target:
            _copy_files(catalog, source, target)
        try:
            _make(catalog, new, table_to_glue(table, current), old, source, target)
        except GlueError:
            catalog.delete_files(target, within=target)
            raise
        catalog.glue.delete_table(*old)
    if target:
        catalog.delete_files(source, within=source)
    log.info("table renamed", old=".".join(old), new=".".join(new), moved_to=target)


def _check_free(catalog: Catalog, new: tuple[str, str]) -> None:
    with suppress(NotFound):
        catalog.table_now(*new)
        raise ttypes.InvalidOperationException(f"new table {'.'.join(new)} already exists")


def _target(catalog: Catalog, current: Table, table: Any) -> str | None:
    """Where the files move to, or None where they stay."""
    location = (current.get("StorageDescriptor") or {}).get("Location")
    if not is_managed(current) or not location:
        return None
    if location.rstrip("/") != catalog.default_location(current["DatabaseName"], current["Name"]):
        return None
    return catalog.default_location(table.dbName, table.tableName)


def _copy_files(catalog: Catalog, source: str, target: str) -> None:
    try:
        catalog.files.copy(source, target)
    except UnsafeLocation as error:
        raise ttypes.InvalidOperationException(str(error)) from error
    except FilesFailed:
        catalog.delete_files(target, within=target)
        raise


def _make(
    catalog: Catalog,
    new: tuple[str, str],
    made: dict[str, Any],
    old: tuple[str, str],
    source: str | None,
    target: str | None,
) -> None:
    catalog.glue.create_table(new[0], made)
    try:
        partitions = []
        if made["PartitionKeys"]:
            wanted = [partition["Values"] for partition in catalog.glue.list_partitions(*old)]
            partitions = [
                _moved(partition_input(partition), source, target)
                for partition in catalog.glue.get_partitions(*old, wanted)
            ]
        for failure in catalog.glue.create_partitions(*new, partitions):
            raise GlueError("batch_create_partition", failure.code, str(failure))
    except GlueError:
        catalog.glue.delete_table(*new)
        raise


def _moved(partition: dict[str, Any], source: str | None, target: str | None) -> dict[str, Any]:
    """The partition with its location below the table's new one, if it was below the old one."""
    descriptor = partition.get("StorageDescriptor") or {}
    location = descriptor.get("Location") or ""
    if not source or not target or not location.startswith(source.rstrip("/") + "/"):
        return partition
    moved = target + location[len(source.rstrip("/")) :]
    return {**partition, "StorageDescriptor": {**descriptor, "Location": moved}}
