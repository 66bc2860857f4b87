"""Calls about databases."""

from typing import Any

from hmsclient.genthrift.hive_metastore import ttypes

from metastore.calls.catalog import Catalog, pattern
from metastore.calls.tables import TableCalls
from metastore.translate.databases import database_to_glue, database_to_hive


class DatabaseCalls:
    """Databases of Glue. None is made up: Spark itself creates `default` where it is missing."""

    def __init__(self, catalog: Catalog, tables: TableCalls) -> None:
        self._catalog = catalog
        self._tables = tables

    def get_database(self, name: str) -> Any:
        """Spark cannot read a database without a location, and Athena makes such ones."""
        shown = database_to_hive(self._catalog.database(name))
        shown.locationUri = self._catalog.location_of_database(name)
        return shown

    def get_all_databases(self) -> list[str]:
        return sorted(database["Name"] for database in self._catalog.glue.list_databases())

    def get_databases(self, text: str) -> list[str]:
        wanted = pattern(text)
        return [name for name in self.get_all_databases() if wanted.fullmatch(name)]

    def create_database(self, database: Any) -> None:
        if not database.locationUri:
            database.locationUri = f"{self._catalog.warehouse}/{database.name.lower()}"
        with self._catalog.writing_database(database.name):
            self._catalog.glue.create_database(database_to_glue(database))
        self._catalog.files.make_directory(database.locationUri)

    def alter_database(self, name: str, database: Any) -> None:
        with self._catalog.writing_database(name):
            self._catalog.glue.update_database(name.lower(), database_to_glue(database))

    def drop_database(self, name: str, delete_data: bool, cascade: bool) -> None:
        """Tables go first, each with its own files; of the database's own directory nothing but
        an empty local directory is removed.
        """
        location = self._catalog.database(name).get("LocationUri")
        tables = self._catalog.tables(name)
        if tables and not cascade:
            raise ttypes.InvalidOperationException(
                f"Database {name} is not empty. One or more tables exist."
            )
        for table in tables:
            self._tables.drop_table(name, table["Name"], delete_data)
        with self._catalog.writing_database(name):
            self._catalog.glue.delete_database(name.lower())
        if delete_data and location:
            self._catalog.files.remove_empty_directory(location)
