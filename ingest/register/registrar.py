"""The registrar: Glue learns of every hour before the hour log names it.

Comes in: hours, chains and blocks that hold data. Goes out: partitions in Glue, each asked for
once a process. Tables are made or changed once, when it starts.
"""

from collections.abc import Iterable, Mapping

from datacore.contracts import Contract
from ingest.land.hourlog import Hour, block_prefix
from ingest.land.manifest import chain_prefix
from ingest.land.objects import ROOT
from ingest.register.catalog import Catalog, Partition
from ingest.register.tables import (
    DATABASES,
    PLATFORM,
    RAW,
    Table,
    hour_location,
    platform_tables,
    raw_tables,
)
from ingest.replay.entry import replays_prefix
from ingest.versions.settle import Published

PUBLISHED_AT = "datacore.published_at"
"""Parameter of a partition: when it was pointed to a version, seconds since 1970."""


class Registrar:
    """Keeps Glue up to date with what lands in `bucket`."""

    def __init__(self, catalog: Catalog, contracts: Iterable[Contract], bucket: str) -> None:
        self._catalog = catalog
        self._bucket = bucket
        tables = [*raw_tables(contracts, bucket), *platform_tables(bucket)]
        self._tables = {(table.database, table.name): table for table in tables}
        self._known: set[tuple[str, str, tuple[str, ...]]] = set()

    def tables(self) -> int:
        """Make databases and tables equal to the contracts; how many tables changed."""
        self._catalog.ensure_databases(DATABASES)
        return sum(self._catalog.ensure_table(table) for table in self._tables.values())

    def hours(self, hours: Iterable[Hour]) -> int:
        """Raw partitions that hold data; those of a type without a contract now wait for it."""
        by_table: dict[str, list[Partition]] = {}
        for data_type, dt, hour in sorted(hours):
            location = hour_location(self._bucket, data_type, dt, hour)
            by_table.setdefault(data_type, []).append(((dt, hour), location))
        return sum(self._ensure(RAW, name, listed) for name, listed in by_table.items())

    def versions(self, folders: Mapping[Hour, str]) -> int:
        """Raw partitions of hours that have versions, made where Glue has none; how many were."""
        made = 0
        for hour, folder in sorted(folders.items()):
            location = self._location(folder)
            made += self._ensure(RAW, hour.data_type, [((hour.dt, hour.hour), location)])
        return made

    def knows(self, data_type: str) -> bool:
        """Whether the data type has a table."""
        return (RAW, data_type) in self._tables

    def published(self, hour: Hour) -> Published | None:
        """Where readers find an hour; None where Glue has no such partition."""
        table = self._tables[RAW, hour.data_type]
        found = self._catalog.partition(table, (hour.dt, hour.hour))
        if found is None:
            return None
        since = found.get("Parameters", {}).get(PUBLISHED_AT)
        location = found.get("StorageDescriptor", {}).get("Location", "")
        folder = location.removeprefix(f"s3://{self._bucket}/").rstrip("/") + "/"
        return Published(folder, None if since is None else float(since))

    def publish(self, hour: Hour, folder: str, now: float) -> None:
        """Point an hour's partition to a version's folder."""
        table = self._tables[RAW, hour.data_type]
        parameters = {PUBLISHED_AT: f"{now:.3f}"}
        values = (hour.dt, hour.hour)
        self._catalog.move_partition(table, values, self._location(folder), parameters)

    def drop(self, hour: Hour) -> None:
        """Take an hour that holds nothing from readers."""
        self._catalog.drop_partition(self._tables[RAW, hour.data_type], (hour.dt, hour.hour))
        self._known.discard((RAW, hour.data_type, (hour.dt, hour.hour)))

    @property
    def data_types(self) -> list[str]:
        """Those that have a raw table, in order."""
        return sorted(name for database, name in self._tables if database == RAW)

    def locations(self, data_type: str) -> dict[Hour, str]:
        """The folder that readers find, of all hours of a data type; a slash at the end."""
        root = f"s3://{self._bucket}/"
        return {
            Hour(data_type, dt, hour): location.removeprefix(root).rstrip("/") + "/"
            for (dt, hour), location in self._catalog.partitions(
                self._tables[RAW, data_type]
            ).items()
        }

    def _location(self, folder: str) -> str:
        return f"s3://{self._bucket}/{folder}".rstrip("/")

    def cuts(self, topic: str, partition: int) -> None:
        """A chain that has manifests."""
        location = f"s3://{self._bucket}/{chain_prefix(topic, partition)}".rstrip("/")
        self._ensure(PLATFORM, "cut", [((topic, str(partition)), location)])

    def block(self, topic: str, block: int) -> None:
        """A block of the hour log."""
        location = f"s3://{self._bucket}/{block_prefix(topic, block)}".rstrip("/")
        self._ensure(PLATFORM, "hour", [((topic, str(block)), location)])

    def replays(self, topic: str) -> None:
        """A topic that has replays."""
        location = self._location(replays_prefix(topic))
        self._ensure(PLATFORM, "replay", [((topic,), location)])

    def quarantine(self, topic: str, dt: str, hour: str) -> None:
        """An hour of a topic that has quarantined records."""
        path = f"{ROOT}/_quarantine/{topic}/{dt.replace('-', '/')}/{hour}"
        self._ensure(PLATFORM, "quarantine", [((topic, dt, hour), f"s3://{self._bucket}/{path}")])

    def _ensure(self, database: str, name: str, partitions: list[Partition]) -> int:
        table: Table | None = self._tables.get((database, name))
        if table is None:
            return 0
        new = [p for p in partitions if (database, name, p[0]) not in self._known]
        if not new:
            return 0
        made = self._catalog.ensure_partitions(table, new)
        self._known |= {(database, name, values) for values, _ in new}
        return made
