"""Tables and partitions as Glue describes them.

Comes in: a database's name. Goes out: frozen definitions. Locations are Glue's, never guessed from
a directory's name: partitions may lie anywhere.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sandbox.redshift.aws import glue, glue_errors

NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"

PartitionValues = tuple[str, ...]
"""One value a partition key, as text; empty for a table without partitions."""


@dataclass(frozen=True)
class Storage:
    """A StorageDescriptor, as far as Redshift shows it."""

    location: str
    input_format: str
    output_format: str
    serialization_lib: str
    serde_parameters: str
    compressed: int
    parameters: str

    @property
    def is_parquet(self) -> bool:
        return "parquet" in f"{self.input_format} {self.serialization_lib}".lower()


@dataclass(frozen=True)
class ExternalPartition:
    """A partition: its values in the order of the keys, and where it lies."""

    values: PartitionValues
    storage: Storage


@dataclass(frozen=True)
class ExternalTable:
    """A table: (name, Hive type) of its columns and of its partition keys."""

    name: str
    columns: tuple[tuple[str, str], ...]
    keys: tuple[tuple[str, str], ...]
    storage: Storage


def database_exists(database: str) -> bool:
    """Whether Glue has the database. Raises RedshiftError if Glue does not answer."""
    with glue_errors(f"reading database {database}"):
        try:
            glue().get_database(Name=database)
        except glue().exceptions.EntityNotFoundException:
            return False
    return True


def create_database(database: str) -> None:
    """Create the database in Glue, if it is not there."""
    with glue_errors(f"creating database {database}"):
        try:
            glue().create_database(DatabaseInput={"Name": database})
        except glue().exceptions.AlreadyExistsException:
            return


def read_tables(database: str) -> list[ExternalTable]:
    """The tables of a database; none if Glue does not have the database any more."""
    with glue_errors(f"reading the tables of {database}"):
        try:
            pages = glue().get_paginator("get_tables").paginate(DatabaseName=database)
            return [_table(table) for page in pages for table in page["TableList"]]
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "EntityNotFoundException":
                return []
            raise


def read_table(database: str, name: str) -> ExternalTable | None:
    """One table, or None."""
    with glue_errors(f"reading table {database}.{name}"):
        try:
            return _table(glue().get_table(DatabaseName=database, Name=name)["Table"])
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "EntityNotFoundException":
                return None
            raise


def read_partitions(database: str, table: ExternalTable) -> list[ExternalPartition]:
    """The partitions of a table; none for a table without keys."""
    if not table.keys:
        return []
    with glue_errors(f"reading the partitions of {database}.{table.name}"):
        pages = (
            glue()
            .get_paginator("get_partitions")
            .paginate(DatabaseName=database, TableName=table.name, ExcludeColumnSchema=True)
        )
        return [
            ExternalPartition(
                tuple(partition["Values"]),
                _storage(partition.get("StorageDescriptor", {}), partition.get("Parameters", {})),
            )
            for page in pages
            for partition in page["Partitions"]
        ]


def _table(table: Mapping[str, Any]) -> ExternalTable:
    descriptor = table.get("StorageDescriptor", {})
    return ExternalTable(
        table["Name"].lower(),
        _columns(descriptor.get("Columns", [])),
        _columns(table.get("PartitionKeys", [])),
        _storage(descriptor, table.get("Parameters", {})),
    )


def _columns(columns: list[Mapping[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((column["Name"].lower(), column.get("Type", "string")) for column in columns)


def _storage(descriptor: Mapping[str, Any], parameters: Mapping[str, str]) -> Storage:
    serde = descriptor.get("SerdeInfo", {})
    return Storage(
        location=descriptor.get("Location", ""),
        input_format=descriptor.get("InputFormat", ""),
        output_format=descriptor.get("OutputFormat", ""),
        serialization_lib=serde.get("SerializationLibrary", ""),
        serde_parameters=json.dumps(serde.get("Parameters", {})),
        compressed=int(bool(descriptor.get("Compressed", False))),
        parameters=json.dumps(parameters),
    )
