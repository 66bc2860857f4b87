"""A job board's listings as they changed: 421 days, fields whose type drifts, to a Redshift mart.

The host that sent them restarted and sent its first lines again, as happens.
"""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from platform_client import PlatformClient, write_lines
from straight import (
    Event,
    a_boolean,
    a_long,
    a_string,
    by_type_and_hour,
    groups,
    lines,
    list_of,
    object_of,
    split,
)

EVENTS = "job_postings/internships_events.jsonl.gz"
SENT_AGAIN = 500

LISTING = {
    "id": a_string,
    "company_name": a_string,
    "company_url": a_string,
    "title": a_string,
    "url": a_string,
    "source": a_string,
    "sponsorship": a_string,
    "locations": list_of(a_string),
    "terms": list_of(a_string),
    "active": a_boolean,
    "is_visible": a_boolean,
    "date_posted": a_long,
    "date_updated": a_long,
}
EVENT = {
    "event": a_string,
    "commit": a_string,
    "observed_at": a_long,
    "changed": list_of(a_string),
    "listing": object_of(required=["id"], **LISTING),
}
FITS = object_of(required=["event", "commit", "observed_at", "listing"], **EVENT)


def observed_at(event: Event) -> datetime:
    return datetime.fromtimestamp(event["observed_at"], UTC)


def identity(event: Event) -> tuple[object, ...]:
    return event["commit"], event["event"], event["listing"]["id"]


@pytest.fixture(scope="module")
def sent(
    platform: PlatformClient, data: Path, contracts: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[bytes]:
    """All lines that were sent, and are landed."""
    once = lines(data / EVENTS)
    again = write_lines(tmp_path_factory.mktemp("postings") / "again.log", once[:SENT_AGAIN])
    platform.send("internships", data / EVENTS, again)
    platform.land(contracts, "internships")
    return once + once[:SENT_AGAIN]


@pytest.fixture(scope="module")
def staged(sent: list[bytes]) -> tuple[list[Event], int, int]:
    """The events that staging should hold, and how many it should reject and drop as repeated."""
    return split(sent, FITS, identity)


@pytest.fixture(scope="module")
def lake(platform: PlatformClient, sent: list[bytes]) -> None:
    """Staging and roll-up, built."""
    platform.dbt("lake", "build", "--select", "+rollup_listing_daily", "*listing_event_rejects")


@pytest.fixture(scope="module")
def warehouse(platform: PlatformClient, lake: None) -> None:
    """Load and mart, built."""
    platform.dbt("warehouse", "build", "--select", "+mart_listing_monthly")


@pytest.fixture(scope="module")
def expected(staged: tuple[list[Event], int, int]) -> dict[tuple[str, str], tuple[int, int]]:
    """The roll-up by (day, event): events, listings."""
    by_day = groups(staged[0], lambda event: (str(observed_at(event).date()), event["event"]))
    return {
        key: (len(events), len({event["listing"]["id"] for event in events}))
        for key, events in by_day.items()
    }


def test_each_hour_is_registered_with_as_many_records_as_were_sent(
    platform: PlatformClient, sent: list[bytes]
) -> None:
    expected = by_type_and_hour(sent, lambda _: "listing_event", observed_at)
    registered = platform.spark("show partitions raw.listing_event")
    assert len(expected) == 1_846
    assert {name for (name,) in registered} == {f"dt={dt}/hour={hh}" for _, dt, hh in expected}
    assert platform.ledger("internships") == expected


@pytest.mark.usefixtures("lake")
def test_landed_is_staged_and_rejected_and_repeated(
    platform: PlatformClient, sent: list[bytes], staged: tuple[list[Event], int, int]
) -> None:
    kept, rejected, repeated = staged
    rejects = platform.spark("""
        select field, reason, count(*)
        from real_lake.stg_jobs__listing_event_rejects
        group by field, reason
    """)
    in_rollup = platform.spark("select sum(events) from real_lake.rollup_listing_daily")
    assert len(sent) == len(kept) + rejected + repeated
    assert repeated > 0
    assert rejects == [("listing", "type", rejected)]
    assert in_rollup == [(len(kept),)]


@pytest.mark.usefixtures("lake")
def test_the_rollup_equals_the_file(
    platform: PlatformClient, expected: dict[tuple[str, str], tuple[int, int]]
) -> None:
    rows = platform.spark("select dt, event, events, listings from real_lake.rollup_listing_daily")
    assert {
        (str(dt), event): (events, listings) for dt, event, events, listings in rows
    } == expected


@pytest.mark.usefixtures("warehouse")
def test_the_load_equals_the_file(
    platform: PlatformClient, expected: dict[tuple[str, str], tuple[int, int]]
) -> None:
    rows = platform.redshift(
        "select dt, event, events, listings from real_loads.load_rollup_listing_daily"
    )
    assert {
        (str(dt), event): (events, listings) for dt, event, events, listings in rows
    } == expected


@pytest.mark.usefixtures("warehouse")
def test_the_mart_equals_the_file(
    platform: PlatformClient, staged: tuple[list[Event], int, int]
) -> None:
    by_month = Counter(
        (observed_at(event).date().replace(day=1), event["event"]) for event in staged[0]
    )
    rows = platform.redshift("""
        select month, added, closed, reopened
        from real_marts.mart_listing_monthly
    """)
    months = {month for month, _ in by_month}
    kinds = ("listing_added", "listing_closed", "listing_reopened")
    assert {month: tuple(counts) for month, *counts in rows} == {
        month: tuple(by_month[month, kind] for kind in kinds) for month in months
    }


def test_drift_is_told_by_day_field_by_field(
    platform: PlatformClient, sent: list[bytes], contracts: Path
) -> None:
    events = [json.loads(line) for line in sent]
    days = Counter(f"{observed_at(event):%Y-%m-%d}" for event in events)
    told: set[str] = set()
    for day, count in days.most_common(3):
        of_day = [event for event in events if f"{observed_at(event):%Y-%m-%d}" == day]
        unnamed: Counter[str] = Counter()
        misfits: Counter[str] = Counter()
        for event in of_day:
            unnamed.update(event.keys() - EVENT.keys())
            unnamed.update(f"listing.{name}" for name in event["listing"].keys() - LISTING.keys())
            misfits.update(
                f"listing.{name}"
                for name in ("active", "is_visible", "date_posted", "date_updated")
                if event["listing"].get(name) is not None
                and not LISTING[name](event["listing"][name])
            )
        found = platform.drift(contracts, "listing_event", day)
        assert {one["of"] for one in found} <= {count}
        new = {
            one["field"]: one["records"] for one in found if one["what"] == "not in the contract"
        }
        assert new == unnamed
        scalar: Counter[str] = Counter()
        for one in found:
            if " instead of boolean" in one["what"] or " instead of bigint" in one["what"]:
                scalar[one["field"]] += one["records"]
        assert scalar == misfits
        told |= new.keys() | scalar.keys()
    assert told, "the data drift, and so something is told"
