"""Glue, made to hold what it should: databases, tables, partitions.

Comes in: `Table`s and partitions as they should be. Goes out: the calls that are needed and no
others. Everything may be repeated. Drops nothing but the partitions that it is told to, and of a
table changes only what `tables` describes: parameters that others set stay.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from datacore.aws import aws_errors
from datacore.errors import ServiceUnreachable
from ingest.register.catalog import Partition
from ingest.register.tables import Table

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_glue.type_defs import PartitionInputTypeDef, TableInputTypeDef

BATCH = 100
"""Partitions that Glue takes in one call."""
CONFLICTS = 10
"""How often a partition is looked at again that another changed meanwhile."""
KEPT = ("Values", "LastAccessTime", "LastAnalyzedTime")
"""What a moved partition keeps beside its descriptor and parameters."""


class GlueCatalog:
    """A Glue Data Catalog."""

    def __init__(self, client: "GlueClient") -> None:
        self._client = client

    def ensure_databases(self, databases: Mapping[str, str]) -> None:
        """Make the databases that are absent; names and descriptions."""
        for name, description in databases.items():
            with aws_errors("Glue"):
                try:
                    self._client.get_database(Name=name)
                except self._client.exceptions.EntityNotFoundException:
                    try:
                        self._client.create_database(
                            DatabaseInput={"Name": name, "Description": description}
                        )
                    except self._client.exceptions.AlreadyExistsException:
                        continue

    def ensure_table(self, table: Table) -> bool:
        """Make the table, or change it where it differs. True where anything was done."""
        with aws_errors("Glue"):
            try:
                found: Mapping[str, Any] = self._client.get_table(
                    DatabaseName=table.database, Name=table.name
                )["Table"]
            except self._client.exceptions.EntityNotFoundException:
                return self._create(table)
            wanted = merged(table.input, found)
            if not differs(wanted, found):
                return False
            self._client.update_table(
                DatabaseName=table.database, TableInput=_typed(wanted), SkipArchive=True
            )
            return True

    def _create(self, table: Table) -> bool:
        try:
            self._client.create_table(DatabaseName=table.database, TableInput=_typed(table.input))
        except self._client.exceptions.AlreadyExistsException:
            return False
        return True

    def ensure_partitions(self, table: Table, partitions: Iterable[Partition]) -> int:
        """Make the partitions that are absent; how many were.

        One that is there keeps its location: compaction moves it.
        """
        listed = list(partitions)
        made = 0
        for start in range(0, len(listed), BATCH):
            made += self._create_partitions(table, listed[start : start + BATCH])
        return made

    def _create_partitions(self, table: Table, partitions: Sequence[Partition]) -> int:
        inputs = [_partition(table, values, location) for values, location in partitions]
        with aws_errors("Glue"):
            answer = self._client.batch_create_partition(
                DatabaseName=table.database, TableName=table.name, PartitionInputList=inputs
            )
        failed = answer.get("Errors", [])
        for failure in failed:
            detail = failure.get("ErrorDetail", {})
            if detail.get("ErrorCode") != "AlreadyExistsException":
                raise ServiceUnreachable(
                    f"Glue: partition {failure.get('PartitionValues')} of "
                    f"{table.database}.{table.name}: {detail.get('ErrorMessage')}",
                    "run `datacore register`",
                )
        return len(partitions) - len(failed)

    def partitions(self, table: Table) -> dict[tuple[str, ...], str]:
        """Values and location of all partitions of a table."""
        return self.locations(table.database, table.name) or {}

    def locations(self, database: str, name: str) -> dict[tuple[str, ...], str] | None:
        """A table's partitions: values to location. None where there is no such table."""
        found: dict[tuple[str, ...], str] = {}
        with aws_errors("Glue"):
            pages = self._client.get_paginator("get_partitions").paginate(
                DatabaseName=database, TableName=name, ExcludeColumnSchema=True
            )
            try:
                for page in pages:
                    for partition in page["Partitions"]:
                        location = partition.get("StorageDescriptor", {}).get("Location", "")
                        found[tuple(partition["Values"])] = location
            except self._client.exceptions.EntityNotFoundException:
                return None
        return found

    def partition(self, table: Table, values: tuple[str, ...]) -> Mapping[str, Any] | None:
        """A partition as Glue has it; None where it has none."""
        with aws_errors("Glue"):
            try:
                return self._client.get_partition(
                    DatabaseName=table.database, TableName=table.name, PartitionValues=list(values)
                )["Partition"]
            except self._client.exceptions.EntityNotFoundException:
                return None

    def move_partition(
        self,
        table: Table,
        values: tuple[str, ...],
        location: str,
        parameters: Mapping[str, str],
    ) -> None:
        """Point a partition elsewhere, or make it there; all else that it holds stays.

        One call of Glue changes it, so a reader finds it as it was or as it is.
        """
        for _ in range(CONFLICTS):
            found = self.partition(table, values)
            if found is None:
                made = _partition(table, values, location)
                if self._create_partition(table, {**made, "Parameters": dict(parameters)}):
                    return
                continue
            kept: Any = {key: found[key] for key in KEPT if key in found}
            kept["StorageDescriptor"] = {**found["StorageDescriptor"], "Location": location}
            kept["Parameters"] = {**found.get("Parameters", {}), **parameters}
            if self._update_partition(table, values, kept):
                return
        raise ServiceUnreachable(
            f"Glue: partition {values} of {table.database}.{table.name} is changed by others all "
            "the time",
            "try again",
        )

    def drop_partition(self, table: Table, values: tuple[str, ...]) -> None:
        """Drop a partition; its objects stay. None there is no error."""
        with aws_errors("Glue"), suppress(self._client.exceptions.EntityNotFoundException):
            self._client.delete_partition(
                DatabaseName=table.database, TableName=table.name, PartitionValues=list(values)
            )

    def _create_partition(self, table: Table, made: "PartitionInputTypeDef") -> bool:
        with aws_errors("Glue"):
            try:
                self._client.create_partition(
                    DatabaseName=table.database, TableName=table.name, PartitionInput=made
                )
            except self._client.exceptions.AlreadyExistsException:
                return False
        return True

    def _update_partition(
        self, table: Table, values: tuple[str, ...], kept: "PartitionInputTypeDef"
    ) -> bool:
        with aws_errors("Glue"):
            try:
                self._client.update_partition(
                    DatabaseName=table.database,
                    TableName=table.name,
                    PartitionValueList=list(values),
                    PartitionInput=kept,
                )
            except (
                self._client.exceptions.EntityNotFoundException,
                self._client.exceptions.ConcurrentModificationException,
            ):
                return False
        return True


def _partition(table: Table, values: tuple[str, ...], location: str) -> "PartitionInputTypeDef":
    descriptor: Any = {**table.input["StorageDescriptor"], "Location": location}
    return {"Values": list(values), "StorageDescriptor": descriptor}


def merged(wanted: dict[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """What is wanted of a table, with the parameters that others have set."""
    parameters = {**found.get("Parameters", {}), **wanted["Parameters"]}
    return {**wanted, "Parameters": parameters}


def differs(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether anything that `wanted` says is otherwise in `found`."""
    for key, value in wanted.items():
        there = found.get(key)
        if isinstance(value, Mapping):
            if not isinstance(there, Mapping) or differs(value, there):
                return True
        elif value != there:
            return True
    return False


def _typed(table: dict[str, Any]) -> "TableInputTypeDef":
    return table  # type: ignore[return-value]  # built in `tables`, key by key
