"""Calls that read partitions: all, by name, by a part of their values, by a filter.

Glue's expression narrows what is fetched; the exact test decides what is answered. Where Glue
does not take the expression (a default partition under a date key is enough), all are fetched.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from hmsclient.genthrift.hive_metastore import ttypes

from metastore.calls.catalog import Catalog, Table, log
from metastore.filters import (
    Condition,
    FilterError,
    PartitionKey,
    matcher,
    parse,
    to_expression,
)
from metastore.filters.tree import All, Comparison
from metastore.glue import InvalidRequest
from metastore.translate.partitions import (
    name_to_spec,
    name_to_values,
    partition_keys,
    partition_name,
    partitions_to_hive,
)

Partition = dict[str, Any]


class PartitionReadCalls:
    """Partitions of one table, sorted by name as Hive sorts them."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    # all

    def get_partitions(self, database: str, name: str, limit: int) -> list[Any]:
        return self._answer(database, name, limit, self._every)

    def get_partitions_with_auth(
        self, database: str, name: str, limit: int, user: str, groups: list[str]
    ) -> list[Any]:
        return self.get_partitions(database, name, limit)

    def get_partition_names(self, database: str, name: str, limit: int) -> list[str]:
        return self._names(database, name, limit, self._every)

    # one

    def get_partition(self, database: str, name: str, values: list[str]) -> Any:
        table = self._catalog.table(database, name)
        found = self._catalog.glue.get_partition(database.lower(), name.lower(), values)
        return partitions_to_hive([found], table)[0]

    def get_partition_with_auth(
        self, database: str, name: str, values: list[str], user: str, groups: list[str]
    ) -> Any:
        return self.get_partition(database, name, values)

    def get_partition_by_name(self, database: str, name: str, partition: str) -> Any:
        return self.get_partition(database, name, name_to_values(partition))

    def get_partitions_by_names(self, database: str, name: str, partitions: list[str]) -> list[Any]:
        wanted = [name_to_values(partition) for partition in partitions]
        return self._answer(
            database,
            name,
            -1,
            lambda table: self._catalog.glue.get_partitions(*_id(table), wanted),
        )

    # by a part of the values

    def get_partitions_ps(
        self, database: str, name: str, values: list[str], limit: int
    ) -> list[Any]:
        return self._answer(database, name, limit, lambda table: self._by_values(table, values))

    def get_partitions_ps_with_auth(
        self, database: str, name: str, values: list[str], limit: int, user: str, groups: list[str]
    ) -> list[Any]:
        return self.get_partitions_ps(database, name, values, limit)

    def get_partition_names_ps(
        self, database: str, name: str, values: list[str], limit: int
    ) -> list[str]:
        return self._names(database, name, limit, lambda table: self._by_values(table, values))

    # by a filter

    def get_partitions_by_filter(
        self, database: str, name: str, text: str, limit: int
    ) -> list[Any]:
        return self._answer(database, name, limit, lambda table: self._by_filter(table, text))

    def get_num_partitions_by_filter(self, database: str, name: str, text: str) -> int:
        table = self._catalog.table(database, name)
        return sum(1 for _ in self._by_filter(table, text))

    # names

    def partition_name_to_vals(self, name: str) -> list[str]:
        return name_to_values(name)

    def partition_name_to_spec(self, name: str) -> dict[str, str]:
        return name_to_spec(name)

    def partition_name_has_valid_characters(self, values: list[str], throw: bool) -> bool:
        """Any value can be escaped, so all are valid; commas and such are no concern here."""
        return True

    # how

    def _answer(
        self,
        database: str,
        name: str,
        limit: int,
        find: Callable[[Table], Iterable[Partition]],
    ) -> list[Any]:
        table = self._catalog.table(database, name)
        return partitions_to_hive(self._sorted(table, find(table), limit), table)

    def _names(
        self,
        database: str,
        name: str,
        limit: int,
        find: Callable[[Table], Iterable[Partition]],
    ) -> list[str]:
        table = self._catalog.table(database, name)
        keys = partition_keys(table)
        found = self._sorted(table, find(table), limit)
        return [partition_name(keys, partition["Values"]) for partition in found]

    def _sorted(self, table: Table, found: Iterable[Partition], limit: int) -> list[Partition]:
        """The first `limit` by name; below 0, all. Glue's own order is not promised to be that."""
        keys = partition_keys(table)
        ordered = sorted(found, key=lambda partition: partition_name(keys, partition["Values"]))
        return ordered if limit < 0 else list(islice(ordered, limit))

    def _every(self, table: Table) -> Iterator[Partition]:
        return self._catalog.glue.list_partitions(*_id(table))

    def _by_filter(self, table: Table, text: str | None) -> Iterable[Partition]:
        """Raises FilterError, before Glue is asked, for a filter that does not fit the table."""
        if not text or not text.strip():
            return self._every(table)
        condition, keys = parse(text), partition_keys(table)
        test = matcher(condition, keys)
        fetched = self._fetch(table, to_expression(condition, keys))
        return (partition for partition in fetched if test(partition["Values"]))

    def _by_values(self, table: Table, values: Sequence[str | None]) -> Iterable[Partition]:
        """Partitions whose values begin with `values`; an empty value stands for any."""
        keys = partition_keys(table)
        if len(values) > len(keys):
            raise ttypes.MetaException(
                f"{len(values)} values for the {len(keys)} partition columns of {table['Name']}"
            )
        wanted = {position: value for position, value in enumerate(values) if value}
        fetched = self._fetch(table, _equalities(keys, wanted))
        return (
            partition
            for partition in fetched
            if all(partition["Values"][position] == value for position, value in wanted.items())
        )

    def _fetch(self, table: Table, expression: str | None) -> list[Partition]:
        glue = self._catalog.glue
        if expression:
            try:
                return list(glue.list_partitions(*_id(table), expression))
            except InvalidRequest as error:
                log.warning("all partitions fetched", expression=expression, reason=str(error))
        return list(glue.list_partitions(*_id(table)))


def _id(table: Table) -> tuple[str, str]:
    return table["DatabaseName"], table["Name"]


def _equalities(keys: Sequence[PartitionKey], wanted: dict[int, str]) -> str | None:
    """An expression for the values, or None where a value is not one of its key's type."""
    if not wanted:
        return None
    parts: tuple[Condition, ...] = tuple(
        Comparison(keys[position].name, "=", value) for position, value in wanted.items()
    )
    try:
        return to_expression(All(parts) if len(parts) > 1 else parts[0], keys)
    except FilterError:
        return None
