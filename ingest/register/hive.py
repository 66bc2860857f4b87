"""A Hive Metastore, made to hold what it should, by its own Thrift protocol.

Comes in: `Table`s and partitions as they should be. Goes out: the calls that are needed. A call that
the connection broke is made again: all of them may be repeated. The openx SerDe is left out, since
Spark loads the class of every SerDe that it is shown, and has no openx; Spark reads by the provider.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import Any

from hmsclient.genthrift.hive_metastore import ThriftHiveMetastore, ttypes
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.Thrift import TException
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TBufferedTransport, TTransportException

from datacore.errors import ServiceUnreachable, UsageError
from datacore.settings import Address
from ingest.register.catalog import Partition
from ingest.register.glue import differs, merged
from ingest.register.tables import Table
from metastore.translate.storage import storage_to_hive
from metastore.translate.tables import table_to_glue, table_to_hive

BATCH = 1_000
"""Partitions of a call."""
TRIES = 5
TIMEOUT_MS = 60_000
BROKEN = (TTransportException, OSError, EOFError)
NO_STATISTICS = ttypes.EnvironmentContext({"DO_NOT_UPDATE_STATS": "true"})
"""Else the metastore lists the objects of what it is told about."""
INCOMPATIBLE = "set hive.metastore.disallow.incompatible.col.type.changes=false in the metastore"
"""What to do where a contract has changed a column's type."""


class HiveCatalog:
    """A Hive Metastore at an address."""

    def __init__(self, address: Address, sleep: Callable[[float], None] = time.sleep) -> None:
        self._address = address
        self._sleep = sleep
        self._client: Any = None
        self._lock = Lock()

    def __str__(self) -> str:
        return f"Hive metastore {self._address}"

    def ensure_databases(self, databases: Mapping[str, str]) -> None:
        """Make the databases that are absent; names and descriptions."""
        for name, description in databases.items():
            try:
                self._call("get_database", name)
            except ttypes.NoSuchObjectException:
                made = ttypes.Database(name, description, parameters={})
                self._make("create_database", made)

    def ensure_table(self, table: Table) -> bool:
        """Make the table, or change it where it differs. True where anything was done."""
        wanted = _hive_table(table)
        try:
            there = self._call("get_table", table.database, table.name)
        except ttypes.NoSuchObjectException:
            return self._make("create_table_with_environment_context", wanted, NO_STATISTICS)
        asked, found = table_to_glue(wanted), table_to_glue(there)
        asked = merged({key: value for key, value in asked.items() if key != "Owner"}, found)
        if not differs(asked, found):
            return False
        wanted.parameters = {**there.parameters, **wanted.parameters}
        where = (table.database, table.name)
        self._call("alter_table_with_environment_context", *where, wanted, NO_STATISTICS)
        return True

    def ensure_partitions(self, table: Table, partitions: Iterable[Partition]) -> int:
        """Make the partitions that are absent; how many were."""
        made = [_hive_partition(table, values, location) for values, location in partitions]
        try:
            return sum(
                self._add_absent(table, made[start : start + BATCH])
                for start in range(0, len(made), BATCH)
            )
        except ttypes.NoSuchObjectException as error:
            raise ServiceUnreachable(
                f"{self} has no table {table.database}.{table.name}", "run `datacore register`"
            ) from error

    def _add_absent(self, table: Table, partitions: list[Any]) -> int:
        there = self._by_values(table, [tuple(partition.values) for partition in partitions])
        new = [partition for partition in partitions if tuple(partition.values) not in there]
        if new:
            self._add(table, new)
        return len(new)

    def partitions(self, table: Table) -> dict[tuple[str, ...], str]:
        """Values and location of all partitions of a table."""
        return self.locations(table.database, table.name) or {}

    def locations(self, database: str, name: str) -> dict[tuple[str, ...], str] | None:
        """A table's partitions: values to location. None where there is no such table."""
        try:
            self._call("get_table", database, name)
            names = self._call("get_partition_names", database, name, -1)
        except ttypes.NoSuchObjectException:
            return None
        found: dict[tuple[str, ...], str] = {}
        for start in range(0, len(names), BATCH):
            some = names[start : start + BATCH]
            for partition in self._call("get_partitions_by_names", database, name, some):
                found[tuple(partition.values)] = partition.sd.location or ""
        return found

    def partition(self, table: Table, values: tuple[str, ...]) -> Mapping[str, Any] | None:
        """A partition's values, location and parameters, by Glue's names; None where there is none."""
        found = self._partition(table, values)
        if found is None:
            return None
        return {
            "Values": list(found.values),
            "StorageDescriptor": {"Location": found.sd.location or ""},
            "Parameters": dict(found.parameters or {}),
        }

    def move_partition(
        self,
        table: Table,
        values: tuple[str, ...],
        location: str,
        parameters: Mapping[str, str],
    ) -> None:
        """Point a partition elsewhere, or make it there; all else that it holds stays."""
        found = self._partition(table, values)
        if found is None:
            made = _hive_partition(table, values, location)
            made.parameters = dict(parameters)
            self._add(table, [made])
            found = self._partition(table, values)
            if found is None or found.sd.location == location:
                return  # made, or dropped again by who found it empty
        found.sd.location = location
        found.parameters = {**(found.parameters or {}), **parameters}
        where = (table.database, table.name)
        self._call("alter_partition_with_environment_context", *where, found, NO_STATISTICS)

    def drop_partition(self, table: Table, values: tuple[str, ...]) -> None:
        """Drop a partition; its objects stay. None there is no error."""
        try:
            self._call("drop_partition", table.database, table.name, list(values), False)
        except ttypes.NoSuchObjectException:
            return

    def close(self) -> None:
        """End the connection; the next call opens another."""
        if self._client is not None:
            self._client._iprot.trans.close()
            self._client = None

    def _partition(self, table: Table, values: tuple[str, ...]) -> Any | None:
        try:
            return self._by_values(table, [values]).get(values)
        except ttypes.NoSuchObjectException:
            return None

    def _by_values(self, table: Table, wanted: list[tuple[str, ...]]) -> dict[tuple[str, ...], Any]:
        keys = [key["Name"] for key in table.input["PartitionKeys"]]
        names = [
            "/".join(f"{k}={v}" for k, v in zip(keys, values, strict=True)) for values in wanted
        ]
        found = self._call("get_partitions_by_names", table.database, table.name, names)
        return {tuple(partition.values): partition for partition in found}

    def _add(self, table: Table, partitions: list[Any]) -> None:
        self._call(
            "add_partitions_req",
            ttypes.AddPartitionsRequest(
                dbName=table.database, tblName=table.name, parts=partitions,
                ifNotExists=True, needResult=False,
            ),
        )  # fmt: skip

    def _make(self, name: str, *arguments: Any) -> bool:
        """False where it was there already. Raises UsageError where what it belongs to is not."""
        try:
            self._call(name, *arguments)
        except ttypes.AlreadyExistsException:
            return False
        except ttypes.NoSuchObjectException as error:
            raise UsageError(f"{self} refused {name}: {error.message}") from error
        return True

    def _call(self, name: str, *arguments: Any) -> Any:
        """A call of the protocol, again after a broken connection.

        Raises what the metastore says is there or not; UsageError for what it refuses;
        ServiceUnreachable where it does not answer.
        """
        with self._lock:
            for number in range(1, TRIES + 1):
                try:
                    return getattr(self._connected(), name)(*arguments)
                except (ttypes.NoSuchObjectException, ttypes.AlreadyExistsException):
                    raise
                except BROKEN as error:
                    self.close()
                    if number == TRIES:
                        raise ServiceUnreachable(
                            f"{self} does not answer {name}: {error}",
                            "check DATACORE_METASTORE, then try again",
                        ) from error
                    self._sleep(0.1 * 2**number)
                except ttypes.MetaException as error:
                    raise ServiceUnreachable(
                        f"{self} failed to {name}: {error.message}",
                        "look into its log, then try again",
                    ) from error
                except TException as error:
                    said = getattr(error, "message", None) or str(error)
                    raise UsageError(
                        f"{self} refused {name}: {said}",
                        INCOMPATIBLE if "incompatible" in said else "",
                    ) from error
        raise AssertionError("unreachable: the last try returns or raises")

    def _connected(self) -> Any:
        if self._client is None:
            socket = TSocket(self._address.host, self._address.port)
            socket.setTimeout(TIMEOUT_MS)
            transport = TBufferedTransport(socket)
            transport.open()
            self._client = ThriftHiveMetastore.Client(TBinaryProtocol(transport))
        return self._client


def _hive_table(table: Table) -> Any:
    return table_to_hive({**table.input, "DatabaseName": table.database})


def _hive_partition(table: Table, values: tuple[str, ...], location: str) -> Any:
    shown = _hive_table(table)
    serde = table.input["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"]
    descriptor = storage_to_hive(
        {**table.input["StorageDescriptor"], "Location": location}, shown.sd.cols, serde
    )
    return ttypes.Partition(
        values=list(values),
        dbName=table.database,
        tableName=table.name,
        sd=descriptor,
        parameters={},
    )
