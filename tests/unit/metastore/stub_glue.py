"""A Glue that holds its callers to the real limits, which moto does not.

Pages are short, batches may not be too large, expressions at most 2,048 characters, comments on one
line of at most 255, descriptions at most 2,048, and an update names the version that it replaces.
Faults can be asked for. Expressions are judged by moto's evaluator, which is independent of ours.
"""

import copy
import re
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError
from moto.glue.exceptions import GlueClientError
from moto.glue.utils import PartitionFilter

PAGE = 7
"""Short, so that whoever reads one page only is found out."""
_COMMENT = re.compile(r"[\u0020-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF\t]*")

Answer = dict[str, Any]


def client_error(
    operation: str, code: str, message: str = "stub", status: int = 400
) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},
        },  # type: ignore[typeddict-item]
        operation,
    )


class StubGlue:
    """boto3's Glue client, as far as the metastore uses it."""

    def __init__(self) -> None:
        self.meta = SimpleNamespace(endpoint_url="http://glue.stub")
        self.databases: dict[str, Answer] = {}
        self.tables: dict[tuple[str, str], Answer] = {}
        self.partitions: dict[tuple[str, str], dict[tuple[str, ...], Answer]] = {}
        self.functions: dict[tuple[str, str], Answer] = {}
        self.calls: Counter[str] = Counter()
        self.faults: dict[str, list[Exception]] = {}
        """Operation to the errors that its next calls raise."""
        self.entry_faults: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        """Operation and a partition's values to the error codes that its next entries get."""
        self.before: dict[str, Callable[[], None]] = {}
        """Operation to what happens once, just before its next call."""
        self.expressions: list[str] = []
        self._lock = threading.RLock()

    def __getattribute__(self, name: str) -> Any:
        method = super().__getattribute__(name)
        if not re.match(r"(get|create|update|delete|batch)_", name):
            return method

        def call(**arguments: Any) -> Answer:
            self.calls[name] += 1
            if happening := self.before.pop(name, None):
                happening()
            if self.faults.get(name):
                raise self.faults[name].pop(0)
            with self._lock:
                answer: Answer = method(**copy.deepcopy(arguments))
                return copy.deepcopy(answer)

        return call

    # databases

    def _database(self, operation: str, name: str) -> Answer:
        if name not in self.databases:
            raise client_error(operation, "EntityNotFoundException", f"Database {name} not found.")
        return self.databases[name]

    def get_database(self, Name: str) -> Answer:
        return {"Database": self._database("GetDatabase", Name)}

    def get_databases(self, MaxResults: int = PAGE, NextToken: str = "") -> Answer:
        _at_most("GetDatabases", MaxResults, 100, "MaxResults")
        return _page("DatabaseList", list(self.databases.values()), NextToken)

    def create_database(self, DatabaseInput: Answer) -> Answer:
        _check_description("CreateDatabase", DatabaseInput)
        if DatabaseInput["Name"] in self.databases:
            raise client_error("CreateDatabase", "AlreadyExistsException")
        self.databases[DatabaseInput["Name"]] = DatabaseInput
        return {}

    def update_database(self, Name: str, DatabaseInput: Answer) -> Answer:
        self._database("UpdateDatabase", Name)
        _check_description("UpdateDatabase", DatabaseInput)
        self.databases[Name] = DatabaseInput
        return {}

    def delete_database(self, Name: str) -> Answer:
        self._database("DeleteDatabase", Name)
        del self.databases[Name]
        return {}

    # tables

    def _table(self, operation: str, database: str, name: str) -> Answer:
        if (database, name) not in self.tables:
            raise client_error(operation, "EntityNotFoundException", f"Table {name} not found.")
        return self.tables[database, name]

    def get_table(self, DatabaseName: str, Name: str) -> Answer:
        return {"Table": self._table("GetTable", DatabaseName, Name)}

    def get_tables(
        self, DatabaseName: str, MaxResults: int = PAGE, NextToken: str = "", Expression: str = ""
    ) -> Answer:
        self._database("GetTables", DatabaseName)
        _at_most("GetTables", MaxResults, 100, "MaxResults")
        tables = [
            table
            for (database, name), table in self.tables.items()
            if database == DatabaseName and re.match(Expression, name)
        ]
        return _page("TableList", tables, NextToken)

    def create_table(self, DatabaseName: str, TableInput: Answer) -> Answer:
        self._database("CreateTable", DatabaseName)
        _check_table("CreateTable", TableInput)
        key = (DatabaseName, TableInput["Name"])
        if key in self.tables:
            raise client_error("CreateTable", "AlreadyExistsException", "Table already exists.")
        self.tables[key] = {
            **TableInput,
            "DatabaseName": DatabaseName,
            "CreateTime": datetime(2026, 1, 2, tzinfo=UTC),
            "VersionId": "0",
        }
        self.partitions[key] = {}
        return {}

    def update_table(
        self, DatabaseName: str, TableInput: Answer, SkipArchive: bool = False, VersionId: str = ""
    ) -> Answer:
        current = self._table("UpdateTable", DatabaseName, TableInput["Name"])
        _check_table("UpdateTable", TableInput)
        if VersionId and VersionId != current["VersionId"]:
            raise client_error("UpdateTable", "ConcurrentModificationException")
        self.tables[DatabaseName, TableInput["Name"]] = {
            **TableInput,
            "DatabaseName": DatabaseName,
            "CreateTime": current["CreateTime"],
            "VersionId": str(int(current["VersionId"]) + 1),
        }
        return {}

    def delete_table(self, DatabaseName: str, Name: str) -> Answer:
        self._table("DeleteTable", DatabaseName, Name)
        del self.tables[DatabaseName, Name]
        del self.partitions[DatabaseName, Name]
        return {}

    # partitions

    def get_partitions(
        self,
        DatabaseName: str,
        TableName: str,
        Expression: str = "",
        ExcludeColumnSchema: bool = False,
        MaxResults: int = PAGE,
        NextToken: str = "",
    ) -> Answer:
        table = self._table("GetPartitions", DatabaseName, TableName)
        _at_most("GetPartitions", MaxResults, 1000, "MaxResults")
        _at_most("GetPartitions", len(Expression), 2048, "Expression")
        found = list(self.partitions[DatabaseName, TableName].values())
        if Expression:
            if not NextToken:
                self.expressions.append(Expression)
            test = PartitionFilter(Expression, SimpleNamespace(versions={"1": table}))
            try:
                found = [p for p in found if test(SimpleNamespace(partition_input=p))]
            except GlueClientError as error:
                raise client_error("GetPartitions", error.error_type, error.message) from error
        if ExcludeColumnSchema:
            found = [_without_columns(partition) for partition in found]
        return _page("Partitions", found, NextToken)

    def get_partition(self, DatabaseName: str, TableName: str, PartitionValues: Any) -> Answer:
        self._table("GetPartition", DatabaseName, TableName)
        held = self.partitions[DatabaseName, TableName]
        if tuple(PartitionValues) not in held:
            raise client_error("GetPartition", "EntityNotFoundException", "Cannot find partition.")
        return {"Partition": held[tuple(PartitionValues)]}

    def batch_get_partition(
        self, DatabaseName: str, TableName: str, PartitionsToGet: Any
    ) -> Answer:
        self._table("BatchGetPartition", DatabaseName, TableName)
        _at_most("BatchGetPartition", len(PartitionsToGet), 1000, "PartitionsToGet")
        held = self.partitions[DatabaseName, TableName]
        found, unprocessed = [], []
        for key in PartitionsToGet:
            values = tuple(key["Values"])
            if self._fault("batch_get_partition", values):
                unprocessed.append(key)
            elif values in held:
                found.append(held[values])
        return {"Partitions": found, "UnprocessedKeys": unprocessed}

    def batch_create_partition(
        self, DatabaseName: str, TableName: str, PartitionInputList: Any
    ) -> Answer:
        self._table("BatchCreatePartition", DatabaseName, TableName)
        _at_most("BatchCreatePartition", len(PartitionInputList), 100, "PartitionInputList")
        held, errors = self.partitions[DatabaseName, TableName], []
        for made in PartitionInputList:
            _check_columns("BatchCreatePartition", made["StorageDescriptor"].get("Columns"))
            values = tuple(made["Values"])
            code = self._fault("batch_create_partition", values) or (
                "AlreadyExistsException" if values in held else None
            )
            if code:
                errors.append(_entry_error("PartitionValues", values, code))
            else:
                held[values] = made
        return {"Errors": errors}

    def batch_update_partition(self, DatabaseName: str, TableName: str, Entries: Any) -> Answer:
        self._table("BatchUpdatePartition", DatabaseName, TableName)
        _at_most("BatchUpdatePartition", len(Entries), 100, "Entries")
        held, errors = self.partitions[DatabaseName, TableName], []
        for entry in Entries:
            values = tuple(entry["PartitionValueList"])
            code = self._fault("batch_update_partition", values) or (
                None if values in held else "EntityNotFoundException"
            )
            if code:
                errors.append(_entry_error("PartitionValueList", values, code))
            else:
                held[values] = entry["PartitionInput"]
        return {"Errors": errors}

    def batch_delete_partition(
        self, DatabaseName: str, TableName: str, PartitionsToDelete: Any
    ) -> Answer:
        self._table("BatchDeletePartition", DatabaseName, TableName)
        _at_most("BatchDeletePartition", len(PartitionsToDelete), 25, "PartitionsToDelete")
        held, errors = self.partitions[DatabaseName, TableName], []
        for key in PartitionsToDelete:
            values = tuple(key["Values"])
            code = self._fault("batch_delete_partition", values) or (
                None if values in held else "EntityNotFoundException"
            )
            if code:
                errors.append(_entry_error("PartitionValues", values, code))
            else:
                del held[values]
        return {"Errors": errors}

    def update_partition(
        self, DatabaseName: str, TableName: str, PartitionValueList: Any, PartitionInput: Answer
    ) -> Answer:
        held = self.partitions[DatabaseName, TableName]
        if tuple(PartitionValueList) not in held:
            raise client_error("UpdatePartition", "EntityNotFoundException")
        del held[tuple(PartitionValueList)]
        held[tuple(PartitionInput["Values"])] = PartitionInput
        return {}

    def _fault(self, operation: str, values: tuple[str, ...]) -> str | None:
        codes = self.entry_faults.get((operation, values))
        return codes.pop(0) if codes else None

    # functions

    def get_user_defined_function(self, DatabaseName: str, FunctionName: str) -> Answer:
        if (DatabaseName, FunctionName) not in self.functions:
            raise client_error("GetUserDefinedFunction", "EntityNotFoundException")
        return {"UserDefinedFunction": self.functions[DatabaseName, FunctionName]}

    def get_user_defined_functions(
        self, Pattern: str, DatabaseName: str = "", NextToken: str = ""
    ) -> Answer:
        found = [
            function
            for (database, name), function in self.functions.items()
            if DatabaseName in ("", database) and re.fullmatch(Pattern, name)
        ]
        return _page("UserDefinedFunctions", found, NextToken)

    def create_user_defined_function(self, DatabaseName: str, FunctionInput: Answer) -> Answer:
        self._database("CreateUserDefinedFunction", DatabaseName)
        key = (DatabaseName, FunctionInput["FunctionName"])
        if key in self.functions:
            raise client_error("CreateUserDefinedFunction", "AlreadyExistsException")
        self.functions[key] = {**FunctionInput, "DatabaseName": DatabaseName}
        return {}

    def update_user_defined_function(
        self, DatabaseName: str, FunctionName: str, FunctionInput: Answer
    ) -> Answer:
        self.get_user_defined_function(DatabaseName=DatabaseName, FunctionName=FunctionName)
        self.functions[DatabaseName, FunctionName] = {
            **FunctionInput,
            "DatabaseName": DatabaseName,
        }
        return {}

    def delete_user_defined_function(self, DatabaseName: str, FunctionName: str) -> Answer:
        self.get_user_defined_function(DatabaseName=DatabaseName, FunctionName=FunctionName)
        del self.functions[DatabaseName, FunctionName]
        return {}


def _page(name: str, items: list[Answer], token: str) -> Answer:
    start = int(token or 0)
    more = {"NextToken": str(start + PAGE)} if start + PAGE < len(items) else {}
    return {name: items[start : start + PAGE], **more}


def _at_most(operation: str, size: int, limit: int, what: str) -> None:
    if size > limit:
        raise client_error(operation, "ValidationException", f"{what} is {size}, over {limit}")


def _check_table(operation: str, table: Answer) -> None:
    _check_description(operation, table)
    _check_columns(operation, table.get("PartitionKeys"))
    _check_columns(operation, (table.get("StorageDescriptor") or {}).get("Columns"))


def _check_description(operation: str, made: Answer) -> None:
    _at_most(
        operation, len(made.get("Description", "").encode("utf-16-le")) // 2, 2048, "Description"
    )


def _check_columns(operation: str, columns: Any) -> None:
    for column in columns or ():
        comment = column.get("Comment", "")
        _at_most(operation, len(comment.encode("utf-16-le")) // 2, 255, "Comment")
        if not _COMMENT.fullmatch(comment):
            raise client_error(operation, "ValidationException", "Comment is not one line")


def _entry_error(key: str, values: tuple[str, ...], code: str) -> Answer:
    return {key: list(values), "ErrorDetail": {"ErrorCode": code, "ErrorMessage": "stub"}}


def _without_columns(partition: Answer) -> Answer:
    descriptor = dict(partition.get("StorageDescriptor") or {})
    descriptor.pop("Columns", None)
    return {**partition, "StorageDescriptor": descriptor}
