"""One stand-in and one S3 and Glue for all of these tests; each test has a schema of its own."""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer
from redshift_connector.core import Connection
from redshift_stand_in import (
    BUCKET,
    ROLE,
    START_LIMIT,
    Lake,
    Query,
    StandIn,
    client_arguments,
    free_port,
    query_on,
    start_stand_in,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture(scope="session")
def aws() -> Iterator[dict[str, str]]:
    """S3 and Glue in this process, as variables for another."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    server.stop()


@pytest.fixture(scope="session")
def s3(aws: dict[str, str]) -> "S3Client":
    client = boto3.client("s3", **client_arguments(aws))
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture
def lake(aws: dict[str, str], s3: "S3Client") -> Lake:
    """An empty Glue database."""
    made = Lake(s3, boto3.client("glue", **client_arguments(aws)))
    made.glue.create_database(DatabaseInput={"Name": made.database})
    return made


@pytest.fixture(scope="session")
def stand_in(
    aws: dict[str, str], s3: "S3Client", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StandIn]:
    """The stand-in that these tests share."""
    running = start_stand_in(tmp_path_factory.mktemp("redshift") / "state", free_port(), aws)
    yield running
    running.process.terminate()
    running.process.wait(START_LIMIT)


@pytest.fixture
def connection(stand_in: StandIn) -> Iterator[Connection]:
    made = stand_in.connect()
    yield made
    made.close()


@pytest.fixture
def query(connection: Connection) -> Query:
    """Runs a statement and returns its rows."""
    return query_on(connection)


@pytest.fixture
def schema(query: Query) -> str:
    """A schema of the test's own, which is also the search path."""
    name = f"s_{uuid4().hex[:8]}"
    query(f"create schema {name}")
    query(f"set search_path to {name}")
    return name


@pytest.fixture
def external(query: Query, lake: Lake) -> str:
    """An external schema over the test's Glue database."""
    name = f"x_{lake.database}"
    query(f"create external schema {name} from data catalog database '{lake.database}' {ROLE}")
    return name
