"""The audit's checks by themselves: generations, versions, replays, producers, names."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datacore.settings import ROOT as CHECKOUT
from ingest.audit.chain import check_chain
from ingest.audit.facts import BucketKey, Link, Listed, Promise, Stored, read_link
from ingest.audit.finding import LOSSES, NEXT, Finding
from ingest.audit.finding import FindingKind as F
from ingest.audit.glue import check_hours, version_read
from ingest.audit.log import Covered, LogCheck, LogObject, behind
from ingest.audit.objects import NOTHING, check_object, check_unknown, cut_of, promises_of
from ingest.audit.producers import (
    Run,
    Sequences,
    check_producers,
    gaps_of,
    on_the_way,
    passed_by_all,
    sequences_of,
)
from ingest.audit.records import (
    LogEntry,
    LogPlace,
    Output,
    Replay,
    Taken,
    Version,
    VersionPlace,
    read_record,
)
from ingest.audit.sizes import MIB, sizes_of
from ingest.audit.versions import Reading, check_replays
from ingest.land.hourlog import Hour, HourTotals
from ingest.land.manifest import Kind, LandedObject, Manifest, ManifestKey, Producer

HOUR = Hour("click", "2026-01-02", "03")
BASE = "production-logs/click/2026/01/02/03"
FIRST, SECOND = (f"production-logs/_versioned/click/2026/01/02/03/00000{n}" for n in (1, 2))
SHA = "a" * 64


def landed(first: int, records: int, generation: int = 0) -> LandedObject:
    name = f"t{f'~{generation:04}' if generation else ''}+0+{first:020}.jsonl.gz"
    return LandedObject(
        f"{BASE}/{name}", "click", "2026-01-02", "03", records, records * 10, 0, SHA
    )


def cut(first: int, next_: int, generation: int = 0, topic_id: str = "id-0") -> Manifest:
    """A cut with one object, a record an offset."""
    return Manifest(
        Kind.CUT, "t", topic_id, 0, first, next_, next_ - first, "r", "l", "2026-01-02T04:00:00.000Z",
        max_timestamp=1000, objects=(landed(first, next_ - first, generation),), generation=generation,
    )  # fmt: skip


def end(at: int, generation: int = 0, topic_id: str = "id-0") -> Manifest:
    return Manifest(
        Kind.END, "t", topic_id, 0, at, at, 0, "r", "l", "2026-01-02T04:00:00.000Z",
        generation=generation,
    )  # fmt: skip


def chain(*manifests: Manifest) -> list[Link]:
    links = []
    for manifest in manifests:
        place = ManifestKey.parse(manifest.key)
        assert place is not None
        links.append(read_link(place, manifest.to_json()))
    return links


def kinds(findings: object) -> list[F]:
    return [finding.kind for finding in findings]  # type: ignore[attr-defined]


# Chains


def test_a_whole_chain_of_several_generations_is_clean() -> None:
    links = chain(
        cut(0, 5), cut(5, 9), end(9),
        cut(0, 3, 1, "id-1"), end(3, 1, "id-1"),
        cut(9, 12, 2, "id-0"),  # the first topic, which Kafka had called deleted too early
    )  # fmt: skip
    assert kinds(check_chain(links)) == []


@pytest.mark.parametrize(
    ("manifests", "found"),
    [
        ((cut(1, 5),), [F.CHAIN_GAP]),
        ((cut(0, 5), cut(7, 9)), [F.CHAIN_GAP]),
        ((cut(0, 5), cut(4, 9)), [F.CHAIN_OVERLAP]),
        ((cut(0, 5), cut(4, 5), cut(5, 6)), [F.CHAIN_OVERLAP]),
        ((cut(0, 5), cut(0, 3, 1, "id-1")), [F.CHAIN_GENERATION]),
        ((cut(0, 5), end(5), cut(0, 3, 2, "id-1")), [F.CHAIN_GENERATION]),
        ((cut(0, 5), end(5), cut(2, 3, 1, "id-1")), [F.CHAIN_GAP]),
        ((cut(0, 5), end(5), cut(5, 6)), [F.CHAIN_GENERATION]),
        ((cut(0, 5), cut(5, 6, 0, "id-1")), [F.CHAIN_GENERATION]),
        ((cut(0, 5), end(7)), [F.CHAIN_GAP]),
    ],
)
def test_a_broken_chain_is_named(manifests: tuple[Manifest, ...], found: list[F]) -> None:
    # an end stands where the next cut would, so a key may come twice here
    assert kinds(check_chain(chain(*manifests))) == found


def test_behind_a_damaged_manifest_nothing_is_guessed() -> None:
    links = chain(cut(0, 5), cut(5, 9), cut(9, 12), cut(13, 14))
    links[1] = Link(links[1].place, None, "truncated")
    found = list(check_chain(links))
    assert kinds(found) == [F.MANIFEST_DAMAGED, F.CHAIN_GAP]
    assert "[12, 13)" in found[1].wrong


def test_an_end_with_a_range_is_damaged() -> None:
    assert kinds(check_chain(chain(replace(end(0), next=3)))) == [F.MANIFEST_DAMAGED]


# Objects


def stored(sha256: str, records: str = "3") -> Stored:
    return Stored("k", "aws:kms", "key", sha256, records)


def test_an_object_that_was_given_up_holds_nothing_and_a_note_says_so() -> None:
    note = replace(cut(0, 3), kind=Kind.LOST_OBJECTS)
    (promise,) = promises_of(chain(cut(0, 3), note))
    assert not promise.needed
    for held in (None, stored(*NOTHING), stored(SHA)):
        assert kinds(check_object(promise, held)) == []
    assert kinds(check_object(promise, stored("b" * 64))) == [F.OBJECT_EDITED]
    (without_note,) = promises_of(chain(cut(0, 3)))
    assert kinds(check_object(without_note, stored(*NOTHING))) == [F.OBJECT_MISSING]


def test_objects_of_a_damaged_manifest_are_not_unknown() -> None:
    names = ("t+0+00000000000000000005", "t~0001+0+00000000000000000005")
    listed = [Listed(f"{BASE}/{name}.jsonl.gz", 1) for name in names]
    aside = "production-logs/_quarantine/t/2026/01/02/03/0~0001+00000000000000000005.jsonl.gz"
    listed.append(Listed(aside, 1))
    damaged = {ManifestKey("t", 0, 1, 5)}
    unknown = list(check_unknown(listed, (), damaged))
    assert [finding.key for finding in unknown] == [listed[0].key]


def test_an_empty_object_that_marks_a_folder_is_no_finding_and_a_full_one_is() -> None:
    marks = [Listed(f"{BASE}/", 0), Listed(f"{BASE}/", 7), Listed(f"{BASE}/x", 0)]
    assert [finding.key for finding in check_unknown(marks, (), ())] == [f"{BASE}/", f"{BASE}/x"]


@pytest.mark.parametrize(
    "key",
    [
        f"{BASE}/0+00000000000000000005.jsonl.gz",
        f"{BASE}/t+replay+00000000000000000005.jsonl.gz",
        "production-logs/_quarantine/t/2026/01/02/03/t+0+00000000000000000005.jsonl.gz",
        "production-logs/t+0+00000000000000000005.jsonl.gz",
    ],
)
def test_a_name_that_no_cut_gives_is_no_cuts(key: str) -> None:
    assert cut_of(key) is None


def test_a_key_is_the_buckets_by_its_id_too() -> None:
    key = BucketKey("aws:kms", frozenset({"1234"}))
    assert key.is_named("arn:aws:kms:eu-west-1:1:key/1234")
    assert not key.is_named("arn:aws:kms:eu-west-1:1:key/12345")
    assert not key.is_named(None)


# The hour log


def log_of(*entries: tuple[dict[str, int], dict[str, int], int]) -> list[LogObject]:
    """Entries by offsets, generations and records of the one hour."""
    made = []
    for number, (offsets, generations, records) in enumerate(entries):
        totals = HourTotals(*HOUR, records, records * 10, 0, False)
        entry = LogEntry("t", number, offsets, {}, (totals,), generations)
        made.append(LogObject(LogPlace("t", 0, number), f"log-{number}", entry))
    return made


def test_a_log_over_generations_adds_them_up() -> None:
    links = chain(cut(0, 5), end(5), cut(0, 3, 1, "id-1"), cut(3, 9, 1, "id-1"))
    log = log_of(({"0": 5}, {}, 5), ({"0": 3}, {"0": 1}, 8), ({"0": 9}, {"0": 1}, 14))
    assert kinds(LogCheck("t", {0: links}, []).findings(log)) == []


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        ([({"0": 5}, {}, 5), ({"0": 9}, {}, 10)], [(F.HOUR_LOG_TOTALS, "log-1")]),
        ([({"0": 5}, {}, 6), ({"0": 9}, {}, 10)], [(F.HOUR_LOG_TOTALS, "log-0")]),
        ([({"0": 7}, {}, 5)], [(F.HOUR_LOG_AHEAD, "log-0")]),
        ([({"0": 20}, {}, 20)], [(F.HOUR_LOG_AHEAD, "log-0")]),
        ([({"0": 9}, {}, 9), ({"0": 5}, {}, 9)], [(F.HOUR_LOG_AHEAD, "log-1")]),
        ([({"0": 5, "1": 4}, {}, 5)], [(F.HOUR_LOG_AHEAD, "log-0")]),
    ],
)
def test_a_log_that_its_chains_do_not_bear_out_is_named_where_it_begins(
    entries: list[tuple[dict[str, int], dict[str, int], int]], found: list[tuple[F, str]]
) -> None:
    links = chain(cut(0, 5), cut(5, 9))
    judged = LogCheck("t", {0: links}, []).findings(log_of(*entries))
    assert [(finding.kind, finding.key) for finding in judged] == found


def test_lost_objects_are_not_in_the_totals() -> None:
    note = replace(cut(0, 5), kind=Kind.LOST_OBJECTS)
    check = LogCheck("t", {0: chain(cut(0, 5), note, cut(5, 9))}, [])
    assert kinds(check.findings(log_of(({"0": 9}, {}, 4)))) == []


def test_a_replay_moves_records_from_unclaimed() -> None:
    unclaimed = replace(
        landed(0, 5), key=BASE.replace("click", "unclaimed") + "/t+0+x", data_type="unclaimed"
    )
    links = chain(replace(cut(0, 5), objects=(unclaimed,)))
    replay = replay_of(0, unclaimed.key, ((0, 2),))
    of_unclaimed = HourTotals("unclaimed", "2026-01-02", "03", 3, 30, 7, True)
    of_click = HourTotals(*HOUR, 2, 20, 0, True)
    entry = LogEntry("t", 0, {"0": 5}, {}, (of_click, of_unclaimed), {}, 1)
    place = LogPlace("t", 0, 0)
    assert kinds(LogCheck("t", {0: links}, [replay]).findings([LogObject(place, "k", entry)])) == []
    early = LogObject(place, "k", replace(entry, replays=2))
    found = LogCheck("t", {0: links}, [replay]).findings([early])
    assert kinds(found) == [F.HOUR_LOG_AHEAD]


def test_a_log_may_wait_for_a_cut_that_is_not_complete() -> None:
    links = chain(cut(0, 5), cut(5, 9))
    covered = Covered(reached={0: (0, 5)})
    late = "2026-01-02T05:00:00.000Z"
    last = frozenset({links[1].place.text})
    assert kinds(behind("t", covered, {0: links}, frozenset(), late)) == [F.HOUR_LOG_BEHIND]
    assert kinds(behind("t", covered, {0: links}, last, late)) == []
    assert kinds(behind("t", covered, {0: links}, frozenset(), "2026-01-02T04:00:00.000Z")) == []


# Versions and replays


def promise(name: str, records: int, needed: bool = True) -> Promise:
    return Promise(f"{BASE}/{name}", HOUR.dt, records, SHA, "cut", needed)


A, B, LATE = promise("a", 3), promise("b", 4), promise("late", 2)
MERGED = Version((f"{BASE}/a", f"{BASE}/b"), (Output(f"{FIRST}/000001+00000.jsonl.gz", 7, SHA),))


def needed(reading: Reading, *listed: str) -> dict[str, bool]:
    made = reading.promises([A, B, LATE], frozenset(listed))
    return {held.key.removeprefix("production-logs/"): held.needed for held in made}


def test_what_a_published_version_stands_for_may_be_gone_and_the_rest_is_in_its_folder() -> None:
    reading = Reading(HOUR, 1, {1: MERGED})
    assert needed(reading) == {
        "click/2026/01/02/03/a": False,
        "click/2026/01/02/03/b": False,
        "click/2026/01/02/03/late": True,
        "_versioned/click/2026/01/02/03/000001/000001+00000.jsonl.gz": True,
        "_versioned/click/2026/01/02/03/000001/late": True,
    }
    assert kinds(reading.check([A, B, LATE], 0)) == []


def test_a_version_that_is_not_published_supersedes_nothing() -> None:
    reading = Reading(HOUR, 0, {1: MERGED})
    held = needed(reading, f"{FIRST}/late")
    assert [held[f"click/2026/01/02/03/{name}"] for name in ("a", "b", "late")] == [True] * 3
    assert held["_versioned/click/2026/01/02/03/000001/late"] is False
    assert kinds(reading.check([A, B, LATE], 0)) == []


def test_a_later_version_supersedes_the_objects_of_an_earlier() -> None:
    second = Version((f"{FIRST}/000001+00000.jsonl.gz", f"{FIRST}/late"), (Output(f"{SECOND}/000002+00000.jsonl.gz", 9, SHA),))  # fmt: skip
    reading = Reading(HOUR, 2, {1: MERGED, 2: second})
    assert [key for key, is_needed in needed(reading).items() if is_needed] == [
        "_versioned/click/2026/01/02/03/000002/000002+00000.jsonl.gz"
    ]
    assert kinds(reading.check([A, B, LATE], 0)) == []
    assert kinds(Reading(HOUR, 2, {2: second}).check([A, B, LATE], 0)) == [F.RECORD_HOLE, F.VERSION_RECORDS]  # fmt: skip


def test_readers_must_see_what_landed() -> None:
    short = replace(MERGED, outputs=(replace(MERGED.outputs[0], records=6),))
    (found,) = Reading(HOUR, 1, {1: short}).check([A, B, LATE], 0)
    assert (found.kind, found.key) == (F.VERSION_RECORDS, f"{FIRST}/")
    assert "see 8 records of the hour, 9 landed" in found.wrong
    assert kinds(Reading(HOUR, 1, {1: short}).check([A, B, LATE], 1)) == []
    assert kinds(Reading(HOUR, 0, {}).check([A], 1)) == [F.VERSION_RECORDS]


def replay_of(sequence: int, key: str, offsets: tuple[tuple[int, int], ...]) -> Replay:
    records = sum(after - before for before, after in offsets)
    output = Output(f"{BASE}/t+replay+{sequence:020}.jsonl.gz", records, SHA, records * 10)
    return Replay("t", sequence, (Taken(key, records, records * 10, offsets),), (output,))


def test_replays_take_each_record_once_and_land_what_they_take() -> None:
    key = "production-logs/_quarantine/t/2026/01/02/03/0+00000000000000000000.jsonl.gz"
    first, second = replay_of(0, key, ((0, 5), (7, 8))), replay_of(1, key, ((5, 7),))
    assert kinds(check_replays([first, second])) == []
    assert kinds(check_replays([second])) == [F.RECORD_HOLE]
    (found,) = check_replays([first, replay_of(1, key, ((4, 7),))])
    assert found.kind is F.REPLAYED_TWICE
    assert "[4, 5)" in found.wrong
    assert kinds(check_replays([replace(first, objects=())])) == [F.RECORD_DAMAGED]


def test_records_are_read_with_fields_that_are_not_known_here() -> None:
    data = b'{"inputs":["a/b",{"key":"c/d"}],"outputs":[],"why":"compact","later":1}'
    version = read_record(data, Version)
    assert isinstance(version, Version)
    assert version.superseded == {"b", "d"}
    assert isinstance(read_record(b"{", Version), str)
    assert isinstance(read_record(b"\xff", Replay), str)
    key = "production-logs/_versions/click/2026/01/02/03/000002.json"
    assert VersionPlace.parse(key) == (HOUR, 2)


# Glue


def test_glue_may_point_at_the_base_folder_or_at_a_version_that_there_is() -> None:
    def judged(location: str, versions: dict[int, Version]) -> list[F]:
        tables = {"click": {("2026-01-02", "03"): location}}
        return kinds(check_hours("b", [HOUR], tables, {HOUR: versions}))

    assert judged(f"s3://b/{BASE}", {}) == []
    assert judged(f"s3://b/{BASE}/", {}) == []
    assert judged(f"s3://b/{FIRST}/", {1: MERGED}) == []
    assert judged(f"s3://b/{FIRST}/", {}) == [F.GLUE_LOCATION]
    assert judged(f"s3://other/{BASE}", {}) == [F.GLUE_LOCATION]
    assert judged(f"s3://b/{BASE[:-1]}4", {}) == [F.GLUE_LOCATION]
    assert version_read("b", HOUR, {("2026-01-02", "03"): f"s3://b/{SECOND}"}) == 2
    assert version_read("b", HOUR, None) is None


# Producers


def test_lost_and_repeated_numbers_are_told_to_the_number() -> None:
    file = ("web-1", "app.log#1")
    made = [
        replace(cut(0, 5), producers=(Producer(*file, 6, ((0, 3), (8, 8))),)),
        replace(cut(5, 9), producers=(Producer(*file, 4, ((2, 2), (10, 12))),)),
    ]
    found = sequences_of(chain(*made))
    lost, repeated = check_producers("t", found, 2000)
    assert (lost.kind, lost.key) == (F.SEQUENCE_LOST, "t web-1:app.log#1")
    assert lost.wrong == "5 lines: 4 to 7, 9"
    assert repeated.kind is F.SEQUENCE_REPEATED
    assert repeated.wrong == "2 lines came more than once: 2, 1 within one cut"


def test_a_number_whose_partition_is_behind_is_on_its_way() -> None:
    found = {("h", "f"): Sequences([Run(0, 4, 100), Run(9, 9, 200)])}
    assert kinds(check_producers("t", found, 200)) == [F.SEQUENCE_LOST]
    for passed in (199, None):
        assert kinds(check_producers("t", found, passed)) == []
        assert on_the_way(found, passed) == 4
    assert passed_by_all([0, 1], {0: 5, 1: 3}) == 3
    assert passed_by_all([0, 1], {0: 5}) is None
    assert passed_by_all([], {}) is None


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5)), max_size=12))
def test_lost_and_repeated_add_up_to_what_came(pairs: list[tuple[int, int]]) -> None:
    runs = [Run(first, first + length, 0) for first, length in pairs]
    came = [n for run in runs for n in range(run.first, run.last + 1)]
    gaps = gaps_of(Sequences(runs), 0)
    lost = {n for first, last in gaps.lost for n in range(first, last + 1)}
    assert lost == set(range(max(came, default=-1) + 1)) - set(came)
    repeated = [n for first, last in gaps.repeated for n in range(first, last + 1)]
    assert len(repeated) == len(came) - len(set(came))


# The rest


def test_sizes_are_of_the_folder_that_readers_see() -> None:
    listed = [
        Listed(f"{BASE}/a", 100), Listed(f"{BASE}/b", 300),
        Listed(f"{FIRST}/000001+00000.jsonl.gz", 2 * MIB), Listed(f"{FIRST}/late", 10),
        Listed("production-logs/view/2026/01/02/03/a", 200 * MIB),
        Listed("production-logs/_quarantine/t/2026/01/02/03/a", 5),
    ]  # fmt: skip
    click, view = sizes_of(listed, {HOUR: 1})
    assert (click.data_type, click.objects, click.bytes) == ("click", 2, 2 * MIB + 10)
    assert (click.median, click.below_small, click.below_large) == (MIB + 5, 0.5, 1.0)
    assert (view.objects, view.below_large) == (1, 0.0)
    (base, _) = sizes_of(listed, {HOUR: 0})
    assert (base.objects, base.bytes) == (2, 400)


def test_every_finding_says_what_to_do_and_has_a_row_in_the_docs() -> None:
    assert set(NEXT) == set(F)
    page = (Path(CHECKOUT) / "docs" / "audit.md").read_text()
    rows = [line.split("|")[1].strip(" `") for line in page.splitlines() if line.startswith("| `")]
    assert [row for row in rows if row in set(F)] == list(F)
    assert Finding.of(F.LOST_RANGE, "k", "w").is_loss
    assert len(LOSSES) == 3
