"""A lake in moto, a Redshift stand-in over it, and dbt run as an analyst would run it.

One of each for the module: the tests read as one story, in the order in which they stand.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import boto3
import pytest
import redshift_connector
from moto.server import ThreadedMotoServer
from warehouse_dbt import Built, run_dbt
from warehouse_lake import Lake

from datacore.settings import ROOT

PASSWORD = "sandbox"


@pytest.fixture(scope="module")
def aws() -> Iterator[None]:
    """S3 and Glue, named by the variables of this process."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    variables = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield
    server.stop()


@pytest.fixture(scope="module")
def lake(aws: None) -> Lake:
    made = Lake(boto3.client("s3"), boto3.client("glue"))
    made.create()
    return made


@pytest.fixture(scope="module")
def redshift(aws: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The stand-in's port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "sandbox.redshift"),
            *("--state", str(tmp_path_factory.mktemp("redshift")), "--port", str(port)),
        ],
        cwd=ROOT,
        env={**os.environ, "DATACORE_REDSHIFT_PASSWORD": PASSWORD},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert "ready" in process.stdout.readline(), "the stand-in did not start"
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@pytest.fixture(scope="module")
def query(redshift: int) -> Callable[[str], list[tuple[Any, ...]]]:
    """Run one statement in a session of its own."""

    def run(sql: str) -> list[tuple[Any, ...]]:
        with redshift_connector.connect(
            host="127.0.0.1",
            port=redshift,
            database="warehouse",
            user="datacore",
            password=PASSWORD,
            ssl=False,
        ) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    return run


@pytest.fixture(scope="module")
def dbt(
    redshift: int, lake: Lake, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Built]]:
    """dbt on the stand-in, from the root of the checkout."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.setenv("DATACORE_REDSHIFT", f"127.0.0.1:{redshift}")
        patch.setenv("DATACORE_REDSHIFT_PASSWORD", PASSWORD)
        yield partial(run_dbt, tmp_path_factory.mktemp("dbt"))
