"""What Prometheus is told of the metastore, and when it is not well."""

import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from hive_objects import hive_partition, hive_table
from hmsclient.genthrift.hive_metastore import ttypes
from prometheus_client.parser import text_string_to_metric_families
from stub_glue import StubGlue, client_error

from datacore.metrics import serving
from datacore.settings import ROOT
from metastore.calls.catalog import Catalog
from metastore.commands import answers_of
from metastore.files import Files
from metastore.glue import Glue, GlueError, NotFound
from metastore.glue.faults import Backoff
from metastore.meter import Meter, probing
from metastore.wire.answers import Answers


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def meter(clock: Clock) -> Meter:
    return Meter(clock)


@pytest.fixture
def glue(stub: StubGlue, meter: Meter) -> Glue:
    return Glue(stub, Backoff(pause=lambda seconds: None, chance=lambda: 1.0), meter)


@pytest.fixture
def catalog(glue: Glue, tmp_path: Path, meter: Meter) -> Catalog:
    return Catalog(glue, Files(s3=None), f"file:{tmp_path}/warehouse", 60, meter)


@pytest.fixture
def metered(catalog: Catalog, meter: Meter) -> Answers:
    answering = answers_of(catalog, meter=meter)
    answering.create_database(ttypes.Database("lake", None, None, {}, None, None, None))
    return answering


@pytest.fixture
def port(meter: Meter) -> Iterator[int]:
    with serving(meter, "127.0.0.1", 0) as bound:
        yield bound


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def samples(port: int) -> dict[tuple[str, ...], float]:
    """Every sample by its name and its labels' values, in the order of their names."""
    found = {}
    for family in text_string_to_metric_families(get(port, "/metrics")[1]):
        assert family.documentation
        for sample in family.samples:
            labels = (value for _, value in sorted(sample.labels.items()))
            found[sample.name.removeprefix("datacore_metastore_"), *labels] = sample.value
    return found


def test_calls_are_counted_by_name_and_outcome(metered: Answers, port: int) -> None:
    metered.create_table(hive_table())
    metered.get_table("lake", "orders")
    with pytest.raises(ttypes.NoSuchObjectException):
        metered.get_table("lake", "nope")
    with pytest.raises(ttypes.MetaException):
        metered.exchange_partition({}, "lake", "a", "lake", "b")
    found = samples(port)
    assert found["calls_total", "create_table", "ok"] == 1
    assert found["calls_total", "get_table", "ok"] == 1
    assert found["calls_total", "get_table", "NoSuchObjectException"] == 1
    assert found["calls_total", "exchange_partition", "unsupported"] == 1
    assert found["call_seconds_count", "get_table"] == 2
    assert found["call_seconds_bucket", "get_table", "+Inf"] == 2
    assert found["call_seconds_sum", "get_table"] > 0
    assert "datacore_build_info" in {name for name, *_ in found}


def test_refused_writes_are_counted(catalog: Catalog, meter: Meter, port: int) -> None:
    reading = answers_of(catalog, read_only=True, meter=meter)
    with pytest.raises(ttypes.MetaException):
        reading.create_table(hive_table())
    assert samples(port)["calls_total", "create_table", "read_only"] == 1


def test_cache_tells_hits_from_misses(metered: Answers, port: int) -> None:
    metered.create_table(hive_table())
    before = samples(port)
    for _ in range(3):
        metered.get_table("lake", "orders")
    found = samples(port)

    def more(*name: str) -> float:
        return found.get(name, 0) - before.get(name, 0)

    assert more("cache_total", "tables", "miss") == 1
    assert more("cache_total", "tables", "hit") == 2
    assert found["cache_total", "databases", "miss"] == 1, "where the table lies"
    for _ in range(2):
        with pytest.raises(ttypes.NoSuchObjectException):
            metered.get_table("lake", "nope")
    before, found = found, samples(port)
    assert (more("cache_total", "tables", "miss"), more("cache_total", "tables", "hit")) == (1, 1)


def test_attempts_at_glue_and_their_repeats_are_counted(
    metered: Answers, stub: StubGlue, port: int
) -> None:
    metered.create_table(hive_table())
    stub.faults["get_table"] = [
        EndpointConnectionError(endpoint_url="http://glue.stub"),
        client_error("GetTable", "ThrottlingException"),
        client_error("GetTable", "InternalServiceException"),
    ]
    metered.get_table("lake", "orders")
    stub.entry_faults["batch_create_partition", ("2026-01-02", "05")] = ["ThrottlingException"]
    metered.add_partitions([hive_partition("2026-01-02", "05")])
    found = samples(port)
    assert found["glue_calls_total", "get_table", "ThrottlingException"] == 1
    assert found["glue_calls_total", "get_table", "InternalServiceException"] == 1
    assert found["glue_calls_total", "get_table", "Unreachable"] == 1
    assert found["glue_calls_total", "get_table", "ok"] == 1
    assert found["glue_seconds_count", "get_table"] == 4
    for reason in ("throttled", "faulty", "unreachable"):
        assert found["glue_retries_total", "get_table", reason] == 1
    assert found["glue_retries_total", "batch_create_partition", "entries"] == 1
    assert found["glue_calls_total", "batch_create_partition", "ok"] == 2


def test_last_attempt_is_no_retry(glue: Glue, stub: StubGlue, port: int) -> None:
    stub.faults["get_databases"] = [client_error("GetDatabases", "ThrottlingException")] * 99
    with pytest.raises(GlueError):
        glue.check()
    found = samples(port)
    assert found["glue_calls_total", "get_databases", "ThrottlingException"] == 10
    assert found["glue_retries_total", "get_databases", "throttled"] == 9


def test_well_only_while_glue_answers(glue: Glue, stub: StubGlue, clock: Clock, port: int) -> None:
    assert get(port, "/healthz")[0] == 200
    clock.now += 61
    code, body = get(port, "/healthz")
    assert code == 503
    assert json.loads(body) == {
        "well": False,
        "seconds_since_answer": 61.0,
        "limit_seconds": 60.0,
    }
    for silence in (
        EndpointConnectionError(endpoint_url="http://glue.stub"),
        client_error("GetDatabases", "AccessDeniedException"),
        client_error("GetDatabases", "ThrottlingException"),
        client_error("GetDatabases", "InternalServiceException"),
    ):
        stub.faults["get_databases"] = [silence]
        glue.probe()
        assert get(port, "/healthz")[0] == 503, silence
    with pytest.raises(NotFound):
        glue.get_database("nope")
    assert get(port, "/healthz")[0] == 200, "that there is no such database is an answer"


def test_idle_service_asks_glue_and_a_busy_one_does_not(meter: Meter, clock: Clock) -> None:
    asked = threading.Event()
    breaks: list[Exception] = [RuntimeError("a bug"), RuntimeError("again")]

    def probe() -> None:
        if breaks:
            raise breaks.pop()
        asked.set()

    with probing(meter, probe, every=0.01):
        assert not asked.wait(0.2), "by its clock Glue has just answered"
        clock.now += 1
        assert asked.wait(10), "and it goes on after it broke"


def test_labels_never_name_what_is_in_the_catalog(metered: Answers, port: int) -> None:
    metered.create_table(hive_table("secret_table"))
    with pytest.raises(ttypes.NoSuchObjectException):
        metered.get_table("lake", "secret_other")
    text: Any = get(port, "/metrics")[1]
    assert "create_table" in text
    assert "secret" not in text


def test_every_metric_and_no_other_is_documented(meter: Meter) -> None:
    page = (ROOT / "docs" / "metastore.md").read_text()
    named = set(re.findall(r"^\| `(datacore_\w+)`", page, re.MULTILINE))
    families = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in meter.registry.collect()
        if family.name.startswith("datacore_")
    }
    assert named == families
