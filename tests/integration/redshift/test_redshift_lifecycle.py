"""How it starts and ends: nothing stays behind, and a death is explained."""

import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from redshift_connector.error import InterfaceError, ProgrammingError
from redshift_stand_in import START_LIMIT, StandIn, error_of, free_port, query_on, start_stand_in

NOWHERE = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}
"""An S3 that does not answer."""


@pytest.fixture
def own(tmp_path: Path) -> Iterator[StandIn]:
    """A stand-in that the test may end."""
    yield from started(tmp_path)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """A stand-in that the tests leave running."""
    yield from started(tmp_path_factory.mktemp("lasting"))


def started(directory: Path) -> Iterator[StandIn]:
    running = start_stand_in(directory / "state", free_port(), NOWHERE)
    yield running
    running.process.terminate()
    running.process.wait(START_LIMIT)


def errors_of(running: StandIn) -> str:
    return (running.state.parent / f"{running.state.name}.err").read_text()


def postgres_of(running: StandIn) -> list[psutil.Process]:
    return psutil.Process(running.process.pid).children(recursive=True)


def test_sigterm_ends_postgresql_and_removes_its_data(own: StandIn) -> None:
    connection = own.connect()
    query_on(connection)("select 1")
    children = postgres_of(own)
    own.process.terminate()
    assert own.process.wait(START_LIMIT) == 0
    assert not any(child.is_running() for child in children)
    assert sorted(path.name for path in own.state.iterdir()) == [
        "lock",
        "postgres.log",
        "server.crt",
        "server.key",
    ]
    assert "Traceback" not in errors_of(own)


def test_postgresql_dies_with_a_killed_stand_in_and_the_state_can_be_used_again(
    own: StandIn,
) -> None:
    children = postgres_of(own)
    assert children
    own.process.kill()
    own.process.wait(START_LIMIT)
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive
    again = start_stand_in(own.state, own.port, NOWHERE)
    try:
        with again.connect() as connection:
            assert query_on(connection)("select 1") == [[1]]
    finally:
        again.process.terminate()
        again.process.wait(START_LIMIT)


def test_when_postgresql_dies_the_stand_in_says_why(own: StandIn) -> None:
    (postmaster,) = [child for child in postgres_of(own) if child.ppid() == own.process.pid]
    postmaster.send_signal(signal.SIGKILL)
    assert own.process.wait(START_LIMIT) == 3
    assert "error: PostgreSQL was killed by signal 9" in errors_of(own)
    assert "Traceback" not in errors_of(own)


def test_a_state_directory_has_one_stand_in(lasting: StandIn) -> None:
    second = start_stand_in(lasting.state, free_port(), NOWHERE)
    assert second.process.wait(START_LIMIT) == 4
    assert "another stand-in uses this directory" in errors_of(second)


def test_a_port_in_use_is_named(lasting: StandIn, tmp_path: Path) -> None:
    second = start_stand_in(tmp_path / "second", lasting.port, NOWHERE)
    assert second.process.wait(START_LIMIT) == 2
    assert f"cannot listen on 127.0.0.1:{lasting.port}" in errors_of(second)


def test_s3_and_glue_that_do_not_answer_are_errors_of_the_statement(lasting: StandIn) -> None:
    query = query_on(lasting.connect())
    query("create table t (a int)")
    with pytest.raises((InterfaceError, ProgrammingError)) as raised:
        query("copy t from 's3://b/k' iam_role default format parquet")
    assert error_of(raised)["M"].startswith("S3ServiceException:")
    with pytest.raises(ProgrammingError) as raised:
        query("create external schema x from data catalog database 'x' iam_role default")
    assert error_of(raised)["M"].startswith("Glue Data Catalog: ")
    assert query("select 1") == [[1]]
