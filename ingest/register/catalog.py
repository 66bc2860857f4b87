"""What the registrar asks of a catalog: Glue, or a Hive Metastore.

Comes in: `Table`s and partitions as they should be. Goes out: nothing but what was found. Everything may
be repeated. Nothing is dropped but the partitions that are told to be.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from ingest.register.tables import Table

Partition = tuple[tuple[str, ...], str]
"""A partition's values and its location."""


class Catalog(Protocol):
    """Databases, tables and partitions."""

    def ensure_databases(self, databases: Mapping[str, str]) -> None:
        """Make the databases that are absent; names and descriptions."""

    def ensure_table(self, table: Table) -> bool:
        """Make the table, or change it where it differs. True where anything was done."""

    def ensure_partitions(self, table: Table, partitions: Iterable[Partition]) -> int:
        """Make the partitions that are absent; how many were.

        One that is there keeps its location: compaction moves it.
        """

    def partitions(self, table: Table) -> dict[tuple[str, ...], str]:
        """Values and location of all partitions of a table."""

    def locations(self, database: str, name: str) -> dict[tuple[str, ...], str] | None:
        """A table's partitions: values to location. None where there is no such table."""

    def partition(self, table: Table, values: tuple[str, ...]) -> Mapping[str, Any] | None:
        """A partition as Glue's API has it; None where there is none."""

    def move_partition(
        self,
        table: Table,
        values: tuple[str, ...],
        location: str,
        parameters: Mapping[str, str],
    ) -> None:
        """Point a partition elsewhere, or make it there; all else that it holds stays.

        One call changes it, so a reader finds it as it was or as it is.
        """

    def drop_partition(self, table: Table, values: tuple[str, ...]) -> None:
        """Drop a partition; its objects stay. None there is no error."""
