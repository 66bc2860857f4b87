"""Each test runs on both servers. versitygw is skipped where it is not built."""

import http.client
import secrets
import sys
from collections.abc import Iterator
from uuid import uuid4

import pytest

from datacore.settings import ROOT

sys.path.append(str(ROOT / "tests" / "unit" / "ingest"))  # the source in memory

from s3_servers import S3Server, running_moto, running_versitygw
from s3_stage import Place, Stage, Workers


@pytest.fixture(scope="session", autouse=True)
def _credentials(_own_environment: None) -> Iterator[None]:
    """Made for this run; moto takes any."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", f"test{secrets.token_hex(8)}")
        patch.setenv("AWS_SECRET_ACCESS_KEY", secrets.token_hex(20))
        patch.setenv("AWS_REGION", "us-east-1")
        yield


@pytest.fixture(scope="session")
def moto(_credentials: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with running_moto(tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.fixture(scope="session")
def versitygw(_credentials: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with running_versitygw(tmp_path_factory.mktemp("versitygw")) as server:
        yield server


@pytest.fixture(scope="session", params=["versitygw", "moto"])
def server(request: pytest.FixtureRequest) -> S3Server:
    """The server that holds the bucket."""
    found: S3Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def workers(_credentials: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    """Starts processes."""
    made = Workers(tmp_path_factory.mktemp("workers") / "log")
    yield made
    made.end()


@pytest.fixture
def glue(moto: S3Server) -> S3Server:
    """moto, and nothing in it."""
    connection = http.client.HTTPConnection(moto.endpoint.removeprefix("http://"), timeout=30)
    connection.request("POST", "/moto-api/reset")
    assert connection.getresponse().status == 200
    connection.close()
    return moto


@pytest.fixture
def stage(server: S3Server, moto: S3Server, workers: Workers) -> Iterator[Stage]:
    """A new bucket on the server; Glue on moto."""
    place = Place(server.endpoint, moto.endpoint, f"logs-{uuid4().hex[:8]}")
    with Stage(place, server.encrypts, workers) as made:
        yield made
