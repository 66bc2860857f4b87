"""Partitions, both ways, and their names.

A partition is shown with its table's columns: Glue is asked without them, since a thousand copies
of a schema are most of a page's bytes.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from hmsclient.genthrift.hive_metastore import ttypes

from metastore.filters import PartitionKey
from metastore.filters.matching import DEFAULT_PARTITION
from metastore.translate.columns import columns_to_hive, hive_type
from metastore.translate.limits import visible
from metastore.translate.storage import hidden_serde, storage_to_glue, storage_to_hive
from metastore.translate.tables import seconds

_ESCAPED = frozenset("\"#%'*/:=?\\\x7f{[]^") | {chr(code) for code in range(0x20)}
"""Hive's FileUtils.charToEscape."""


def partition_keys(table: Mapping[str, Any]) -> tuple[PartitionKey, ...]:
    """The partition columns of a Glue table."""
    return tuple(
        PartitionKey(key["Name"].lower(), hive_type((key.get("Type") or "string").lower()))
        for key in table.get("PartitionKeys") or ()
    )


def partition_name(keys: Sequence[PartitionKey], values: Sequence[str]) -> str:
    """`dt=2026-01-02/hour=05`, escaped as Hive escapes directory names."""
    return "/".join(
        f"{_escape(key.name)}={_escape(value or DEFAULT_PARTITION)}"
        for key, value in zip(keys, values, strict=True)
    )


def _escape(text: str) -> str:
    return "".join(f"%{ord(c):02X}" if c in _ESCAPED else c for c in text)


def name_to_spec(name: str) -> dict[str, str]:
    """`dt=2026-01-02/hour=05` to its keys and values. Raises MetaException for another form."""
    spec: dict[str, str] = {}
    for part in name.split("/") if name else ():
        key, equals, value = part.partition("=")
        if not equals or not key:
            raise ttypes.MetaException(f"{name!r} is not a partition name (key=value/key=value)")
        spec[unquote(key)] = unquote(value)
    return spec


def name_to_values(name: str) -> list[str]:
    """The values of a partition's name, in its order."""
    return list(name_to_spec(name).values())


def partitions_to_hive(
    partitions: Sequence[Mapping[str, Any]], table: Mapping[str, Any]
) -> list[Any]:
    """Partitions of the Glue table `table` as Hive's `Partition`s."""
    columns = (table.get("StorageDescriptor") or {}).get("Columns")
    fields = columns_to_hive(columns, table.get("Parameters") or {})
    hidden = hidden_serde(table)
    return [
        ttypes.Partition(
            values=list(partition["Values"]),
            dbName=table["DatabaseName"],
            tableName=table["Name"],
            createTime=seconds(partition.get("CreationTime")),
            lastAccessTime=seconds(partition.get("LastAccessTime")),
            sd=storage_to_hive(partition.get("StorageDescriptor"), fields, hidden),
            parameters=visible(partition.get("Parameters")),
        )
        for partition in partitions
    ]


def partition_to_glue(partition: Any, table: Mapping[str, Any]) -> dict[str, Any]:
    """Hive's `Partition` as Glue's `PartitionInput`."""
    return {
        "Values": list(partition.values),
        "StorageDescriptor": storage_to_glue(partition.sd, hidden_serde(table)),
        "Parameters": visible(partition.parameters),
    }


def partition_input(partition: Mapping[str, Any]) -> dict[str, Any]:
    """A partition as Glue gave it, as the input that would make it again."""
    kept = ("Values", "StorageDescriptor", "Parameters", "LastAccessTime", "LastAnalyzedTime")
    return {name: partition[name] for name in kept if name in partition}
