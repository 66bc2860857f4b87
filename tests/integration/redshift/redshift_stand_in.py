"""What the tests of the stand-in share: to start one, to ask it, to fill a lake for it."""

import io
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import redshift_connector
from redshift_connector.core import Connection

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client

BUCKET = "lake"
PASSWORD = "a password's \\ own"
ROLE = "iam_role 'arn:aws:iam::123456789012:role/redshift'"
START_LIMIT = 60
PARQUET_SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def error_of(raised: pytest.ExceptionInfo[Exception]) -> dict[str, str]:
    """The fields of the server's ErrorResponse."""
    fields = raised.value.args[0]
    assert isinstance(fields, dict)
    return fields


@dataclass
class StandIn:
    """A running `python -m sandbox.redshift`."""

    port: int
    state: Path
    process: subprocess.Popen[str]

    def connect(self, **changed: Any) -> Connection:
        """A connection of redshift_connector, in autocommit, without TLS unless told otherwise."""
        arguments: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": self.port,
            "database": "warehouse",
            "user": "datacore",
            "password": PASSWORD,
            "ssl": False,
            **changed,
        }
        connection = redshift_connector.connect(**arguments)
        connection.autocommit = True
        return connection


def start_stand_in(state: Path, port: int, environ: Mapping[str, str]) -> StandIn:
    """Start one and wait until it says that it is ready, or is gone."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.redshift", "--state", str(state), "--port", str(port)],
        env={**os.environ, **environ, "DATACORE_REDSHIFT_PASSWORD": PASSWORD},
        stdout=subprocess.PIPE,
        stderr=(state.parent / f"{state.name}.err").open("w"),
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    return StandIn(port, state, process)


@dataclass
class Lake:
    """Writes Parquet to S3 and tables to Glue."""

    s3: "S3Client"
    glue: "GlueClient"
    database: str = field(default_factory=lambda: f"lake_{uuid4().hex[:8]}")

    def put(self, key: str, table: pa.Table) -> int:
        """Write a Parquet object and return its size."""
        body = io.BytesIO()
        pq.write_table(table, body)
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body.getvalue())
        return body.tell()

    def create_table(
        self,
        name: str,
        columns: Mapping[str, str],
        location: str,
        keys: Mapping[str, str] | None = None,
        serde: str = PARQUET_SERDE,
    ) -> None:
        """Create or replace a table in Glue."""
        table: Any = {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "PartitionKeys": [{"Name": k, "Type": t} for k, t in (keys or {}).items()],
            "StorageDescriptor": {**_storage(location, serde), "Columns": _columns(columns)},
        }
        try:
            self.glue.create_table(DatabaseName=self.database, TableInput=table)
        except self.glue.exceptions.AlreadyExistsException:
            self.glue.update_table(DatabaseName=self.database, TableInput=table)

    def set_partition(self, table: str, values: Sequence[str], location: str) -> None:
        """Create a partition, or point it at another location."""
        partition: Any = {
            "Values": list(values),
            "StorageDescriptor": _storage(location, PARQUET_SERDE),
        }
        name = {"DatabaseName": self.database, "TableName": table}
        try:
            self.glue.create_partition(**name, PartitionInput=partition)
        except self.glue.exceptions.AlreadyExistsException:
            self.glue.update_partition(
                **name, PartitionValueList=list(values), PartitionInput=partition
            )


def _columns(columns: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Type": kind} for name, kind in columns.items()]


def _storage(location: str, serde: str) -> dict[str, Any]:
    return {
        "Location": location,
        "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        "SerdeInfo": {"SerializationLibrary": serde, "Parameters": {"path": location}},
    }


Query = Callable[..., list[list[Any]]]


def query_on(connection: Connection) -> Query:
    """A function that runs a statement on `connection` and returns its rows."""

    def query(sql: str, *parameters: Any) -> list[list[Any]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return [list(row) for row in cursor.fetchall()] if cursor.description else []

    return query


def client_arguments(aws: Mapping[str, str]) -> Any:
    return {
        "endpoint_url": aws["AWS_ENDPOINT_URL"],
        "aws_access_key_id": aws["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": aws["AWS_SECRET_ACCESS_KEY"],
        "region_name": aws["AWS_REGION"],
    }
