"""The registrar: Glue learns of every hour before the hour log names it.

Comes in: hours, chains and blocks that hold data. Goes out: partitions in Glue, each asked for
once a process. Tables are made or changed once, when it starts.
"""

from collections.abc import Iterable

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

    def cuts(self, topic: str, partition: int) -> None:
        """A chain that has manifests."""
        location = f"s3://{self._bucket}/{chain_prefix(topic, partition)}".rstrip("/")
        self._ensure(PLATFORM, "cut", [((topic, str(partition)), location)])

    def block(self, topic: str, block: int) -> None:
        """A block of the hour log."""
        location = f"s3://{self._bucket}/{block_prefix(topic, block)}".rstrip("/")
        self._ensure(PLATFORM, "hour", [((topic, str(block)), location)])

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
