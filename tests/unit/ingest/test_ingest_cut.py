"""Cuts: records to a manifest and objects, the same for whoever makes them."""

import base64
import gzip
import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_source import MemoryRecord, batch_of

from ingest.headers import TOO_LARGE
from ingest.land.cut import Cut, OpenCut
from ingest.land.manifest import Kind, Manifest, ManifestKey, Producer, read_manifest
from ingest.land.rules import Rule, Rules
from ingest.land.source import Partition

RULES = Rules((Rule("click", "t", "type", "click", "at", None),))
PARTITION = Partition("t", 2)
NOW = 1_767_326_400_000
"""2026-01-02T04:00:00Z."""


def click(at: str) -> bytes:
    return b'{"type":"click","at":"%s"}' % at.encode()


def produced(host: str, file: str, sequence: int) -> tuple[tuple[str, bytes], ...]:
    return (("host", host.encode()), ("file", file.encode()), ("seq", b"%d" % sequence))


def made(records: list[MemoryRecord], first: int = 0, reached: int | None = None) -> Cut:
    cut = OpenCut(PARTITION, first, RULES)
    if records:
        cut.add(batch_of(records))
    return cut.finish(reached or cut.next, "id", "lander-1", "2026-01-02T04:00:00.000Z")


def lines(cut: Cut, key: str) -> list[bytes]:
    return gzip.decompress(cut.bodies[key].data).splitlines()


def test_records_go_to_one_object_per_type_and_hour() -> None:
    cut = made(
        [
            MemoryRecord(0, NOW, click("2026-01-02T03:10:00Z")),
            MemoryRecord(1, NOW, click("2026-01-01T23:10:00Z")),
            MemoryRecord(2, NOW, click("2026-01-02T03:50:00Z")),
            MemoryRecord(3, NOW, b'{"type":"nobody"}'),
        ]
    )
    assert [(o.data_type, o.dt, o.hour, o.records) for o in cut.manifest.objects] == [
        ("click", "2026-01-01", "23", 1),
        ("click", "2026-01-02", "03", 2),
        ("unclaimed", "2026-01-02", "04", 1),
    ]
    assert lines(cut, cut.manifest.objects[1].key) == [
        click("2026-01-02T03:10:00Z"),
        click("2026-01-02T03:50:00Z"),
    ]


def test_a_record_after_its_hour_and_the_grace_counts_as_late() -> None:
    ten_past, eleven_past = NOW + 599_999, NOW + 600_000
    cut = made(
        [
            MemoryRecord(0, ten_past, click("2026-01-02T03:59:00Z")),
            MemoryRecord(1, eleven_past, click("2026-01-02T03:59:00Z")),
        ]
    )
    assert cut.manifest.objects[0].late == 1


def test_offsets_without_a_record_are_gaps() -> None:
    records = [MemoryRecord(n, NOW, b"{}") for n in (7, 8, 11)]
    manifest = made(records, first=5, reached=14).manifest
    assert (manifest.first, manifest.next, manifest.records) == (5, 14, 3)
    assert manifest.gaps == ((5, 7), (9, 11), (12, 14))


def test_records_delivered_again_are_taken_once() -> None:
    cut = OpenCut(PARTITION, 0, RULES)
    for offsets in ((0, 1, 2), (1, 2, 3), (0, 2)):
        cut.add(batch_of([MemoryRecord(n, NOW, b"{}") for n in offsets]))
    manifest = cut.finish(cut.next, "id", "lander-1", "").manifest
    assert (manifest.records, manifest.gaps) == (4, ())


def test_sequence_numbers_are_told_by_host_and_file() -> None:
    cut = made(
        [
            MemoryRecord(0, NOW, b"{}", produced("web-1", "a", 5)),
            MemoryRecord(1, NOW, b"{}", produced("web-1", "a", 7)),
            MemoryRecord(2, NOW, b"not json", produced("web-2", "a", 1)),
            MemoryRecord(3, NOW, b"{}", (("host", b"web-3"),)),
            MemoryRecord(4, NOW, b"{}", produced("web-1", "a", 6)),
        ]
    )
    assert cut.manifest.producers == (
        Producer("web-1", "a", 3, ((5, 7),)),
        Producer("web-2", "a", 1, ((1, 1),)),
    )


@given(st.lists(st.integers(0, 12) | st.integers(0, 10**18 - 1), min_size=1))
def test_a_producers_ranges_are_the_sequence_numbers_that_came(numbers: list[int]) -> None:
    records = [
        MemoryRecord(n, NOW, b"{}", produced("h", "f", sequence))
        for n, sequence in enumerate(numbers)
    ]
    (producer,) = made(records).manifest.producers
    assert producer.records == len(numbers)
    assert {n for first, last in producer.ranges for n in range(first, last + 1)} == set(numbers)
    gaps = [after - last for (_, last), (after, _) in pairwise(producer.ranges)]
    assert all(gap > 1 for gap in gaps), "runs neither touch nor overlap, and are in order"


def test_a_sequence_number_beyond_all_bounds_is_none() -> None:
    records = [MemoryRecord(0, NOW, b"{}", (("host", b"h"), ("file", b"f"), ("seq", b"9" * 5000)))]
    assert made(records).manifest.producers == ()


def test_finished_runs_count_as_memory() -> None:
    cut = OpenCut(PARTITION, 0, RULES)
    cut.add(batch_of([MemoryRecord(0, NOW, None, produced("h", "f", 0))]))
    before = cut.held
    cut.add(
        batch_of([MemoryRecord(n, NOW, None, produced("h", "f", 2 * n)) for n in range(1, 101)])
    )
    scattered = cut.held - before
    cut.add(
        batch_of([MemoryRecord(n, NOW, None, produced("h", "f", 100 + n)) for n in range(101, 201)])
    )
    assert scattered > cut.held - before - scattered > 0


def test_a_quarantined_record_keeps_all_that_is_needed_to_land_it() -> None:
    raw = b'\xff\x00{"a'
    record = MemoryRecord(9, NOW, raw, produced("web-1", "a", 5))
    cut = made([record], first=9)
    assert not cut.manifest.objects
    (aside,) = cut.manifest.quarantine
    assert aside.key == (
        "production-logs/_quarantine/t/2026/01/02/04/2+00000000000000000009.jsonl.gz"
    )
    (line,) = lines(cut, aside.key)
    held = json.loads(line)
    assert base64.b64decode(held["value"]) == raw
    assert (held["topic"], held["partition"], held["offset"], held["timestamp"]) == ("t", 2, 9, NOW)
    assert [(name, base64.b64decode(value)) for name, value in held["headers"]] == list(
        record.headers
    )
    assert (held["reason"], held["field"], held["data_type"]) == ("not_utf8", None, None)


def test_reasons_are_counted_by_data_type() -> None:
    cut = made(
        [
            MemoryRecord(0, NOW, b"x"),
            MemoryRecord(1, NOW, b'{"type":"click"}'),
            MemoryRecord(2, NOW, b"y"),
            MemoryRecord(3, NOW, None),
        ]
    )
    assert [(r.reason, r.data_type, r.records) for r in cut.manifest.reasons] == [
        ("no_time", "click", 1),
        ("no_value", None, 1),
        ("not_json", None, 2),
    ]


def test_what_stands_for_a_line_that_was_too_large_is_set_aside() -> None:
    headers = (*produced("web-1", "a", 5), (TOO_LARGE, b"20971520"))
    cut = made([MemoryRecord(0, NOW, click("2026-01-02T03:10:00Z"), headers)])
    assert [(r.reason, r.records) for r in cut.manifest.reasons] == [("too_large", 1)]
    (line,) = lines(cut, cut.manifest.quarantine[0].key)
    assert json.loads(line)["found"] == "20971520 bytes"


def test_a_manifest_is_read_again_as_it_was_written() -> None:
    manifest = made([MemoryRecord(0, NOW, b"{}", produced("h", "f", 1))], reached=5).manifest
    assert read_manifest(manifest.key, manifest.to_json()) == manifest
    assert manifest.to_json().count(b"\n") == 1


def test_the_chain_sorts_by_generation_and_offset() -> None:
    chain = [
        replace(made([], first=n, reached=n + 1).manifest, generation=generation)
        for generation, n in ((0, 9), (0, 10), (0, 99), (0, 1000), (1, 0), (1, 99), (2, 0))
    ]
    keys = [manifest.key for manifest in chain]
    assert keys == sorted(keys)
    assert keys[4] == "production-logs/_cuts/t/2/~0001+00000000000000000000.json"
    note = replace(chain[4], kind=Kind.LOST_OBJECTS)
    assert keys[4] < note.key < keys[5]
    for manifest in (*chain, note):
        key = ManifestKey.parse(manifest.key)
        assert key == (
            "t", 2, manifest.generation, manifest.first, manifest.kind is Kind.LOST_OBJECTS
        )  # fmt: skip
    assert keys[0] == "production-logs/_cuts/t/2/00000000000000000009.json"


@pytest.mark.parametrize(
    "name", ["~0000+00000000000000000000.json", "5.json", "00000000000000000000.txt", "02/5.json"]
)
def test_another_name_is_no_manifests(name: str) -> None:
    assert ManifestKey.parse(f"production-logs/_cuts/t/2/{name}") is None


def without_writer(manifest: Manifest) -> tuple[object, ...]:
    return manifest.objects, manifest.quarantine, manifest.gaps, manifest.reasons


@given(st.lists(st.binary(max_size=30) | st.just(click("2026-01-02T03:10:00Z"))), st.data())
def test_a_cut_does_not_depend_on_how_its_records_arrive(
    values: list[bytes], data: st.DataObject
) -> None:
    records = [MemoryRecord(n, NOW, value) for n, value in enumerate(values)]
    whole = made(records)
    pieces = OpenCut(PARTITION, 0, RULES)
    while records:
        size = data.draw(st.integers(1, len(records)))
        pieces.add(batch_of(records[:size]))
        records = records[size:]
    other = pieces.finish(pieces.next, "id", "lander-2", "later")
    assert without_writer(other.manifest) == without_writer(whole.manifest)
    assert other.bodies == whole.bodies
    assert sum(body.records for body in whole.bodies.values()) == len(values)
