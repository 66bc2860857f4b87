"""Tables and views, both ways.

Hive keeps a table's comment as the parameter `comment` and Glue as its description: the parameter
stays whole in Glue too, the description follows it, and an edit of either is seen.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hmsclient.genthrift.hive_metastore import ttypes

from metastore.translate.columns import columns_to_glue, columns_to_hive, long_comments
from metastore.translate.limits import description, visible
from metastore.translate.storage import hidden_serde, storage_to_glue, storage_to_hive

EXTERNAL = "EXTERNAL_TABLE"
MANAGED = "MANAGED_TABLE"
VIEW = "VIRTUAL_VIEW"

_ONLY_GLUE_KNOWS = ("LastAnalyzedTime", "TargetTable")


def seconds(moment: datetime | None) -> int:
    """Glue's time as Hive's: seconds since 1970, 0 for none."""
    return int(moment.timestamp()) if moment else 0


def is_managed(table: Mapping[str, Any]) -> bool:
    """Whether the metastore owns the table's files. Any sign of `external` says no."""
    parameters = table.get("Parameters") or {}
    external = str(parameters.get("EXTERNAL", "")).upper() == "TRUE"
    return table.get("TableType") == MANAGED and not external


def table_to_hive(table: Mapping[str, Any]) -> Any:
    """A table of Glue as Hive's `Table`."""
    parameters = table.get("Parameters") or {}
    shown = visible(parameters)
    comment = table.get("Description")
    if comment and description(shown.get("comment", "")) != comment:
        shown["comment"] = comment
    table_type = table.get("TableType") or EXTERNAL
    if table_type == EXTERNAL:
        shown.setdefault("EXTERNAL", "TRUE")
    storage = table.get("StorageDescriptor") or {}
    return ttypes.Table(
        tableName=table["Name"],
        dbName=table["DatabaseName"],
        owner=table.get("Owner") or "",
        createTime=seconds(table.get("CreateTime")),
        lastAccessTime=seconds(table.get("LastAccessTime")),
        retention=table.get("Retention", 0),
        sd=storage_to_hive(
            storage, columns_to_hive(storage.get("Columns"), parameters), hidden_serde(table)
        ),
        partitionKeys=columns_to_hive(table.get("PartitionKeys"), parameters),
        parameters=shown,
        viewOriginalText=table.get("ViewOriginalText"),
        viewExpandedText=table.get("ViewExpandedText"),
        tableType=table_type,
        rewriteEnabled=False,
    )


def table_to_glue(table: Any, current: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Hive's `Table` as Glue's `TableInput`.

    `current` is the table that it replaces, as Glue has it: what only Glue knows is kept from it.
    """
    current = current or {}
    parameters = visible(table.parameters)
    table_type = table.tableType or MANAGED
    if table_type == MANAGED and parameters.get("EXTERNAL", "").upper() == "TRUE":
        table_type = EXTERNAL
    fields = [*(table.sd.cols or () if table.sd else ()), *(table.partitionKeys or ())]
    made: dict[str, Any] = {
        "Name": table.tableName.lower(),
        "Owner": table.owner or "",
        "Retention": max(table.retention or 0, 0),
        "PartitionKeys": columns_to_glue(table.partitionKeys),
        "TableType": table_type,
        "Parameters": {**parameters, **long_comments(fields)},
    }
    if table.sd:
        made["StorageDescriptor"] = storage_to_glue(
            table.sd, hidden_serde(current), current.get("StorageDescriptor")
        )
    optional = {
        "Description": description(parameters.get("comment", "")),
        "ViewOriginalText": table.viewOriginalText,
        "ViewExpandedText": table.viewExpandedText,
        "LastAccessTime": (table.lastAccessTime or None)
        and datetime.fromtimestamp(table.lastAccessTime, UTC),
        **{name: current.get(name) for name in _ONLY_GLUE_KNOWS},
    }
    return made | {name: value for name, value in optional.items() if value}
