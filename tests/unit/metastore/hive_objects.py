"""Tables and partitions as Spark sends them."""

from typing import Any

from hmsclient.genthrift.hive_metastore import ttypes


def hive_table(name: str = "orders", **fields: Any) -> Any:
    """A managed Parquet table partitioned by `dt date, hour string`, as Spark sends one."""
    given = {
        "tableName": name,
        "dbName": "lake",
        "owner": "spark",
        "createTime": 0,
        "lastAccessTime": 0,
        "retention": 0,
        "sd": ttypes.StorageDescriptor(
            cols=[ttypes.FieldSchema("order_id", "bigint", "the order")],
            serdeInfo=ttypes.SerDeInfo(
                None, "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe", {}
            ),
        ),
        "partitionKeys": [
            ttypes.FieldSchema("dt", "date", None),
            ttypes.FieldSchema("hour", "string", None),
        ],
        "parameters": {"spark.sql.sources.provider": "parquet"},
        "tableType": "MANAGED_TABLE",
    }
    return ttypes.Table(**{**given, **fields})


def hive_partition(*values: str, table: str = "orders", location: str | None = None) -> Any:
    return ttypes.Partition(
        values=list(values),
        dbName="lake",
        tableName=table,
        parameters={},
        sd=ttypes.StorageDescriptor(
            cols=[ttypes.FieldSchema("order_id", "bigint", None)],
            location=location,
            serdeInfo=ttypes.SerDeInfo(None, None, {}),
        ),
    )
