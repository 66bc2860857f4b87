"""A database of one's own on the sandbox's Spark, and Glue beside it to see what was written."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from spark_sql import Query, run


@pytest.fixture(scope="module")
def query(sandbox: Any) -> Iterator[Query]:
    with sandbox.thrift() as connection:
        yield lambda statement: run(connection, statement)


@pytest.fixture(scope="module")
def glue(sandbox: Any) -> Any:
    return sandbox.glue


@pytest.fixture(scope="module")
def s3(sandbox: Any) -> Any:
    return sandbox.s3


@pytest.fixture(scope="module")
def database(sandbox: Any, query: Query) -> Iterator[str]:
    """The name of an empty database at s3://<lake>/<name>."""
    name = f"metastore_{uuid.uuid4().hex[:8]}"
    query(f"create database {name} location 's3://{sandbox.env['DATACORE_LAKE_BUCKET']}/{name}'")
    yield name
    query(f"drop database {name} cascade")
