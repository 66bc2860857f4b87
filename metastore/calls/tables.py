"""Calls that read, make and drop tables and views. Altering: `metastore.calls.altering`."""

import re
from datetime import UTC, datetime
from typing import Any

from hmsclient.genthrift.hive_metastore import ttypes

from metastore.calls.catalog import Catalog, Table, log, pattern
from metastore.files import contains
from metastore.glue import NotFound
from metastore.translate.storage import PROVIDER
from metastore.translate.tables import EXTERNAL, VIEW, is_managed, table_to_glue, table_to_hive

CHANGED_AT = "transient_lastDdlTime"
"""Hive's parameter for the time of the last change, in seconds since 1970."""

_NAMES = re.compile(r"\w+(\|\w+)*", re.ASCII)
"""A pattern that means the same to Hive and, as a regular expression, to Glue."""


_STATISTICS = frozenset({CHANGED_AT, "numFiles", "totalSize", "numRows", "rawDataSize"})


def changed_now(parameters: dict[str, str] | None) -> dict[str, str]:
    """The parameters with the time of the change, where the client has not set it."""
    return {CHANGED_AT: str(int(datetime.now(UTC).timestamp())), **(parameters or {})}


def is_statistic(name: str) -> bool:
    """Whether a parameter tells of the files, or when it was written: as Hive and as Spark keep it."""
    return name in _STATISTICS or name.startswith("spark.sql.statistics.")


class TableCalls:
    """Tables and views of Glue."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    # one table

    def get_table(self, database: str, name: str) -> Any:
        return table_to_hive(self._catalog.table(database, name))

    def get_table_req(self, request: Any) -> Any:
        return ttypes.GetTableResult(self.get_table(request.dbName, request.tblName))

    def get_fields(self, database: str, name: str) -> list[Any]:
        fields: list[Any] = self.get_table(database, name).sd.cols
        return fields

    def get_fields_with_environment_context(
        self, database: str, name: str, context: Any
    ) -> list[Any]:
        return self.get_fields(database, name)

    def get_schema(self, database: str, name: str) -> list[Any]:
        table = self.get_table(database, name)
        return [*table.sd.cols, *table.partitionKeys]

    def get_schema_with_environment_context(
        self, database: str, name: str, context: Any
    ) -> list[Any]:
        return self.get_schema(database, name)

    # many tables

    def _matching(self, database: str, text: str | None) -> list[Table]:
        """Tables by a pattern of their name; a database that is missing has none, as in Hive.

        Names without a wildcard are looked for by Glue, however many tables the database has.
        """
        wanted = pattern(text)
        names = text.lower() if text and _NAMES.fullmatch(text) else None
        try:
            tables = self._catalog.tables(database, names)
        except NotFound:
            return []
        return [table for table in tables if wanted.fullmatch(table["Name"])]

    def get_all_tables(self, database: str) -> list[str]:
        return [table["Name"] for table in self._matching(database, None)]

    def get_tables(self, database: str, text: str) -> list[str]:
        return [table["Name"] for table in self._matching(database, text)]

    def get_tables_by_type(self, database: str, text: str, table_type: str) -> list[str]:
        return [
            table["Name"]
            for table in map(table_to_hive_type, self._matching(database, text))
            if table["TableType"] == table_type
        ]

    def get_table_objects_by_name(self, database: str, names: list[str]) -> list[Any]:
        """Those of the named tables that exist: one question each for a few, one list for many."""
        wanted = list(dict.fromkeys(name.lower() for name in names))
        if len(wanted) > 2:
            found = {table["Name"]: table for table in self._matching(database, None)}
            return [table_to_hive(found[name]) for name in wanted if name in found]
        tables = []
        for name in wanted:
            try:
                tables.append(self.get_table(database, name))
            except NotFound:
                continue
        return tables

    def get_table_objects_by_name_req(self, request: Any) -> Any:
        return ttypes.GetTablesResult(
            self.get_table_objects_by_name(request.dbName, request.tblNames or [])
        )

    def get_table_meta(self, databases: str, tables: str, types: list[str]) -> list[Any]:
        wanted = pattern(databases)
        return [
            ttypes.TableMeta(
                table.dbName, table.tableName, table.tableType, table.parameters.get("comment")
            )
            for database in self._catalog.glue.list_databases()
            if wanted.fullmatch(database["Name"])
            for table in map(table_to_hive, self._matching(database["Name"], tables))
            if not types or table.tableType in types
        ]

    # making and dropping

    def create_table(self, table: Any) -> None:
        if table.tableType != VIEW and table.sd and not table.sd.location:
            table.sd.location = self._catalog.default_location(table.dbName, table.tableName)
        table.parameters = changed_now(table.parameters)
        with self._catalog.writing_table((table.dbName, table.tableName)):
            self._catalog.glue.create_table(table.dbName.lower(), table_to_glue(table))
        if table.tableType != VIEW and table.sd and table.sd.location:
            # into a table of Hive's own (STORED AS) Spark writes only if its directory is there
            is_hives = PROVIDER not in table.parameters and table.tableType != EXTERNAL
            self._catalog.files.make_directory(table.sd.location, marked=is_hives)

    def create_table_with_environment_context(self, table: Any, context: Any) -> None:
        self.create_table(table)

    def create_table_with_constraints(
        self, table: Any, primary_keys: list[Any], foreign_keys: list[Any]
    ) -> None:
        if primary_keys or foreign_keys:
            raise ttypes.MetaException("constraints are not supported on Glue")
        self.create_table(table)

    def drop_table(self, database: str, name: str, delete_data: bool) -> None:
        """The files of a managed table go with it, unless its location holds the database's."""
        table = self._catalog.table_shown(database, name)
        if table is None or is_managed(
            table
        ):  # of any other nothing is deleted, whatever it is now
            table = self._catalog.table_now(database, name)
        with self._catalog.writing_table((database, name)):
            self._catalog.glue.delete_table(database.lower(), name.lower())
        if not delete_data or not is_managed(table):
            return
        location = (table.get("StorageDescriptor") or {}).get("Location")
        if location and contains(location, self._catalog.location_of_database(database)):
            log.error(
                "files left behind", location=location, reason="the whole database lies there"
            )
            return
        self._catalog.delete_files(location, within=location)

    def drop_table_with_environment_context(
        self, database: str, name: str, delete_data: bool, context: Any
    ) -> None:
        self.drop_table(database, name, delete_data)


def table_to_hive_type(table: Table) -> dict[str, str]:
    """Name and Hive's type of a Glue table."""
    hive = table_to_hive(table)
    return {"Name": hive.tableName, "TableType": hive.tableType}
