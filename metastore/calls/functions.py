"""Calls about user-defined functions.

An endpoint that has no such calls (moto) is answered as a catalog without functions, so that an
unknown name in a query is just that; making one there says that it is not supported.
"""

from typing import Any

from hmsclient.genthrift.hive_metastore import ttypes

from metastore.calls.catalog import Catalog, pattern
from metastore.glue import NotFound, UnsupportedByEndpoint
from metastore.translate.functions import function_to_glue, function_to_hive


class FunctionCalls:
    """Permanent functions of Glue."""

    def __init__(self, catalog: Catalog) -> None:
        self._glue = catalog.glue

    def get_function(self, database: str, name: str) -> Any:
        """Spark knows a missing function by the words of Hive's message."""
        try:
            return function_to_hive(self._glue.get_function(database.lower(), name.lower()))
        except (NotFound, UnsupportedByEndpoint) as error:
            raise ttypes.NoSuchObjectException(
                f"Function {database}.{name} does not exist"
            ) from error

    def get_functions(self, database: str, text: str) -> list[str]:
        wanted = pattern(text)
        names = (function["FunctionName"] for function in self._list(database.lower()))
        return sorted(name for name in names if wanted.fullmatch(name.lower()))

    def get_all_functions(self) -> Any:
        return ttypes.GetAllFunctionsResponse([function_to_hive(f) for f in self._list(None)])

    def create_function(self, function: Any) -> None:
        self._glue.create_function(function.dbName.lower(), function_to_glue(function))

    def alter_function(self, database: str, name: str, function: Any) -> None:
        self._glue.update_function(database.lower(), name.lower(), function_to_glue(function))

    def drop_function(self, database: str, name: str) -> None:
        self._glue.delete_function(database.lower(), name.lower())

    def _list(self, database: str | None) -> list[dict[str, Any]]:
        try:
            return self._glue.list_functions(database)
        except UnsupportedByEndpoint:
            return []
