"""Applicants' views of postings: a table exported as CSV, with `NA` where a value is missing."""

import json
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from platform_client import PlatformClient, write_lines
from straight import Event, by_type_and_hour, day_and_hour, rows, sha256s

VIEWS = "job_views/job_views.csv.gz"

DAYS = ("2015-01-05", "2015-01-06", "2015-01-07")
"""Read through Spark: days on which some views were logged twice."""


def as_event(row: dict[str, str]) -> bytes:
    """A row as its producer would have logged it; times stay as they are written."""
    known = {name: None if value == "NA" else value for name, value in row.items()}
    seconds = known["View.Duration"]
    event = {
        "applicant_id": int(row["Applicant.ID"]),
        "job_id": int(row["Job.ID"]),
        "industry": known["Industry"],
        "viewed": {
            "start": known["View.Start"],
            "end": known["View.End"],
            "seconds": None if seconds is None else int(seconds),
        },
    }
    return json.dumps(event).encode()


@pytest.fixture(scope="module")
def views(
    platform: PlatformClient, data: Path, contracts: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[bytes]:
    """The rows as events, landed."""
    events = [as_event(row) for row in rows(data / VIEWS)]
    log = write_lines(tmp_path_factory.mktemp("job_views") / "views.log", events)
    platform.send("job_views", log)
    platform.land(contracts, "job_views")
    return events


def start(event: Event) -> datetime:
    return datetime.strptime(event["viewed"]["start"] + "+0000", "%Y-%m-%d %H:%M:%S UTC%z")


@pytest.fixture(scope="module")
def some_days(views: list[bytes]) -> list[Event]:
    """The events of DAYS."""
    events = map(json.loads, views)
    return [event for event in events if day_and_hour(start(event))[0] in DAYS]


def test_every_row_is_on_s3_byte_for_byte_and_none_is_set_aside(
    platform: PlatformClient, views: list[bytes]
) -> None:
    assert sha256s(platform.landed_lines("applicant_view")) == sha256s(views)
    assert platform.quarantined("job_views") == []


def test_the_ledger_has_as_many_records_an_hour_as_the_file(
    platform: PlatformClient, views: list[bytes]
) -> None:
    expected = by_type_and_hour(views, lambda _: "applicant_view", start)
    assert expected.total() == 12_370
    assert platform.ledger("job_views") == expected


def test_missing_values_are_null(platform: PlatformClient, some_days: list[Event]) -> None:
    in_spark = platform.spark(f"""
        select applicant_id, job_id, industry, viewed.start, viewed.end, viewed.seconds
        from raw.applicant_view
        where dt in {DAYS}
    """)
    expected = Counter(
        (event["applicant_id"], event["job_id"], event["industry"], *event["viewed"].values())
        for event in some_days
    )
    assert Counter(in_spark) == expected


def test_views_logged_twice_are_staged_once(
    platform: PlatformClient, some_days: list[Event]
) -> None:
    once = {
        (event["applicant_id"], event["job_id"], start(event).replace(tzinfo=None))
        for event in some_days
    }
    assert len(once) < len(some_days)
    platform.dbt("lake", "run", "--select", "stg_jobs__applicant_view")
    in_spark = platform.spark(f"""
        select applicant_id, job_id, viewed_at
        from real_lake.stg_jobs__applicant_view
        where dt in {DAYS}
    """)
    assert len(in_spark) == len(once)
    assert set(in_spark) == once
