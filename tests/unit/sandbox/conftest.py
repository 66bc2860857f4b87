"""AWS in this process, for what the sandbox corrects of moto."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer


@pytest.fixture
def aws_client() -> Iterator[Callable[[str], Any]]:
    """Makes a client of a service; it asks once."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    once = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
    yield lambda service: boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=once,
    )
    server.stop()
