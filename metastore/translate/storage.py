"""Storage descriptors and SerDes, both ways, and the SerDe that Spark must not see.

A raw table carries the openx JSON SerDe for Athena, Trino and Spectrum, and
`spark.sql.sources.provider` for Spark, which reads by provider but still loads the SerDe's class,
and has no openx. So a table with a provider and a SerDe that Spark lacks is shown with
LazySimpleSerDe, and the real one is put back whenever the table or a partition is written.
"""

from collections.abc import Mapping
from typing import Any

from hmsclient.genthrift.hive_metastore import ttypes

from metastore.translate.columns import columns_to_glue
from metastore.translate.limits import visible

PROVIDER = "spark.sql.sources.provider"
LAZY_SIMPLE = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
SPARK_HAS = frozenset(
    {
        LAZY_SIMPLE,
        "org.apache.hadoop.hive.ql.io.orc.OrcSerde",
        "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
        "org.apache.hadoop.hive.serde2.OpenCSVSerde",
        "org.apache.hadoop.hive.serde2.RegexSerDe",
        "org.apache.hadoop.hive.serde2.avro.AvroSerDe",
        "org.apache.hadoop.hive.serde2.columnar.LazyBinaryColumnarSerDe",
        "org.apache.hadoop.hive.serde2.lazybinary.LazyBinarySerDe",
    }
)


def hidden_serde(table: Mapping[str, Any] | None) -> str | None:
    """The SerDe of a Glue table that Spark is not shown, or None."""
    table = table or {}
    library: str | None = _serde(table.get("StorageDescriptor")).get("SerializationLibrary")
    if library and library not in SPARK_HAS and PROVIDER in (table.get("Parameters") or {}):
        return library
    return None


def storage_to_hive(
    descriptor: Mapping[str, Any] | None, fields: list[Any], hidden: str | None
) -> Any:
    """A `StorageDescriptor` with the columns `fields`; the SerDe `hidden` is not shown."""
    descriptor = descriptor or {}
    serde = _serde(descriptor)
    library = serde.get("SerializationLibrary")
    return ttypes.StorageDescriptor(
        cols=fields,
        location=descriptor.get("Location"),
        inputFormat=descriptor.get("InputFormat"),
        outputFormat=descriptor.get("OutputFormat"),
        compressed=descriptor.get("Compressed", False),
        numBuckets=descriptor.get("NumberOfBuckets", 0),
        serdeInfo=ttypes.SerDeInfo(
            serde.get("Name"),
            LAZY_SIMPLE if hidden and library == hidden else library,
            dict(serde.get("Parameters") or {}),
        ),
        bucketCols=list(descriptor.get("BucketColumns") or ()),
        sortCols=[
            ttypes.Order(order["Column"], order.get("SortOrder", 1))
            for order in descriptor.get("SortColumns") or ()
        ],
        parameters=dict(descriptor.get("Parameters") or {}),
        skewedInfo=ttypes.SkewedInfo([], [], {}),
        storedAsSubDirectories=descriptor.get("StoredAsSubDirectories", False),
    )


def storage_to_glue(
    storage: Any, hidden: str | None, current: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Glue's descriptor. Raises InvalidObjectException for skewed tables, which Glue cannot hold.

    `hidden` is put back where the client sends LazySimpleSerDe. What only Glue knows of `current`
    (its schema reference, more locations, parameters of columns) is kept.
    """
    if storage.skewedInfo and storage.skewedInfo.skewedColNames:
        raise ttypes.InvalidObjectException("skewed tables are not supported on Glue")
    current = current or {}
    descriptor: dict[str, Any] = {
        "Columns": _keep_parameters(columns_to_glue(storage.cols), current.get("Columns")),
        "Compressed": bool(storage.compressed),
        "NumberOfBuckets": storage.numBuckets or 0,
        "BucketColumns": [name.lower() for name in storage.bucketCols or ()],
        "SortColumns": [
            {"Column": order.col.lower(), "SortOrder": order.order}
            for order in storage.sortCols or ()
        ],
        "Parameters": visible(storage.parameters),
        "StoredAsSubDirectories": bool(storage.storedAsSubDirectories),
    }
    for name, value in (
        ("Location", storage.location),
        ("InputFormat", storage.inputFormat),
        ("OutputFormat", storage.outputFormat),
        ("SchemaReference", current.get("SchemaReference")),
        ("AdditionalLocations", current.get("AdditionalLocations")),
    ):
        if value:
            descriptor[name] = value
    if storage.serdeInfo:
        descriptor["SerdeInfo"] = _serde_to_glue(storage.serdeInfo, hidden)
    return descriptor


def _serde(descriptor: Mapping[str, Any] | None) -> Mapping[str, Any]:
    serde: Mapping[str, Any] = (descriptor or {}).get("SerdeInfo") or {}
    return serde


def _serde_to_glue(serde: Any, hidden: str | None) -> dict[str, Any]:
    library = serde.serializationLib
    if hidden and library == LAZY_SIMPLE:
        library = hidden
    named = {"Name": serde.name, "SerializationLibrary": library}
    return {
        **{name: value for name, value in named.items() if value},
        "Parameters": visible(serde.parameters),
    }


def _keep_parameters(columns: list[dict[str, Any]], current: Any) -> list[dict[str, Any]]:
    """Glue's columns may carry parameters of their own, which Hive has no place for."""
    known = {column["Name"].lower(): column.get("Parameters") for column in current or ()}
    return [
        {**column, "Parameters": known[column["Name"]]} if known.get(column["Name"]) else column
        for column in columns
    ]
