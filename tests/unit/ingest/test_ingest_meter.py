"""What Prometheus is told of landing, and whether a lander is well."""

import json
import logging
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

import boto3
import pytest
import structlog
from botocore.config import Config
from memory_bucket import MemoryBucket
from memory_source import Log, MemoryRecord, MemorySource
from moto import mock_aws
from prometheus_client.parser import text_string_to_metric_families

from datacore.errors import UsageError
from datacore.metrics import serving
from ingest.land.lander import CutPolicy, Lander
from ingest.land.lane import LanderIdentity
from ingest.land.rules import Rule, Rules
from ingest.land.source import Partition
from ingest.log import set_up_logs
from ingest.meter_aws import metered
from ingest.meter_prometheus import PrometheusMeter

RULES = Rules((Rule("click", "t", "type", "click", "at", None),))
P0, P1 = Partition("t", 0), Partition("t", 1)
NOW_MS = 1_767_330_000_000
"""2026-01-02T05:00:00Z."""
CLICK = b'{"type":"click","at":"2026-01-02T01:10:00Z"}'


class Registered:
    def hours(self, hours: object) -> int:
        return 0

    def cuts(self, topic: str, partition: int) -> None: ...
    def block(self, topic: str, block: int) -> None: ...
    def quarantine(self, topic: str, dt: str, hour: str) -> None: ...


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW_MS / 1000

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    library = logging.getLogger("kafka")
    before = library.level, library.propagate, list(library.handlers)
    yield
    structlog.reset_defaults()
    library.level, library.propagate, library.handlers = before


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def meter(clock: Clock) -> PrometheusMeter:
    return PrometheusMeter(clock)


@pytest.fixture
def port(meter: PrometheusMeter) -> Iterator[int]:
    with serving(meter, "127.0.0.1", 0) as bound:
        yield bound


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def samples(port: int) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample by its name and its labels' values, in the order of their names."""
    found = {}
    for family in text_string_to_metric_families(get(port, "/metrics")[1]):
        assert family.documentation
        for sample in family.samples:
            found[sample.name, tuple(sample.labels.values())] = sample.value
    return found


def lander(values: list[bytes], meter: PrometheusMeter, clock: Clock, name: str = "one") -> Lander:
    log = Log(
        {
            P0: [MemoryRecord(n, NOW_MS - 60_000 + n, value) for n, value in enumerate(values)],
            P1: [],
        }
    )
    return Lander(
        MemorySource(log, step=len(values)),
        MemoryBucket(),
        RULES,
        Registered(),
        LanderIdentity(name, clock),
        CutPolicy(),
        meter,
    )


def test_what_waits_and_what_landed_is_counted(
    meter: PrometheusMeter, clock: Clock, port: int
) -> None:
    set_up_logs(meter)
    made = lander([CLICK, CLICK, b"no json", b'{"type":"nobody"}', CLICK], meter, clock)
    made._step()
    clock.now += 30
    waiting = samples(port)
    assert waiting["datacore_land_lag_records", ("0", "t")] == 5
    assert waiting["datacore_land_lag_seconds", ("0", "t")] == 90
    assert waiting["datacore_land_cut_age_seconds", ("0", "t")] == 30
    assert waiting["datacore_land_lag_seconds", ("1", "t")] == 0
    assert waiting["datacore_land_held_bytes", ()] > 0
    assert waiting["datacore_land_budget_bytes", ()] == CutPolicy().budget
    assert waiting["datacore_last_step_timestamp_seconds", ()] == clock.now - 30

    made._cut_all()
    made._write_log()
    made._step()
    landed = samples(port)
    assert landed["datacore_land_lag_records", ("0", "t")] == 0
    assert landed["datacore_land_lag_seconds", ("0", "t")] == 0
    assert landed["datacore_land_held_bytes", ()] == 0
    assert landed["datacore_land_cuts_total", ("t",)] == 1
    assert landed["datacore_land_records_total", ("click", "t")] == 3
    assert landed["datacore_land_records_total", ("unclaimed", "t")] == 1
    assert landed["datacore_land_bytes_total", ("click", "t")] == 3 * (len(CLICK) + 1)
    assert landed["datacore_land_quarantined_records_total", ("unknown", "not_json", "t")] == 1
    assert landed["datacore_land_object_bytes_count", ("t",)] == 3
    assert landed["datacore_land_hour_log_sequence", ("t",)] == 0
    assert landed["datacore_land_unsealed_hours", ("t",)] == 1, "the unclaimed record's"
    assert landed["datacore_log_events_total", ("cut", "info")] == 1
    assert {"datacore_build_info", "process_resident_memory_bytes"} <= {name for name, _ in landed}


def test_lag_knows_of_records_that_were_not_read_yet(
    meter: PrometheusMeter, clock: Clock, port: int
) -> None:
    made = lander([CLICK] * 10, meter, clock)
    made._source.step = 4  # type: ignore[attr-defined]
    made._step()
    assert samples(port)["datacore_land_lag_records", ("0", "t")] == 4
    made._write_log()
    assert samples(port)["datacore_land_lag_records", ("0", "t")] == 10


def test_what_is_lost_and_what_another_lander_cut_is_counted(
    meter: PrometheusMeter, clock: Clock, port: int
) -> None:
    made = lander([CLICK] * 10, meter, clock)
    zombie = lander([CLICK] * 10, meter, clock, "another")
    zombie._bucket.objects = made._bucket.objects  # type: ignore[attr-defined]
    made._source.log.begins[P0] = 4  # type: ignore[attr-defined]
    made._source.log.records[P0] = made._source.log.records[P0][4:]  # type: ignore[attr-defined]
    zombie._source.log = made._source.log  # type: ignore[attr-defined]
    zombie._step()
    made._step()
    made._cut_all()
    zombie._cut_all()
    found = samples(port)
    assert found["datacore_land_lost_records_total", ("t",)] == 4
    assert found["datacore_land_adopted_cuts_total", ("t",)] == 1


def test_a_loop_that_stands_still_is_not_well(
    meter: PrometheusMeter, clock: Clock, port: int
) -> None:
    code, body = get(port, "/healthz")
    assert (code, json.loads(body)["well"]) == (200, True)
    clock.now += 301
    code, body = get(port, "/healthz")
    assert code == 503
    assert json.loads(body) == {"well": False, "seconds_since_step": 301.0, "limit_seconds": 300.0}
    meter.step()
    assert get(port, "/healthz")[0] == 200
    assert get(port, "/elsewhere")[0] == 404


def test_a_port_in_use_is_named(meter: PrometheusMeter, port: int) -> None:
    with (
        pytest.raises(UsageError, match=f"metrics cannot be served on 127.0.0.1:{port}"),
        serving(meter, "127.0.0.1", port),
    ):
        pass


@mock_aws
def test_calls_of_aws_are_counted_by_outcome_and_retries(
    meter: PrometheusMeter, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    s3 = metered(boto3.client("s3", region_name="us-east-1"), meter)
    s3.create_bucket(Bucket="metered")
    s3.put_object(Bucket="metered", Key="k", Body=b"", IfNoneMatch="*")
    with pytest.raises(s3.exceptions.ClientError):
        s3.put_object(Bucket="metered", Key="k", Body=b"", IfNoneMatch="*")
    away = metered(
        boto3.client(
            "glue",
            region_name="us-east-1",
            endpoint_url="http://127.0.0.1:9",
            config=Config(retries={"mode": "standard", "total_max_attempts": 3}),
        ),
        meter,
    )
    with pytest.raises(Exception, match="Could not connect"):
        away.get_database(Name="raw")
    found = samples(port)
    assert found["datacore_aws_calls_total", ("CreateBucket", "ok", "s3")] == 1
    assert found["datacore_aws_calls_total", ("PutObject", "ok", "s3")] == 1
    assert found["datacore_aws_calls_total", ("PutObject", "PreconditionFailed", "s3")] == 1
    assert (
        found["datacore_aws_calls_total", ("GetDatabase", "EndpointConnectionError", "glue")] == 1
    )
    assert found["datacore_aws_retries_total", ("GetDatabase", "glue")] == 2


def test_events_and_the_kafka_librarys_troubles_are_counted(
    meter: PrometheusMeter, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logs(meter)
    structlog.get_logger().error("range_lost", topic="t")
    logging.getLogger("kafka.net.manager").warning("Bootstrap failed")
    logging.getLogger("kafka.net.manager").debug("password=secret")
    found = samples(port)
    assert found["datacore_log_events_total", ("range_lost", "error")] == 1
    assert found["datacore_kafka_client_problems_total", ("warning",)] == 1
    printed = capsys.readouterr().err.splitlines()
    assert [json.loads(line)["event"] for line in printed] == ["range_lost"]


def test_a_meter_is_read_while_it_is_written(
    meter: PrometheusMeter, clock: Clock, port: int
) -> None:
    made = lander([CLICK] * 200, meter, clock)
    made._source.step = 1  # type: ignore[attr-defined]
    work = threading.Thread(target=made.run_until_caught_up, args=(threading.Event(),))
    work.start()
    while work.is_alive():
        assert samples(port)["datacore_land_budget_bytes", ()] > 0
    assert made.summary.landed == 200
