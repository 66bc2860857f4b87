"""A lake as `swap_partitions` leaves it, without Spark: Parquet on S3 and partitions in Glue.

Comes in: rows of a roll-up for a day. Goes out: `s3://…/<table>/_v/<run>/dt=<day>/`, and the
partition of that day pointed at it. Column orders and types are those of the lake's models.
"""

import io
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

BUCKET = "datacore-lake"
DATABASE = "lake"

BIGINTS = {
    "rollup_job_view_daily": ("views", "viewers", "view_ms"),
    "rollup_funnel_daily": (
        *("searches", "searchers", "views"),
        *("viewers", "applications", "applicants"),
    ),
    "rollup_experiment_daily": ("exposures", "exposed_users", "viewers", "applicants"),
}
COLUMNS: dict[str, dict[str, str]] = {
    "rollup_job_view_daily": {
        "job_id": "string",
        **dict.fromkeys(BIGINTS["rollup_job_view_daily"], "bigint"),
    },
    "rollup_job_posting_daily": {
        **dict.fromkeys(
            ("job_id", "employer_id", "title", "category", "city", "country"), "string"
        ),
        "salary_cents": "bigint",
        "currency": "string",
        "remote": "boolean",
        "status": "string",
        "last_event_at": "timestamp",
        "postings": "bigint",
    },
    "rollup_funnel_daily": {
        "category": "string",
        **dict.fromkeys(BIGINTS["rollup_funnel_daily"], "bigint"),
    },
    "rollup_experiment_daily": {
        "experiment_id": "string",
        "variant": "string",
        **dict.fromkeys(BIGINTS["rollup_experiment_daily"], "bigint"),
    },
}
ARROW = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us"),
}
PARQUET_SERDE = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {
        "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
    },
}


@dataclass
class Lake:
    """The four roll-ups, written and swapped day by day."""

    s3: Any
    glue: Any
    runs: int = 0

    def create(self) -> None:
        """Bucket, database and empty tables."""
        self.s3.create_bucket(Bucket=BUCKET)
        self.glue.create_database(DatabaseInput={"Name": DATABASE})
        for table, columns in COLUMNS.items():
            self.glue.create_table(
                DatabaseName=DATABASE,
                TableInput={
                    "Name": table,
                    "TableType": "EXTERNAL_TABLE",
                    "PartitionKeys": [{"Name": "dt", "Type": "date"}],
                    "StorageDescriptor": _descriptor(columns, f"s3://{BUCKET}/{DATABASE}/{table}"),
                },
            )

    def publish(self, table: str, day: str, rows: list[dict[str, Any]]) -> str:
        """Write `rows` into a new directory and point the day at it; [] leaves it without a file."""
        columns = COLUMNS[table]
        schema = pa.schema([(name, ARROW[kind]) for name, kind in columns.items()])
        location = self._new_location(table, day)
        if rows:
            buffer = io.BytesIO()
            pq.write_table(pa.Table.from_pylist(rows, schema), buffer)
            self.write(f"{location}/part-00000.parquet", buffer.getvalue())
        self._point(table, day, location)
        return location

    def publish_broken(self, table: str, day: str) -> str:
        """Point the day at a directory whose file is not Parquet."""
        location = self._new_location(table, day)
        self.write(f"{location}/part-00000.parquet", b"PAR1 cut short")
        self._point(table, day, location)
        return location

    def drop(self, table: str, day: str) -> None:
        """Take the day out of the catalog."""
        self.glue.delete_partition(DatabaseName=DATABASE, TableName=table, PartitionValues=[day])

    def write(self, url: str, body: bytes) -> None:
        bucket, _, key = url.removeprefix("s3://").partition("/")
        self.s3.put_object(Bucket=bucket, Key=key, Body=body)

    def _new_location(self, table: str, day: str) -> str:
        self.runs += 1
        return f"s3://{BUCKET}/{DATABASE}/{table}/_v/{self.runs:06}/dt={day}"

    def _point(self, table: str, day: str, location: str) -> None:
        partition = {
            "Values": [day],
            "StorageDescriptor": _descriptor(COLUMNS[table], location),
        }
        at = {"DatabaseName": DATABASE, "TableName": table}
        try:
            self.glue.create_partition(**at, PartitionInput=partition)
        except self.glue.exceptions.AlreadyExistsException:
            self.glue.update_partition(**at, PartitionValueList=[day], PartitionInput=partition)


def _descriptor(columns: dict[str, str], location: str) -> dict[str, Any]:
    return {
        "Columns": [{"Name": name, "Type": kind} for name, kind in columns.items()],
        "Location": location,
        **PARQUET_SERDE,
    }
