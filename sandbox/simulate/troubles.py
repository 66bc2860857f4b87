"""The troubles of real logs: what becomes of an event on its way into a file.

Comes in: a faultless event, the host that logs it and how far the period has passed. Goes out: a
`Line`: its bytes and what the platform must make of them. At most one trouble a line decides its
fate, so that the truth is exact; lateness, repeats and unusual text come on top of that.
"""

import itertools
import json
from bisect import bisect
from collections.abc import Callable
from enum import StrEnum
from random import Random
from typing import Any, NamedTuple

import msgspec

from sandbox.simulate.clock import DAY, HOUR, MINUTE, iso
from sandbox.simulate.marketplace import Event


class Fate(StrEnum):
    """Where a line ends. A repeat of a staged line is a duplicate."""

    STAGED = "staged"
    REJECTED = "rejected"
    UNCLAIMED = "unclaimed"
    QUARANTINED = "quarantined"


class Line(NamedTuple):
    """One log line, without its newline, and what must become of it.

    `data_type` is None where no reader could tell it. `reason` is the quarantine's, else None.
    `trouble` names what is wrong or unusual, "" for nothing.
    """

    data: bytes
    data_type: str | None
    fate: Fate
    reason: str | None = None
    trouble: str = ""


LATE = {"late_minutes": 0.02, "late_hours": 0.01, "late_days": 0.005}
"""Shares of events that reach their file late, by how much."""
REPEATED = 0.01
"""Share of staged and rejected lines that are written once more, to any host's file."""
ASCII_ONLY = 0.02
"""Share of faultless lines by a producer that escapes all but ASCII, so emoji as surrogate pairs."""
MANY_RESULTS = 0.01
"""Share of searches that report `many` results, once the search team has released that."""
ADDED_FROM = 0.5
"""Share of the period after which job views carry `client`, which no contract names."""
TEXT_RESULTS_FROM = 0.5
TEXT_DURATION = (0.6, 0.65)
"""Share of the period in which one host writes a view's duration as text."""
TEXT_DURATION_HOST = 1

REQUIRED = {
    "job_posting": ("event_id", "job_id", "employer_id", "action", "title", "category", "remote"),
    "job_view": ("event_id", "job_id", "user_id", "category", "duration_ms", "source", "device"),
    "job_application": ("event_id", "application_id", "job_id", "user_id", "category"),
    "search": ("event_id", "search_id", "user_id", "query", "category", "results"),
    "experiment_exposure": ("event_id", "experiment_id", "variant", "user_id"),
}
"""The fields that a record cannot be without, but for those that route it."""

_NOT_JSON = (
    b"java.lang.NullPointerException: Cannot invoke \"Job.id()\" because \"job\" is null",
    b"\tat com.example.marketplace.JobPage.render(JobPage.java:214)",
    b"127.0.0.1 - - \"GET /jobs HTTP/1.1\" 200 5120",
    b"{'type': 'job_view', 'job_id': None}",
    b"\xef\xbb\xbf",
)  # fmt: skip
_NOT_OBJECT = (b"[]", b"null", b"42", b'"job_view"', b'[{"type":"job_view"}]', b"true")
_UNKNOWN_TYPES = ("job_saved", "page_ping", "JOB_VIEW", "job_views", "employer_signup", "")
_BAD_TIMES: tuple[Any, ...] = (
    "yesterday",
    "2026-13-45T99:99:99Z",
    "",
    "31.12.2025 10:00",
    True,
    [],
)

_encode = msgspec.json.Encoder().encode


def _cut_line(event: Event, rng: Random) -> Line:
    whole = _encode(event.record).decode()
    data = whole[: rng.randrange(1, len(whole))].encode()
    return Line(data, None, Fate.QUARANTINED, "not_json")


def _not_json(event: Event, rng: Random) -> Line:
    return Line(rng.choice(_NOT_JSON), None, Fate.QUARANTINED, "not_json")


def _nan(event: Event, rng: Random) -> Line:
    word = rng.choice((b"NaN", b"-Infinity"))
    data = _encode(event.record)[:-1] + b',"score":' + word + b"}"
    return Line(data, None, Fate.QUARANTINED, "not_json")


def _joined_lines(event: Event, rng: Random) -> Line:
    data = _encode(event.record)
    return Line(data + data, None, Fate.QUARANTINED, "not_json")


def _not_utf8(event: Event, rng: Random) -> Line:
    text = rng.choice((b"caf\xe9", b"\xff\xfe", b"\xf0\x9f\x92", b"\xed\xa0\xbd"))
    data = _encode(event.record)[:-1] + b',"note":"' + text + b'"}'
    return Line(data, None, Fate.QUARANTINED, "not_utf8")


def _not_object(event: Event, rng: Random) -> Line:
    return Line(rng.choice(_NOT_OBJECT), None, Fate.QUARANTINED, "not_object")


def _future_clock(event: Event, rng: Random) -> Line:
    wrong = iso(event.at + rng.randrange(20 * 365, 60 * 365) * DAY)
    data = _encode({**event.record, "occurred_at": wrong})
    return Line(data, event.data_type, Fate.QUARANTINED, "future_time")


def _no_time(event: Event, rng: Random) -> Line:
    return Line(_lacking(event, "occurred_at", rng), event.data_type, Fate.QUARANTINED, "no_time")


def _bad_time(event: Event, rng: Random) -> Line:
    data = _encode({**event.record, "occurred_at": rng.choice(_BAD_TIMES)})
    return Line(data, event.data_type, Fate.QUARANTINED, "bad_time")


def _missing_field(event: Event, rng: Random) -> Line:
    field = rng.choice(REQUIRED[event.data_type])
    return Line(_lacking(event, field, rng), event.data_type, Fate.REJECTED)


def _unknown_type(event: Event, rng: Random) -> Line:
    data = _encode({**event.record, "type": rng.choice(_UNKNOWN_TYPES)})
    return Line(data, None, Fate.UNCLAIMED)


def _no_type(event: Event, rng: Random) -> Line:
    return Line(_lacking(event, "type", rng), None, Fate.UNCLAIMED)


def _lacking(event: Event, field: str, rng: Random) -> bytes:
    """The record with `field` null or absent."""
    record = dict(event.record)
    if rng.random() < 0.5:
        record[field] = None
    else:
        del record[field]
    return _encode(record)


Damage = Callable[[Event, Random], Line]

DAMAGES: dict[str, tuple[float, Damage]] = {
    "cut_line": (0.001, _cut_line),
    "not_json": (0.001, _not_json),
    "nan": (0.001, _nan),
    "joined_lines": (0.001, _joined_lines),
    "not_utf8": (0.001, _not_utf8),
    "not_object": (0.001, _not_object),
    "future_clock": (0.002, _future_clock),
    "no_time": (0.001, _no_time),
    "bad_time": (0.001, _bad_time),
    "missing_field": (0.002, _missing_field),
    "unknown_type": (0.004, _unknown_type),
    "no_type": (0.001, _no_type),
}
"""Trouble to its share of all lines and what it does to one."""

NEEDS_TYPE = frozenset({"unknown_type", "no_type"})
"""Troubles of records that are routed by their type."""

_NAMES = tuple(DAMAGES)
_UP_TO = tuple(itertools.accumulate(rate for rate, _ in DAMAGES.values()))


def lateness(rng: Random) -> int:
    """How long after it happened an event is written, in ms; mostly under two seconds."""
    chance = rng.random()
    if chance >= sum(LATE.values()):
        return int(rng.random() * 2000)
    if chance < LATE["late_days"]:
        return rng.randrange(1, 4) * DAY + rng.randrange(DAY)
    if chance < LATE["late_days"] + LATE["late_hours"]:
        return rng.randrange(HOUR, 12 * HOUR)
    return rng.randrange(MINUTE, HOUR)


def lateness_name(late: int) -> str:
    """The trouble's name for a delay in ms, "" for none that matters."""
    if late < MINUTE:
        return ""
    return "late_minutes" if late < HOUR else "late_hours" if late < DAY else "late_days"


def write_line(event: Event, host: int, share: float, rng: Random) -> Line:
    """The event as `host` (a number from 0) writes it when `share` of the period has passed."""
    chance = rng.random()
    if chance < _UP_TO[-1]:
        name = _NAMES[bisect(_UP_TO, chance)]
        if name not in NEEDS_TYPE or "type" in event.record:
            return DAMAGES[name][1](event, rng)._replace(trouble=name)
    if event.data_type == "job_view" and share >= ADDED_FROM:
        return _released_view(event, host, share)
    record = event.record
    if event.data_type == "search" and share >= TEXT_RESULTS_FROM and rng.random() < MANY_RESULTS:
        data = _encode({**record, "results": "many"})
        return Line(data, event.data_type, Fate.REJECTED, trouble="text_results")
    if chance > 1 - ASCII_ONLY:
        data = json.dumps(record).encode()
        return Line(data, event.data_type, Fate.STAGED, trouble="ascii_only")
    return Line(_encode(record), event.data_type, Fate.STAGED)


def _released_view(event: Event, host: int, share: float) -> Line:
    """A view by a newer release: with a field more, and for a while with a field of another type."""
    record: dict[str, Any] = {**event.record, "client": {"app": "4.2.0", "os": "🍏"}}
    if host == TEXT_DURATION_HOST and TEXT_DURATION[0] <= share < TEXT_DURATION[1]:
        record["duration_ms"] = f"{record['duration_ms']}ms"
        return Line(_encode(record), event.data_type, Fate.REJECTED, trouble="text_duration")
    return Line(_encode(record), event.data_type, Fate.STAGED, trouble="field_added")
