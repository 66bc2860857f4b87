"""The lander against faults: whatever is killed, paused or doubled, every record lands once."""

import base64
import json
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_bucket import Crash, CrashAt, MemoryBucket
from memory_source import Log, MemoryRecord, MemorySource

from datacore.errors import DifferenceFound, UsageError
from ingest.land.chain import manifests_since, rules_key
from ingest.land.hourlog import Hour, Ledger, read_entry
from ingest.land.lander import CutPolicy, Lander
from ingest.land.lane import LanderIdentity, Lane
from ingest.land.manifest import Kind, Manifest
from ingest.land.rules import Rule, Rules
from ingest.land.source import Hint, Partition

RULES = Rules((Rule("click", "t", "type", "click", "at", None),))
P0, P1 = Partition("t", 0), Partition("t", 1)
NOW = 1_767_330_000_000
"""2026-01-02T05:00:00Z."""
LONG_AGO = "2026-01-02T01:10:00Z"


class Registered:
    """A registrar that remembers."""

    def __init__(self) -> None:
        self.seen: set[Hour] = set()

    def hours(self, hours: set[Hour]) -> int:
        self.seen |= hours
        return len(hours)

    def versions(self, folders: dict[Hour, str]) -> int:
        self.seen |= folders.keys()
        return len(folders)

    def cuts(self, topic: str, partition: int) -> None: ...
    def replays(self, topic: str) -> None: ...
    def block(self, topic: str, block: int) -> None: ...
    def quarantine(self, topic: str, dt: str, hour: str) -> None: ...


class Clock:
    def __init__(self) -> None:
        self.now = NOW / 1000

    def __call__(self) -> float:
        self.now += 0.1
        return self.now


def value(partition: Partition, offset: int) -> bytes:
    """A record that tells where it came from; every fifth is no JSON."""
    if offset % 5 == 4:
        return b"broken %d %d" % (partition.number, offset)
    hour = offset // 4 % 3
    return b'{"type":"click","at":"2026-01-02T0%d:10:00Z","from":[%d,%d]}' % (
        hour,
        partition.number,
        offset,
    )


def log_of(count: int, gaps: tuple[int, ...] = ()) -> Log:
    """`count` offsets in each of two partitions, but for `gaps`, and a marker at the end."""
    return Log(
        {
            p: [MemoryRecord(n, NOW, value(p, n)) for n in range(count) if n not in gaps]
            for p in (P0, P1)
        },
        ends={P0: count + 1, P1: count + 1},
    )


def lander(log: Log, bucket: MemoryBucket, rules: Rules = RULES, cut: int = 200) -> Lander:
    return Lander(
        MemorySource(log),
        bucket,
        rules,
        Registered(),
        LanderIdentity(f"lander-{id(bucket)}", Clock()),
        CutPolicy(bytes=cut),
    )


def land(log: Log, bucket: MemoryBucket, rules: Rules = RULES, cut: int = 200) -> Lander:
    made = lander(log, bucket, rules, cut)
    made.run_until_caught_up(threading.Event())
    return made


def expected(log: Log) -> Counter[bytes]:
    return Counter(record.value for records in log.records.values() for record in records)  # type: ignore[misc]


def landed(bucket: MemoryBucket) -> Counter[bytes]:
    """The records' bytes, out of raw and quarantine objects alike."""
    return Counter(
        base64.b64decode(json.loads(line)["value"]) if line.startswith(b'{"topic"') else line
        for line in bucket.lines()
    )


def chain(bucket: MemoryBucket, partition: Partition) -> list[Manifest]:
    return manifests_since(bucket, partition, 0)


def check(log: Log, bucket: MemoryBucket) -> None:
    """Each record once; the chain whole; the log's totals those of the objects."""
    assert landed(bucket) == expected(log)
    for partition in log.records:
        cuts = chain(bucket, partition)
        assert [cut.first for cut in cuts] == [0, *(cut.next for cut in cuts[:-1])]
        assert cuts[-1].next == log.end(partition)
        for cut in cuts:
            assert all(bucket.checksum(o.key) == o.sha256 for o in cut.everything)
            assert bucket.get(rules_key(cut.rules))
    ledger = Ledger("t")
    for key in bucket.keys("production-logs/_hours/t/"):
        ledger.apply(read_entry(key, bucket.get(key) or b""))
    objects = [o for p in log.records for cut in chain(bucket, p) for o in cut.objects]
    totals: Counter[Hour] = Counter()
    for landed_object in objects:
        totals[Hour(landed_object.data_type, landed_object.dt, landed_object.hour)] += (
            landed_object.records
        )
    assert {hour: held.records for hour, held in ledger.hours.items()} == totals
    assert ledger.offsets == {p.number: log.end(p) for p in log.records}


def test_everything_that_the_source_held_is_landed_once() -> None:
    log, bucket = log_of(50, gaps=(0, 7, 8, 30)), MemoryBucket()
    done = land(log, bucket)
    check(log, bucket)
    assert len(chain(bucket, P0)) > 2
    summary = done.summary
    assert summary.landed + summary.quarantined + summary.unclaimed == sum(expected(log).values())


def test_a_second_run_changes_nothing() -> None:
    log, bucket = log_of(30), MemoryBucket()
    land(log, bucket)
    before = dict(bucket.objects)
    assert land(log, bucket.using()).summary.cuts == 0
    assert bucket.objects == before


def test_hours_that_are_over_are_sealed_and_registered() -> None:
    log, bucket = log_of(30), MemoryBucket()
    made = lander(log, bucket)
    registered = made._logs[0]._registrar
    made.run_until_caught_up(threading.Event())
    assert made.summary.hours_sealed == 3
    assert isinstance(registered, Registered)
    assert registered.seen == {Hour("click", "2026-01-02", hour) for hour in ("00", "01", "02")}


def test_an_entry_of_the_hour_log_stands_only_after_glue_has_its_hours() -> None:
    log, registered = log_of(30), Registered()

    class Watched(MemoryBucket):
        entries = 0

        def put_new(self, key: str, data: bytes, metadata: Mapping[str, str] | None = None) -> bool:
            if "/_hours/" in key and "_totals" not in key:
                named = read_entry(key, data).hours
                assert {Hour(h.data_type, h.dt, h.hour) for h in named} <= registered.seen
                self.entries += 1
            return super().put_new(key, data, metadata)

    bucket = Watched()
    made = Lander(
        MemorySource(log), bucket, RULES, registered, LanderIdentity("l", Clock()), CutPolicy(200)
    )
    made.run_until_caught_up(threading.Event())
    assert bucket.entries > 0
    check(log, bucket)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_any_write_the_next_lander_lands_every_record_once(after: bool) -> None:
    log = log_of(22, gaps=(6,))
    writes = MemoryBucket()
    land(log, writes)
    for number in range(writes.writes):
        log.hints.clear()
        bucket = MemoryBucket(CrashAt(number, after))
        with pytest.raises(Crash):
            land(log, bucket)
        land(log, bucket.using(), cut=300)
        check(log, bucket)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_landers_killed_and_doubled_at_random_land_every_record_once(data: st.DataObject) -> None:
    log, bucket = log_of(18, gaps=(3, 9)), MemoryBucket()
    running: list[Lander] = []
    for _ in range(data.draw(st.integers(1, 30))):
        if len(running) < 2:
            crash = data.draw(st.none() | st.builds(CrashAt, st.integers(0, 12), st.booleans()))
            running.append(lander(log, bucket.using(crash), cut=data.draw(st.integers(1, 300))))
            continue
        turn = data.draw(st.sampled_from(running))
        act = data.draw(st.sampled_from([turn._step, turn._cut_all, turn._write_log]))
        try:
            act()
        except Crash:
            running.remove(turn)
    land(log, bucket.using())
    check(log, bucket)


def test_a_zombie_adopts_the_winners_cut() -> None:
    log, bucket = log_of(20), MemoryBucket()
    zombie = lander(log, bucket.using())
    zombie._step()
    land(log, bucket)
    before = dict(bucket.objects)
    zombie._cut_all()
    assert bucket.objects == before
    assert all(lane.complete_to == chain(bucket, P0)[0].ends for lane in zombie._lanes.values())
    check(log, bucket)


def test_a_cut_is_finished_by_the_contracts_that_it_was_begun_with() -> None:
    log = log_of(10)
    bucket = MemoryBucket(CrashAt(3))
    with pytest.raises(Crash):
        land(log, bucket)
    (begun,) = [cut for p in (P0, P1) for cut in chain(bucket, p)]
    changed = Rules((replace(RULES.claims[0], data_type="renamed_click"),))
    land(log, bucket.using(), changed)
    check(log, bucket)
    assert {o.data_type for o in begun.objects} == {"click"}
    later = [cut for p in (P0, P1) for cut in chain(bucket, p) if cut.rules == changed.hash]
    assert later
    assert {o.data_type for cut in later for o in cut.objects} == {"renamed_click"}


def test_a_wrong_hint_changes_nothing() -> None:
    log, bucket = log_of(30), MemoryBucket()
    land(log, bucket)
    count = len(bucket.objects)
    for hint in (Hint(999, 1000), Hint(3, 4), Hint(0, 2)):
        log.hints = {P0: hint, P1: hint}
        land(log, bucket.using())
        assert len(bucket.objects) == count


def test_what_the_source_dropped_is_recorded_as_lost() -> None:
    log, bucket = log_of(10), MemoryBucket()
    land(log, bucket)
    for partition, records in log.records.items():
        records.extend(MemoryRecord(n, NOW, value(partition, n)) for n in range(20, 25))
        log.begins[partition] = 15
    land(log, bucket.using())
    lost = [cut for cut in chain(bucket, P0) if cut.kind is Kind.LOST]
    assert [(cut.first, cut.next) for cut in lost] == [(11, 15)]
    check(log, bucket)


def test_a_cut_whose_range_was_dropped_tells_which_objects_are_lost() -> None:
    log, bucket = log_of(10), MemoryBucket(CrashAt(3))
    with pytest.raises(Crash):
        land(log, bucket, cut=10_000)
    for partition in log.records:
        log.records[partition] = log.records[partition][-2:]
        log.begins[partition] = 8
    land(log, bucket.using())
    notes = [c for p in (P0, P1) for c in chain(bucket, p) if c.kind is Kind.LOST_OBJECTS]
    assert len(notes) == 1
    assert notes[0].records == 10


def test_other_lines_under_a_key_are_a_difference() -> None:
    log, bucket = log_of(10), MemoryBucket()
    land(log, bucket)
    other = MemoryBucket()
    other.objects = {
        key: (data, {**metadata, "sha256": "of other lines"})
        for key, (data, metadata) in bucket.objects.items()
        if key.startswith("production-logs/click/")
    }
    with pytest.raises(DifferenceFound, match="other lines"):
        land(log, other)


def test_a_damaged_manifest_is_named() -> None:
    log, bucket = log_of(10), MemoryBucket()
    land(log, bucket)
    key = chain(bucket, P0)[-1].key
    bucket.objects[key] = (b'{"kind":"cut",', {})
    log.hints.clear()
    with pytest.raises(UsageError, match=key):
        land(log, bucket.using())


def test_a_lane_is_cut_when_it_is_old_even_without_records() -> None:
    log, bucket = log_of(5), MemoryBucket()
    source = MemorySource(log)
    lane = Lane(source, bucket, RULES, LanderIdentity("l", Clock()), P0)
    source.positions[P0] = 3
    assert lane.cut() is not None
    assert [(cut.first, cut.next, cut.records) for cut in chain(bucket, P0)] == [(0, 3, 0)]


def test_memory_past_the_budget_is_cut_at_once() -> None:
    log, bucket = log_of(40), MemoryBucket()
    made = lander(log, bucket, cut=10**9)
    made._policy = CutPolicy(bytes=10**9, budget=2_000)
    made.run_until_caught_up(threading.Event())
    assert made.summary.cuts > 4
    check(log, bucket)
