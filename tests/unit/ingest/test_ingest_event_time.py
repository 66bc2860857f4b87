"""Event times: every common way to write a time gives the same milliseconds."""

import pytest

from ingest.land.event_time import FIRST_MS, LAST_MS, BadEventTime, event_ms

NOON = 1_420_113_600_000
"""2015-01-01T12:00:00Z."""


@pytest.mark.parametrize(
    "text",
    [
        "2015-01-01T12:00:00Z",
        "2015-01-01T12:00:00z",
        "2015-01-01T12:00:00.000Z",
        "2015-01-01T12:00:00.000000000Z",
        "2015-01-01T12:00:00+00:00",
        "2015-01-01T17:30:00+05:30",
        "2015-01-01T04:00:00-0800",
        "2015-01-01 04:00:00 -0800",
        "2015-01-01 12:00:00",
        "2015-01-01 12:00:00 UTC",
        "2015-01-01T12:00:00",
        "20150101T120000Z",
        "1420113600",
        "1420113600000",
        "1420113600000000",
    ],
)
def test_texts_of_one_moment_are_one_time(text: str) -> None:
    assert event_ms(text) == NOON


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        (1_420_113_600, None),
        (1_420_113_600.0, None),
        (1_420_113_600_000, None),
        (1_420_113_600_000_000, None),
        (1_420_113_600_000_000_000, None),
        (1_420_113_600, "s"),
        (1_420_113_600_000, "ms"),
        (1_420_113_600_000_000, "us"),
    ],
)
def test_epochs_of_one_moment_are_one_time(value: float, unit: str | None) -> None:
    assert event_ms(value, unit) == NOON


def test_declared_unit_wins_over_magnitude() -> None:
    assert event_ms(5_000, "ms") == 5_000
    assert event_ms(5_000) == 5_000_000


def test_leap_second_counts_as_the_second_before() -> None:
    before = event_ms("2016-12-31T23:59:59Z")
    assert event_ms("2016-12-31T23:59:60Z") == before
    assert event_ms("2017-01-01T05:29:60+05:30") == before
    assert event_ms("2017-01-01T05:44:60+05:45") == before
    with pytest.raises(BadEventTime):
        event_ms("2016-12-31T23:58:60Z")


def test_fractions_of_a_second_are_kept_to_the_millisecond() -> None:
    assert event_ms("2015-01-01T12:00:00.123456Z") == NOON + 123
    assert event_ms(1_420_113_600.5) == NOON + 500


def test_years_1_and_9999_are_times() -> None:
    assert event_ms("0001-01-01T00:00:00Z") == FIRST_MS
    assert event_ms("9999-12-31T23:59:59.999Z") == LAST_MS


@pytest.mark.parametrize(
    "value",
    [
        "",
        "yesterday",
        "2015-13-01T00:00:00Z",
        "2015-02-30T00:00:00Z",
        "2015-01-01T25:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        True,
        [],
        {},
        float("inf"),
        float("nan"),
        10**30,
        "9" * 21,
    ],
)
def test_anything_else_is_no_time(value: object) -> None:
    with pytest.raises(BadEventTime):
        event_ms(value)
