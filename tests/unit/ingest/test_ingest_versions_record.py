"""The names and records of versions, and how objects are grouped."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datacore.errors import UsageError
from ingest.land.hourlog import Hour
from ingest.land.objects import hour_number, raw_key
from ingest.replay.entry import replayed_name
from ingest.replay.sources import aside_name
from ingest.versions.commands import Days, Total, line
from ingest.versions.compact import Outcome
from ingest.versions.record import (
    History,
    ObjectName,
    Output,
    Version,
    Why,
    base_folder,
    group,
    merged_name,
    name_of,
    order,
    place_of,
    read_version,
    version_folder,
)

HOUR = Hour("click", "2026-01-02", "05")
TOPICS = st.from_regex(r"[a-zA-Z0-9._-]{1,20}", fullmatch=True)


def version(number: int, inputs: tuple[str, ...]) -> Version:
    folder = version_folder(HOUR, number)
    output = Output(folder + merged_name(number, 0), 3, 9, "s", len(inputs))
    return Version(*HOUR, number, Why.COMPACT, "w", "now", inputs, (output,))


def test_a_record_is_read_again_as_it_was_written() -> None:
    made = version(1, (base_folder(HOUR) + "t+0+00000000000000000000.jsonl.gz",))
    assert read_version(made.key, made.to_json()) == made
    assert made.key == "production-logs/_versions/click/2026/01/02/05/000001.json"
    assert made.folder == "production-logs/_versioned/click/2026/01/02/05/000001/"
    assert made.to_json().count(b"\n") == 1


def test_a_damaged_record_is_named() -> None:
    with pytest.raises(UsageError, match=r"000001\.json is damaged"):
        read_version("production-logs/_versions/click/2026/01/02/05/000001.json", b'{"version":')


def test_an_object_is_superseded_by_its_name_wherever_it_was_read() -> None:
    late = "t+0+00000000000000000009.jsonl.gz"
    first = version(1, (base_folder(HOUR) + "t+0+00000000000000000000.jsonl.gz",))
    second = version(2, (first.outputs[0].key, first.folder + late))
    known = History(HOUR, (first, second))
    assert late not in known.superseded(1)
    assert known.superseded() == {
        "t+0+00000000000000000000.jsonl.gz", merged_name(1, 0), late,
    }  # fmt: skip


@given(TOPICS, st.integers(0, 500), st.integers(0, 10**20 - 1))
def test_a_landed_objects_name_tells_its_manifest(topic: str, partition: int, first: int) -> None:
    key = raw_key("click", hour_number("2026-01-02", "05"), topic, partition, first)
    found = ObjectName.parse(name_of(key))
    assert found is not None
    assert found.promise == f"production-logs/_cuts/{topic}/{partition}/{first:020}.json"
    assert place_of(key) == (HOUR, name_of(key))


@given(TOPICS, st.integers(0, 10**9))
def test_a_replayed_objects_name_tells_its_replay(topic: str, sequence: int) -> None:
    found = ObjectName.parse(replayed_name(topic, sequence))
    assert found is not None
    assert found.promise == f"production-logs/_replays/{topic}/{sequence:020}.json"


def test_a_topic_that_was_made_again_has_its_own_manifests() -> None:
    found = ObjectName.parse("t~0003+7+00000000000000000012.jsonl.gz")
    assert found == ObjectName("t", 3, 7, "00000000000000000012")
    assert found.promise == "production-logs/_cuts/t/7/~0003+00000000000000000012.json"
    aside = aside_name("t", "7~0003+00000000000000000012.jsonl.gz")
    assert ObjectName.parse(aside) == found


@pytest.mark.parametrize("name", [merged_name(1, 0), "notes.txt", "a+b+c.jsonl.gz", "a+1.jsonl.gz"])
def test_other_names_are_nobodys(name: str) -> None:
    assert ObjectName.parse(name) is None


@pytest.mark.parametrize(
    "key",
    ["production-logs/_cuts/t/0/00000000000000000000.json", "production-logs/click/2026/01/02/05/"],
)
def test_other_keys_are_no_hours(key: str) -> None:
    assert place_of(key) is None


def test_the_order_is_that_of_merged_ones_topic_generation_partition_offset_and_replays() -> None:
    ordered = [
        merged_name(1, 0),
        merged_name(1, 1),
        "a+2+00000000000000000009.jsonl.gz",
        "a+10+00000000000000000000.jsonl.gz",
        "a+replay+00000000000000000000.jsonl.gz",
        "a~0001+0+00000000000000000000.jsonl.gz",
        "b+0+00000000000000000000.jsonl.gz",
    ]
    mixed = [*ordered[4:], *ordered[:4]]
    assert sorted(mixed, key=order) == ordered


@given(st.lists(st.integers(0, 100), max_size=40), st.integers(1, 200))
def test_groups_hold_every_object_once_and_are_bounded(sizes: list[int], target: int) -> None:
    objects = [(f"f/t+0+{n:020}.jsonl.gz", size) for n, size in enumerate(sizes)]
    groups = group(reversed(objects), target)
    assert [key for keys in groups for key in keys] == [key for key, _ in objects]
    held = dict(objects)
    for keys in groups:
        assert len(keys) == 1 or sum(held[key] for key in keys) <= target
    for before, after in zip(groups, groups[1:], strict=False):  # noqa: RUF007
        assert sum(held[key] for key in before) + held[after[0]] > target


def test_days_are_chosen_with_both_ends() -> None:
    days = Days("click", date(2026, 1, 2), date(2026, 1, 3))
    held = [
        dt
        for dt in ("2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04")
        if days.holds("click", dt)
    ]
    assert held == ["2026-01-02", "2026-01-03"]
    assert not days.holds("view", "2026-01-02")
    assert Days(None, None, None).holds("view", "0001-01-01")


def test_an_hour_and_the_run_are_told_in_a_line() -> None:
    done = Outcome(HOUR, (1_000, 2_000, 3_000), (5_000,), 1, removed=2)
    assert line(done, False) == (
        "click 2026-01-02 05: 3 -> 1 objects, 5.9 KiB -> 4.9 KiB, version 1; "
        "2 superseded objects removed"
    )
    assert "would be 3 -> 1 objects" in line(done, True)
    total = Total()
    total.add(done)
    total.add(Outcome(HOUR, (1,), (1,), 1, left="another run writes version 1"))
    assert total.line(False) == (
        "1 hours compacted: 3 -> 1 objects; sizes 1.0 KiB/2.0 KiB/2.9 KiB -> "
        "4.9 KiB/4.9 KiB/4.9 KiB; 2 superseded removed, 1 left to another run, 0 with differences"
    )
