"""Glue's calls as plain methods: every page read, every batch cut to Glue's size.

Comes in: names in lower case and Glue's own dictionaries. Goes out: Glue's own dictionaries.
Raises `GlueError`s. Never interprets what it carries.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import boto3
import structlog
from botocore.config import Config

from metastore.glue.calling import Caller, Failure
from metastore.glue.faults import GlueError
from metastore.meter import Meter

log = structlog.get_logger("metastore")

CREATE_BATCH = 100
UPDATE_BATCH = 100
DELETE_BATCH = 25
GET_BATCH = 1000
PAGE = 1000
TABLE_PAGE = 100

Values = Sequence[str]


class Glue(Caller):
    """The Glue Data Catalog."""

    @classmethod
    def connect(cls, endpoint_url: str | None, region: str, meter: Meter | None = None) -> "Glue":
        """A client by boto3's own credentials. Retries are this room's, not botocore's."""
        config = Config(
            connect_timeout=3,
            read_timeout=30,
            retries={"total_max_attempts": 1},
            max_pool_connections=64,
            tcp_keepalive=True,
        )
        client = boto3.client("glue", endpoint_url=endpoint_url, region_name=region, config=config)
        return cls(client, meter=meter)

    # databases

    def check(self) -> None:
        """One small call. Raises GlueError where Glue cannot be used."""
        self.call("get_databases", MaxResults=1)

    def probe(self) -> None:
        """The same, in one attempt; that it failed is only logged, and the meter knows."""
        try:
            self.attempt("get_databases", MaxResults=1)
        except GlueError as error:
            log.warning("glue does not answer", reason=str(error))

    def get_database(self, name: str) -> dict[str, Any]:
        """Raises NotFound."""
        database: dict[str, Any] = self.call("get_database", Name=name)["Database"]
        return database

    def list_databases(self) -> list[dict[str, Any]]:
        """All databases."""
        return list(self.pages("get_databases", "DatabaseList", MaxResults=100))

    def create_database(self, database: Mapping[str, Any]) -> None:
        """Raises AlreadyExists."""
        self.call("create_database", repeatable=False, DatabaseInput=database)

    def update_database(self, name: str, database: Mapping[str, Any]) -> None:
        """Raises NotFound."""
        self.call("update_database", Name=name, DatabaseInput=database)

    def delete_database(self, name: str) -> None:
        """Raises NotFound."""
        self.call("delete_database", repeatable=False, Name=name)

    # tables

    def get_table(self, database: str, name: str) -> dict[str, Any]:
        """Raises NotFound."""
        table: dict[str, Any] = self.call("get_table", DatabaseName=database, Name=name)["Table"]
        return table

    def list_tables(self, database: str, expression: str | None = None) -> list[dict[str, Any]]:
        """Tables and views of a database, those whose name matches `expression`. Raises NotFound."""
        chosen = {"Expression": expression} if expression else {}
        return list(
            self.pages(
                "get_tables", "TableList", DatabaseName=database, MaxResults=TABLE_PAGE, **chosen
            )
        )

    def create_table(self, database: str, table: Mapping[str, Any]) -> None:
        """Raises NotFound (the database), AlreadyExists."""
        self.call("create_table", repeatable=False, DatabaseName=database, TableInput=table)

    def update_table(self, database: str, table: Mapping[str, Any], version: str | None) -> None:
        """Replace the table if it still has `version` (None: whatever it has). Raises Changed."""
        expected = {"VersionId": version} if version else {}
        self.call(
            "update_table",
            repeatable=False,
            DatabaseName=database,
            TableInput=table,
            SkipArchive=True,
            **expected,
        )

    def delete_table(self, database: str, name: str) -> None:
        """Raises NotFound."""
        self.call("delete_table", repeatable=False, DatabaseName=database, Name=name)

    # partitions

    def get_partition(self, database: str, table: str, values: Values) -> dict[str, Any]:
        """Raises NotFound."""
        partition: dict[str, Any] = self.call(
            "get_partition", DatabaseName=database, TableName=table, PartitionValues=list(values)
        )["Partition"]
        return partition

    def list_partitions(
        self, database: str, table: str, expression: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """Partitions that satisfy `expression`, without their columns, page by page."""
        chosen = {"Expression": expression} if expression else {}
        return self.pages(
            "get_partitions",
            "Partitions",
            DatabaseName=database,
            TableName=table,
            ExcludeColumnSchema=True,
            MaxResults=PAGE,
            **chosen,
        )

    def get_partitions(
        self, database: str, table: str, wanted: Iterable[Values]
    ) -> list[dict[str, Any]]:
        """Those of the wanted partitions that exist."""
        found: list[dict[str, Any]] = []

        def send(batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
            answer = self.call(
                "batch_get_partition", DatabaseName=database, TableName=table, PartitionsToGet=batch
            )
            found.extend(answer.get("Partitions") or ())
            return list(answer.get("UnprocessedKeys") or ())

        keys = [{"Values": list(values)} for values in wanted]
        self.in_batches("batch_get_partition", GET_BATCH, keys, send)
        return found

    def create_partitions(
        self, database: str, table: str, partitions: Sequence[dict[str, Any]]
    ) -> list[Failure]:
        """What was not created, and why. The others were."""
        return self.write_in_batches(
            "batch_create_partition",
            CREATE_BATCH,
            partitions,
            under="PartitionInputList",
            key="Values",
            DatabaseName=database,
            TableName=table,
        )

    def update_partitions(
        self, database: str, table: str, partitions: Sequence[dict[str, Any]]
    ) -> list[Failure]:
        """What was not updated, and why. The others were."""
        return self.write_in_batches(
            "batch_update_partition",
            UPDATE_BATCH,
            [{"PartitionValueList": p["Values"], "PartitionInput": p} for p in partitions],
            under="Entries",
            key="PartitionValueList",
            DatabaseName=database,
            TableName=table,
        )

    def delete_partitions(
        self, database: str, table: str, values: Sequence[Values]
    ) -> list[Failure]:
        """What was not deleted, and why. The others were."""
        return self.write_in_batches(
            "batch_delete_partition",
            DELETE_BATCH,
            [{"Values": list(each)} for each in values],
            under="PartitionsToDelete",
            key="Values",
            DatabaseName=database,
            TableName=table,
        )

    def rename_partition(
        self, database: str, table: str, values: Values, partition: Mapping[str, Any]
    ) -> None:
        """Give the partition of `values` the values (and the rest) of `partition`."""
        self.call(
            "update_partition",
            repeatable=False,
            DatabaseName=database,
            TableName=table,
            PartitionValueList=list(values),
            PartitionInput=partition,
        )

    # functions

    def list_functions(self, database: str | None) -> list[dict[str, Any]]:
        """Functions of a database, or of all. Raises UnsupportedByEndpoint."""
        chosen = {"DatabaseName": database} if database else {}
        return list(
            self.pages("get_user_defined_functions", "UserDefinedFunctions", Pattern=".*", **chosen)
        )

    def get_function(self, database: str, name: str) -> dict[str, Any]:
        """Raises NotFound, UnsupportedByEndpoint."""
        answer = self.call("get_user_defined_function", DatabaseName=database, FunctionName=name)
        function: dict[str, Any] = answer["UserDefinedFunction"]
        return function

    def create_function(self, database: str, function: Mapping[str, Any]) -> None:
        """Raises AlreadyExists, NotFound (the database), UnsupportedByEndpoint."""
        self.call(
            "create_user_defined_function",
            repeatable=False,
            DatabaseName=database,
            FunctionInput=function,
        )

    def update_function(self, database: str, name: str, function: Mapping[str, Any]) -> None:
        """Raises NotFound."""
        self.call(
            "update_user_defined_function",
            DatabaseName=database,
            FunctionName=name,
            FunctionInput=function,
        )

    def delete_function(self, database: str, name: str) -> None:
        """Raises NotFound."""
        self.call(
            "delete_user_defined_function",
            repeatable=False,
            DatabaseName=database,
            FunctionName=name,
        )
