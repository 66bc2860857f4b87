"""Spark's words for a raw table: its schema as JSON and its datasource properties.

Comes in: columns in Hive's types. Goes out: table parameters that make open-source Spark read the
table with its own JSON reader, typed, with `_corrupt_record` for what does not fit. Pure.
Format: org.apache.spark.sql.types.DataType.fromJson, and HiveExternalCatalog's properties.
"""

import json
from collections.abc import Sequence
from typing import Any

from datacore.contracts.hive import HiveType, parse_hive_type

Column = tuple[str, str, str]
"""Name, Hive type and comment."""

CORRUPT: Column = (
    "_corrupt_record", "string", "The whole line, where a value does not fit its column."
)  # fmt: skip
"""A column that only Spark has."""

SPARK_SCALARS = {"bigint": "long", "int": "integer", "smallint": "short", "tinyint": "byte"}


def spark_type(hive: HiveType) -> Any:
    """A Hive type as Spark's schema JSON has it."""
    match hive.base:
        case "array":
            return {"type": "array", "elementType": spark_type(hive.parts[0]), "containsNull": True}
        case "map":
            return {
                "type": "map",
                "keyType": spark_type(hive.parts[0]),
                "valueType": spark_type(hive.parts[1]),
                "valueContainsNull": True,
            }
        case "struct":
            pairs = zip(hive.fields, hive.parts, strict=True)
            return {"type": "struct", "fields": [_field(name, part, "") for name, part in pairs]}
        case "decimal":
            return str(hive)
        case base:
            return SPARK_SCALARS.get(base, base)


def _field(name: str, hive: HiveType, comment: str) -> dict[str, Any]:
    metadata = {"comment": comment} if comment else {}
    return {"name": name, "type": spark_type(hive), "nullable": True, "metadata": metadata}


def datasource(
    provider: str, columns: Sequence[Column], partitions: Sequence[Column]
) -> dict[str, str]:
    """Table parameters of a Spark datasource table."""
    fields = [
        _field(name, parse_hive_type(kind), comment)
        for name, kind, comment in (*columns, *partitions)
    ]
    parameters = {
        "spark.sql.sources.provider": provider,
        "spark.sql.partitionProvider": "catalog",
        "spark.sql.sources.schema": json.dumps(
            {"type": "struct", "fields": fields}, separators=(",", ":")
        ),
        "spark.sql.sources.schema.numPartCols": str(len(partitions)),
    }
    for place, (name, _, _) in enumerate(partitions):
        parameters[f"spark.sql.sources.schema.partCol.{place}"] = name
    return parameters
