"""The alarm for records that go astray by the hundred: when it speaks, what it says, when it stops."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from memory_bucket import MemoryBucket
from memory_source import Log, MemoryRecord, MemorySource, batch_of
from structlog.testing import LogCapture

from datacore.errors import ServiceUnreachable
from ingest.land.cut import OpenCut
from ingest.land.lander import CutPolicy, Lander
from ingest.land.lane import LanderIdentity
from ingest.land.manifest import Manifest
from ingest.land.rules import Rule, Rules
from ingest.land.source import Partition
from ingest.land.surge import AGAIN_S, Surge, SurgeAlarm, SurgeWatch
from ingest.meter import Meter

P0 = Partition("t", 0)
RULES = Rules(
    (
        Rule("click", "t", "type", "click", "at", None),
        Rule("view", "t", "type", "view", "clicked_at", None),
    )
)
NOW_MS = 1_767_330_000_000
CLICK = b'{"type":"click","at":"2026-01-02T01:10:00Z"}'
VIEW = b'{"type":"view","clicked_at":"2026-01-02T01:10:00Z"}'
NO_TIME = b'{"type":"view","viewed_at":"2026-01-02T01:10:00Z"}'
BAD_TIME = b'{"type":"view","clicked_at":"' + b"yesterday, or so " * 20 + b'"}'
NOBODY = b'{"type":"nobody"}'


class Remembers(Meter):
    def __init__(self) -> None:
        self.surges: list[Surge] = []

    def surge(self, surge: Surge) -> None:
        self.surges.append(surge)


@pytest.fixture
def logged() -> Iterator[list[dict[str, Any]]]:
    capture = LogCapture()
    structlog.configure(processors=[capture])
    yield capture.entries
    structlog.reset_defaults()


def cut(values: list[bytes]) -> Manifest:
    made = OpenCut(P0, 0, RULES)
    made.add(batch_of([MemoryRecord(n, NOW_MS, value) for n, value in enumerate(values)]))
    return made.finish(len(values), "id", "l", "now").manifest


def surges(watch: SurgeWatch, values: list[bytes]) -> list[Surge]:
    return watch.add(cut(values))[0]


def test_more_than_half_of_a_hundred_for_one_reason_is_a_surge() -> None:
    assert surges(SurgeWatch(), [VIEW] * 49 + [NO_TIME] * 51) == [
        Surge("t", "view", "no_time", 51, 100)
    ]
    assert surges(SurgeWatch(), [VIEW] * 50 + [NO_TIME] * 50) == []
    assert surges(SurgeWatch(), [NO_TIME] * 99) == []
    assert surges(SurgeWatch(), [VIEW] * 30 + [NO_TIME] * 35 + [BAD_TIME] * 35) == []


def test_a_surge_of_one_data_type_does_not_hide_among_others() -> None:
    assert surges(SurgeWatch(), [CLICK] * 5_000 + [NO_TIME] * 100) == [
        Surge("t", "view", "no_time", 100, 100)
    ]


def test_small_cuts_are_added_up() -> None:
    watch = SurgeWatch()
    found = [surges(watch, [NO_TIME] * 30 + [VIEW] * 10) for _ in range(6)]
    assert found == [[], [], [Surge("t", "view", "no_time", 90, 120)]] * 2


def test_records_of_no_known_type_are_a_share_of_the_topic() -> None:
    assert surges(SurgeWatch(), [CLICK] * 40 + [b"<html>"] * 60) == [
        Surge("t", None, "not_json", 60, 100)
    ]
    assert surges(SurgeWatch(), [CLICK] * 40 + [NOBODY] * 60) == [
        Surge("t", None, "unclaimed", 60, 100)
    ]
    assert surges(SurgeWatch(), [CLICK] * 60 + [NOBODY] * 60) == []


def land(values: list[bytes], bucket: MemoryBucket, meter: Meter) -> Lander:
    log = Log({P0: [MemoryRecord(n, NOW_MS, value) for n, value in enumerate(values)]})
    made = Lander(
        MemorySource(log, step=100),
        bucket,
        RULES,
        Registered(),
        LanderIdentity("l", lambda: NOW_MS / 1000),
        CutPolicy(),
        meter,
    )
    made.run_until_caught_up(threading.Event())
    return made


class Registered:
    def hours(self, hours: object) -> int:
        return 0

    def cuts(self, topic: str, partition: int) -> None: ...
    def block(self, topic: str, block: int) -> None: ...
    def quarantine(self, topic: str, dt: str, hour: str) -> None: ...


def test_a_contract_mistake_is_told_with_an_example_and_nothing_is_lost(
    logged: list[dict[str, Any]],
) -> None:
    meter, bucket = Remembers(), MemoryBucket()
    made = land([b"no json", *[BAD_TIME] * 200], bucket, meter)
    (event,) = [entry for entry in logged if entry["event"] == "quarantine_surge"]
    assert event["log_level"] == "error"
    named = ("topic", "data_type", "reason", "records", "of", "partition", "offset", "field")
    assert [event[name] for name in named] == [
        "t", "view", "bad_time", 200, 200, 0, 1, "clicked_at",
    ]  # fmt: skip
    assert event["found"].startswith("yesterday, or so")
    assert len(event["found"]) < 120
    assert "`datacore quarantine replay --topic t --reason bad_time`" in event["next"]
    assert meter.surges == [Surge("t", "view", "bad_time", 200, 200)]
    assert made.summary.quarantined == 201
    assert len(bucket.lines()) == 201


def test_records_that_nobody_claims_are_a_warning_without_their_content(
    logged: list[dict[str, Any]],
) -> None:
    land([NOBODY] * 150, MemoryBucket(), Meter())
    (event,) = [entry for entry in logged if entry["event"] == "unclaimed_surge"]
    assert event["log_level"] == "warning"
    assert (event["records"], event["of"]) == (150, 150)
    assert event["object"].startswith("production-logs/unclaimed/")
    assert "datacore replay --type" in event["next"]
    assert "nobody" not in str(event)


def test_a_surge_that_lasts_is_said_again_after_a_while_and_its_end_once(
    logged: list[dict[str, Any]],
) -> None:
    meter, bucket = Remembers(), MemoryBucket()
    alarm = SurgeAlarm(bucket, meter)
    bad, good = cut([NO_TIME] * 200), cut([VIEW] * 200)
    for at in (0.0, 60.0, AGAIN_S):
        alarm.look(bad, at)
    for at in (AGAIN_S + 60, AGAIN_S + 120):
        alarm.look(good, at)
    assert [entry["event"] for entry in logged] == [
        "quarantine_surge",
        "quarantine_surge",
        "surge_over",
    ]
    assert len(meter.surges) == 3


class Away(MemoryBucket):
    def beginning(self, key: str, size: int) -> bytes | None:
        raise ServiceUnreachable("S3 is away")


def test_the_alarm_does_not_wait_for_its_example(logged: list[dict[str, Any]]) -> None:
    SurgeAlarm(Away(), Meter()).look(cut([NO_TIME] * 200), 0.0)
    assert [entry["event"] for entry in logged] == ["no_example", "quarantine_surge"]
