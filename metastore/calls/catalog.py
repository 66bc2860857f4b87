"""The catalog as the calls see it: Glue behind the cache, and the files.

Comes in: names in any case. Goes out: Glue's dictionaries, which nobody may change. Every write
of a database or table goes through `writing_…`, so that the cache cannot miss one.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import structlog

from metastore.cache import Cache
from metastore.files import Files, FilesFailed, UnsafeLocation
from metastore.glue import Glue, NotFound
from metastore.meter import Meter

log = structlog.get_logger("metastore")

MISSING_SECONDS = 0.5
"""How long it is remembered that there is no such table: Spark asks up to three times before it makes
one. Short, so that who waits for another's table hardly waits longer."""

Database = Mapping[str, Any]
Table = Mapping[str, Any]


class Catalog:
    """One per process; thread-safe."""

    def __init__(
        self,
        glue: Glue,
        files: Files,
        warehouse: str,
        cache_seconds: float,
        meter: Meter | None = None,
    ) -> None:
        self.glue = glue
        self.files = files
        self.warehouse = warehouse.rstrip("/")
        """Where databases lie that name no location."""
        self._meter = told = meter or Meter()
        self._databases: Cache[str, Database] = Cache(
            cache_seconds, looked=lambda hit: told.cache("databases", hit)
        )
        self._tables: Cache[tuple[str, str], Table] = Cache(
            cache_seconds, looked=lambda hit: told.cache("tables", hit)
        )
        self._missing: Cache[tuple[str, str], NotFound] = Cache(min(cache_seconds, MISSING_SECONDS))

    def database(self, name: str) -> Database:
        """Raises NotFound."""
        name = name.lower()
        return self._databases.get(name, lambda: self.glue.get_database(name))

    def table(self, database: str, name: str) -> Table:
        """A table as it was at most the cache's seconds ago. Raises NotFound."""
        key = (database.lower(), name.lower())
        if missing := self._missing.peek(key):
            self._meter.cache("tables", True)
            raise NotFound(missing.operation, missing.code, missing.said)
        with self._missing.reading() as reading:
            try:
                return self._tables.get(key, lambda: self.glue.get_table(*key))
            except NotFound as error:
                reading.keep(key, error)
                raise

    def table_now(self, database: str, name: str) -> Table:
        """A table as Glue has it now. Raises NotFound."""
        return self.glue.get_table(database.lower(), name.lower())

    def table_shown(self, database: str, name: str) -> Table | None:
        """The table that clients were last shown, if that is not longer ago than the cache lasts."""
        return self._tables.peek((database.lower(), name.lower()))

    def tables(self, database: str, names: str | None = None) -> list[Table]:
        """A database's tables as Glue has them now, or those of `names`, as `a|b`.

        Each is remembered, since clients ask for them next.
        """
        database = database.lower()
        with self._tables.reading() as reading:
            tables: list[Table] = list(self.glue.list_tables(database, names))
            for table in tables:
                reading.keep((database, table["Name"]), table)
        self._missing.forget(*((database, table["Name"]) for table in tables))
        return tables

    def writing_database(self, name: str) -> AbstractContextManager[None]:
        """Around every write of a database."""
        return self._databases.writing(name.lower())

    @contextmanager
    def writing_table(self, *names: tuple[str, str]) -> Iterator[None]:
        """Around every write of tables, given as (database, table)."""
        keys = [(database.lower(), table.lower()) for database, table in names]
        with self._tables.writing(*keys), self._missing.writing(*keys):
            yield

    def forget(self) -> None:
        """Forget all that is remembered."""
        self._databases.clear()
        self._tables.clear()
        self._missing.clear()

    def location_of_database(self, name: str) -> str:
        """Where a database's managed tables lie. Raises NotFound."""
        location = self.database(name).get("LocationUri")
        return str(location or f"{self.warehouse}/{name.lower()}").rstrip("/")

    def default_location(self, database: str, table: str) -> str:
        """Where a managed table lies if nobody says otherwise. Raises NotFound."""
        return f"{self.location_of_database(database)}/{table.lower()}"

    def delete_files(self, location: str | None, within: str | None) -> None:
        """Delete what the catalog no longer names.

        The catalog's change is done by then, so a failure is logged, with what is left behind.
        """
        if not location or not within:
            return
        try:
            count = self.files.delete(location, within)
            log.info("files deleted", location=location, count=count)
        except (UnsafeLocation, FilesFailed) as error:
            log.error("files left behind", location=location, reason=str(error))


def pattern(text: str | None) -> re.Pattern[str]:
    """Hive's name pattern: `*` (or `.*`) any run, `|` between alternatives, in any case."""
    alternatives = (text or "*").lower().replace(".*", "*").split("|")
    spelt = ("".join(_SPELT.get(c, re.escape(c)) for c in part.strip()) for part in alternatives)
    return re.compile("|".join(f"(?:{part})" for part in spelt))


_SPELT = {"*": ".*", ".": "."}
"""`.` is what Hive's JDBC side makes of SQL's `_`."""
