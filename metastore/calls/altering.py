"""Calls that change a table in place. A change of name is a move: `metastore.calls.renaming`; a table's
partitions can be given other locations the same way: `metastore.calls.relocating`.

A client changes a table by sending all of it back. So that nobody's change is lost, Glue is told to
replace the version that clients were last shown. Where that is not the newest any more, the table is read
and must still be what was shown (but for statistics); where another write comes between, it is read and
judged again.

Hive has no statement that takes columns away from a table of Spark's. So a table can become another one,
in one write: `alter table t set tblproperties ('datacore.becomes' = 'made_beside')`. So can a view,
which Spark's `create or replace view` drops first.
"""

from collections.abc import Mapping
from typing import Any

from hmsclient.genthrift.hive_metastore import ttypes

from metastore.calls.catalog import Catalog, Table, log
from metastore.calls.relocating import RELOCATE, relocate_partitions
from metastore.calls.renaming import rename_table
from metastore.calls.tables import changed_now, is_statistic
from metastore.glue import Changed
from metastore.translate.tables import VIEW, is_managed, table_to_glue, table_to_hive

BECOMES = "datacore.becomes"
"""A parameter that asks: give the table all that this external table of the same database has, but its
name and its partitions; or a view all that this view has. It is carried out, and not kept."""

_ATTEMPTS = 5
_EXPECTED_KEY = "expected_parameter_key"
_EXPECTED_VALUE = "expected_parameter_value"
"""HIVE-26882: a client's own compare-and-set, used by Iceberg."""


class AlterCalls:
    """ALTER TABLE and ALTER VIEW."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def alter_table(self, database: str, name: str, table: Any) -> None:
        self.alter_table_with_environment_context(database, name, table, None)

    def alter_table_with_cascade(self, database: str, name: str, table: Any, cascade: bool) -> None:
        """Partitions are shown with their table's columns, so there is nothing to cascade to."""
        self.alter_table_with_environment_context(database, name, table, None)

    def alter_table_with_environment_context(
        self, database: str, name: str, table: Any, context: Any
    ) -> None:
        table.dbName = table.dbName or database
        if (table.dbName.lower(), table.tableName.lower()) != (database.lower(), name.lower()):
            rename_table(self._catalog, database, name, table)
            return
        if asked := (table.parameters or {}).get(RELOCATE):
            relocate_partitions(self._catalog, database, name, asked)
            return
        expected = (context.properties if context else None) or {}
        if other := (table.parameters or {}).get(BECOMES):
            table = self._become(table, other)
        shown = self._catalog.table_shown(database, name)
        table.parameters = changed_now(table.parameters)
        with self._catalog.writing_table((database, name)):
            if shown is not None and shown.get("VersionId") and not expected:
                try:
                    self._replace(shown, table)
                    return
                except Changed:
                    log.info("another version than was shown", table=f"{database}.{name}")
            for attempt in range(_ATTEMPTS):
                current = self._catalog.table_now(database, name)
                _check_expected(current, expected)
                _check_shown(current, shown)
                try:
                    self._replace(current, table)
                    return
                except Changed:
                    if attempt == _ATTEMPTS - 1:
                        raise

    def _become(self, table: Any, other: str) -> Any:
        """Hive's `table` as the table `other` is, but for its name. Files are neither moved nor deleted.

        Raises InvalidOperationException where one is a view and the other none, for a managed table, whose
        files would go when it is dropped, and for other partition keys.
        """
        found = self._catalog.table_now(table.dbName, other)
        made = table_to_hive(found)
        wanted_type = "view" if table.tableType == VIEW else "external table"
        if (made.tableType == VIEW) != (table.tableType == VIEW) or is_managed(found):
            raise ttypes.InvalidOperationException(
                f"{table.dbName}.{table.tableName} cannot become {other}, which is no {wanted_type}"
                + ("" if table.tableType == VIEW else "; make it with a location")
            )
        keys, wanted = (
            [(key.name, key.type) for key in one.partitionKeys or ()] for one in (table, made)
        )
        if keys != wanted:
            raise ttypes.InvalidOperationException(
                f"{table.dbName}.{table.tableName} cannot become {other}: its partitions have the keys "
                f"{keys}, and those of the other {wanted}"
            )
        made.tableName = table.tableName
        return made

    def _replace(self, current: Table, table: Any) -> None:
        """Put Hive's `table` in the place of Glue's `current`. Raises Changed."""
        self._catalog.glue.update_table(
            current["DatabaseName"], table_to_glue(table, current), current.get("VersionId")
        )


def _check_expected(current: Table, expected: Mapping[str, str]) -> None:
    key = expected.get(_EXPECTED_KEY)
    if key is None:
        return
    value = (current.get("Parameters") or {}).get(key)
    if value != expected.get(_EXPECTED_VALUE):
        raise ttypes.MetaException(
            f"The table has been modified. The parameter value for key '{key}' is '{value}'. "
            f"The expected was value was '{expected.get(_EXPECTED_VALUE)}'"
        )


def _check_shown(current: Table, shown: Table | None) -> None:
    if shown is not None and _meaning(current) != _meaning(shown):
        raise ttypes.MetaException(
            f"{current['DatabaseName']}.{current['Name']} was changed in Glue since it was read; "
            "nothing was written, run the statement again"
        )


def _meaning(table: Table) -> dict[str, Any]:
    """All of a table that a client writes back, but for times and statistics."""
    return {
        **{
            name: table.get(name)
            for name in (
                "Description",
                "StorageDescriptor",
                "PartitionKeys",
                "TableType",
                "ViewOriginalText",
                "ViewExpandedText",
            )
        },
        "Parameters": {
            name: value
            for name, value in (table.get("Parameters") or {}).items()
            if not is_statistic(name)
        },
    }
