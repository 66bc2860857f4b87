"""Calls that add, change, rename and drop partitions.

Hive adds all or none. Glue's batches can fail in part, so what a failed call had added is taken
away again; a batch of changes that failed in part is reported by partition.
"""

from collections.abc import Sequence
from typing import Any

from hmsclient.genthrift.hive_metastore import ttypes

from metastore.calls.catalog import Catalog, Table
from metastore.calls.tables import changed_now
from metastore.files import FilesFailed, UnsafeLocation, contains
from metastore.glue import CREATE_BATCH, GlueError
from metastore.translate.partitions import (
    name_to_values,
    partition_keys,
    partition_name,
    partition_to_glue,
)
from metastore.translate.tables import is_managed, table_to_hive

_TAKEN = "AlreadyExistsException"
_MISSING = "EntityNotFoundException"


class PartitionWriteCalls:
    """Partitions of one table."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    # adding

    def add_partition(self, partition: Any) -> Any:
        self._add(partition.dbName, partition.tableName, [partition], if_not_exists=False)
        return partition

    def add_partition_with_environment_context(self, partition: Any, context: Any) -> Any:
        return self.add_partition(partition)

    def add_partitions(self, partitions: list[Any]) -> int:
        if partitions:
            first = partitions[0]
            self._add(first.dbName, first.tableName, partitions, if_not_exists=False)
        return len(partitions)

    def add_partitions_req(self, request: Any) -> Any:
        added = self._add(request.dbName, request.tblName, request.parts, request.ifNotExists)
        return ttypes.AddPartitionsResult(added if request.needResult else None)

    def append_partition(self, database: str, name: str, values: list[str]) -> Any:
        return self.add_partition(
            ttypes.Partition(values=values, dbName=database, tableName=name, parameters={})
        )

    def append_partition_with_environment_context(
        self, database: str, name: str, values: list[str], context: Any
    ) -> Any:
        return self.append_partition(database, name, values)

    def append_partition_by_name(self, database: str, name: str, partition: str) -> Any:
        return self.append_partition(database, name, name_to_values(partition))

    def append_partition_by_name_with_environment_context(
        self, database: str, name: str, partition: str, context: Any
    ) -> Any:
        return self.append_partition_by_name(database, name, partition)

    def _add(
        self, database: str, name: str, partitions: list[Any], if_not_exists: bool
    ) -> list[Any]:
        """Those that were added. Raises AlreadyExistsException before anything is added."""
        table = self._catalog.table(database, name)
        for partition in partitions:
            _complete(partition, table)
        where = (database.lower(), name.lower())
        wanted = [tuple(partition.values) for partition in partitions]
        if len(set(wanted)) < len(wanted):
            raise ttypes.MetaException("a partition is given twice")
        present: set[tuple[str, ...]] = set()
        if not if_not_exists or len(wanted) > CREATE_BATCH:  # else the one batch says it, too
            found = self._catalog.glue.get_partitions(*where, wanted)
            present = {tuple(partition["Values"]) for partition in found}
        if present and not if_not_exists:
            raise ttypes.AlreadyExistsException(f"Partition already exists: {list(min(present))}")
        new = [partition for partition in partitions if tuple(partition.values) not in present]
        inputs = [partition_to_glue(partition, table) for partition in new]
        failures = self._catalog.glue.create_partitions(*where, inputs)
        taken = {failure.values for failure in failures if failure.code == _TAKEN}
        if len(taken) < len(failures) or (taken and not if_not_exists):
            failed = {failure.values for failure in failures}
            made = [p.values for p in new if tuple(p.values) not in failed]
            self._catalog.glue.delete_partitions(*where, made)
            if len(taken) == len(failures):
                raise ttypes.AlreadyExistsException(f"Partition already exists: {failures[0]}")
            raise ttypes.MetaException(f"none was added: {failures[0]}")
        added = [partition for partition in new if tuple(partition.values) not in taken]
        for partition in added:
            self._catalog.files.make_directory(partition.sd.location)
        return added

    # changing

    def alter_partitions_with_environment_context(
        self, database: str, name: str, partitions: list[Any], context: Any
    ) -> None:
        table = self._catalog.table(database, name)
        for partition in partitions:
            _complete(partition, table)
        failures = self._catalog.glue.update_partitions(
            database.lower(), name.lower(), [partition_to_glue(p, table) for p in partitions]
        )
        if failures:
            raise ttypes.InvalidOperationException(
                f"{len(failures)} of {len(partitions)} partitions were not altered, among them "
                f"{failures[0]}"
            )

    def alter_partitions(self, database: str, name: str, partitions: list[Any]) -> None:
        self.alter_partitions_with_environment_context(database, name, partitions, None)

    def alter_partition(self, database: str, name: str, partition: Any) -> None:
        self.alter_partitions_with_environment_context(database, name, [partition], None)

    def alter_partition_with_environment_context(
        self, database: str, name: str, partition: Any, context: Any
    ) -> None:
        self.alter_partitions_with_environment_context(database, name, [partition], None)

    def rename_partition(self, database: str, name: str, values: list[str], partition: Any) -> None:
        """Of a managed table, the files at the default place move with the name."""
        table = self._catalog.table(database, name)
        where = (database.lower(), name.lower())
        current = self._catalog.glue.get_partition(*where, values)
        source = (current.get("StorageDescriptor") or {}).get("Location") or ""
        _complete(partition, table)
        partition.sd.location = source
        moves = is_managed(table) and source.rstrip("/") == _default_location(table, values)
        target = _default_location(table, partition.values)
        if not moves or source == target:
            self._catalog.glue.rename_partition(*where, values, partition_to_glue(partition, table))
            return
        partition.sd.location = target
        try:
            self._catalog.files.copy(source, target)
            self._catalog.glue.rename_partition(*where, values, partition_to_glue(partition, table))
        except UnsafeLocation as error:
            raise ttypes.InvalidOperationException(str(error)) from error
        except (FilesFailed, GlueError):
            self._catalog.delete_files(target, within=target)
            raise
        self._catalog.delete_files(source, within=source)

    # dropping

    def drop_partition(
        self, database: str, name: str, values: list[str], delete_data: bool
    ) -> bool:
        self._drop(database, name, [values], delete_data, if_exists=False)
        return True

    def drop_partition_with_environment_context(
        self, database: str, name: str, values: list[str], delete_data: bool, context: Any
    ) -> bool:
        return self.drop_partition(database, name, values, delete_data)

    def drop_partition_by_name(
        self, database: str, name: str, partition: str, delete_data: bool
    ) -> bool:
        return self.drop_partition(database, name, name_to_values(partition), delete_data)

    def drop_partition_by_name_with_environment_context(
        self, database: str, name: str, partition: str, delete_data: bool, context: Any
    ) -> bool:
        return self.drop_partition_by_name(database, name, partition, delete_data)

    def drop_partitions_req(self, request: Any) -> Any:
        if request.parts.names is None:
            raise ttypes.MetaException("dropping partitions by expression is not supported")
        wanted = [name_to_values(partition) for partition in request.parts.names]
        self._drop(
            request.dbName, request.tblName, wanted, request.deleteData, bool(request.ifExists)
        )
        return ttypes.DropPartitionsResult([])

    def _drop(
        self,
        database: str,
        name: str,
        wanted: Sequence[list[str]],
        delete_data: bool,
        if_exists: bool,
    ) -> None:
        """Files are deleted only of a managed table and only below the table's own location."""
        table = self._catalog.table(database, name)
        where = (database.lower(), name.lower())
        root = (table.get("StorageDescriptor") or {}).get("Location")
        locations: list[str] = []
        if delete_data and is_managed(table) and root:
            found = self._catalog.glue.get_partitions(*where, wanted)
            locations = [(p.get("StorageDescriptor") or {}).get("Location") or "" for p in found]
        for failure in self._catalog.glue.delete_partitions(*where, wanted):
            if failure.code != _MISSING:
                raise ttypes.MetaException(f"not dropped: {failure}")
            if not if_exists:
                raise ttypes.NoSuchObjectException(str(failure))
        for location in locations:
            if location and root and not contains(location, root):
                self._catalog.delete_files(location, within=root)


def _complete(partition: Any, table: Table) -> None:
    """Fill in what a client may leave out: the descriptor, the location, the time."""
    keys = partition_keys(table)
    if len(partition.values or ()) != len(keys):
        raise ttypes.InvalidObjectException(
            f"{len(partition.values or ())} values for the {len(keys)} partition columns of "
            f"{table['Name']}"
        )
    if partition.sd is None:
        partition.sd = table_to_hive(table).sd
        partition.sd.location = None
    if not partition.sd.location:
        partition.sd.location = _default_location(table, partition.values)
    partition.parameters = changed_now(partition.parameters)


def _default_location(table: Table, values: Sequence[str]) -> str:
    root = str((table.get("StorageDescriptor") or {}).get("Location") or "").rstrip("/")
    return f"{root}/{partition_name(partition_keys(table), values)}"
