"""GitHub's public events: many data types in one topic, from the file to Spark."""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import pytest
from github_contracts import EVENTS, MINIMIZED, data_type, minimized_type
from platform_client import PlatformClient
from straight import Event, HourCounts, by_type_and_hour, lines, sha256s

HOUR = "github_events/2015-01-01-0.jsonl.gz"
MINIMIZED_HOURS = "github_events/minimized-*.jsonl.gz"


@pytest.fixture(scope="module")
def hour(platform: PlatformClient, data: Path, github_contracts: Path) -> list[bytes]:
    """The hour's lines, landed."""
    platform.send("github", data / HOUR)
    platform.land(github_contracts, "github")
    return lines(data / HOUR)


@pytest.fixture(scope="module")
def minimized(platform: PlatformClient, data: Path, github_contracts: Path) -> list[bytes]:
    """The lines of the minimized hours, landed."""
    files = sorted(data.glob(MINIMIZED_HOURS))
    platform.send("github_minimized", *files)
    platform.land(github_contracts, "github_minimized")
    return [line for file in files for line in lines(file)]


def counted_in_spark(platform: PlatformClient, data_types: Iterable[str]) -> HourCounts:
    query = " union all ".join(
        f"select '{name}', cast(dt as string), hour, count(*) from raw.{name} group by dt, hour"
        for name in data_types
    )
    return Counter({(name, dt, hh): count for name, dt, hh, count in platform.spark(query)})


def type_of_event(event: Event) -> str:
    return data_type(event["type"])


def type_of_minimized(event: Event) -> str:
    return minimized_type(event["type"])


def test_each_type_and_hour_has_as_many_rows_as_the_file(
    platform: PlatformClient, hour: list[bytes]
) -> None:
    expected = by_type_and_hour(
        hour, type_of_event, lambda event: datetime.fromisoformat(event["created_at"])
    )
    assert expected.total() == 7_702
    assert counted_in_spark(platform, map(data_type, EVENTS)) == expected


def test_every_line_is_on_s3_byte_for_byte_under_its_type(
    platform: PlatformClient, hour: list[bytes]
) -> None:
    for event in EVENTS:
        expected = sha256s(line for line in hour if json.loads(line)["type"] == event)
        assert sha256s(platform.landed_lines(data_type(event))) == expected


def test_nothing_is_set_aside(
    platform: PlatformClient, hour: list[bytes], minimized: list[bytes]
) -> None:
    assert platform.quarantined("github") == []
    assert platform.quarantined("github_minimized") == []


def test_nested_fields_are_columns(platform: PlatformClient, hour: list[bytes]) -> None:
    pushes = [event for event in map(json.loads, hour) if event["type"] == "PushEvent"]
    messages = [commit["message"] for push in pushes for commit in push["payload"]["commits"]]
    assert platform.spark("""
        select
            count(*),
            sum(payload.size),
            sum(size(payload.commits)),
            sum(aggregate(payload.commits, 0L, (sum, one) -> sum + length(one.message))),
            count(distinct actor.login)
        from raw.push_event
    """) == [
        (
            len(pushes),
            sum(push["payload"]["size"] for push in pushes),
            len(messages),
            sum(map(len, messages)),
            len({push["actor"]["login"] for push in pushes}),
        )
    ]


def test_json_kept_as_text_is_still_the_same_json(
    platform: PlatformClient, hour: list[bytes]
) -> None:
    expected = {
        event["id"]: event["payload"]
        for event in map(json.loads, hour)
        if event["type"] == "GollumEvent"
    }
    rows = platform.spark("select id, payload from raw.gollum_event")
    assert {id_: json.loads(payload) for id_, payload in rows} == expected


def test_each_minimized_type_and_hour_has_as_many_rows_as_the_files(
    platform: PlatformClient, minimized: list[bytes]
) -> None:
    expected = by_type_and_hour(
        minimized, type_of_minimized, lambda event: datetime.fromisoformat(event["dt"])
    )
    assert expected.total() == 127_397
    assert counted_in_spark(platform, map(minimized_type, MINIMIZED)) == expected
