"""A database of one's own on the sandbox's Spark, and Glue beside it to see what was written."""

import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from spark_sql import Query, connect, run


@pytest.fixture(scope="module")
def query(sandbox: Any) -> Iterator[Query]:
    with connect(sandbox) as connection:
        yield lambda statement: run(connection, statement)


def _client(sandbox: Any, service: str) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=sandbox.env["AWS_ENDPOINT_URL"],
        region_name=sandbox.env["AWS_REGION"],
        aws_access_key_id=sandbox.env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=sandbox.env["AWS_SECRET_ACCESS_KEY"],
    )


@pytest.fixture(scope="module")
def glue(sandbox: Any) -> Any:
    return _client(sandbox, "glue")


@pytest.fixture(scope="module")
def s3(sandbox: Any) -> Any:
    return _client(sandbox, "s3")


@pytest.fixture(scope="module")
def database(sandbox: Any, query: Query) -> Iterator[str]:
    """The name of an empty database at s3://<lake>/<name>."""
    name = f"metastore_{uuid.uuid4().hex[:8]}"
    query(f"create database {name} location 's3://{sandbox.env['DATACORE_LAKE_BUCKET']}/{name}'")
    yield name
    query(f"drop database {name} cascade")
