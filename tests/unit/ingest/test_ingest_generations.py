"""A topic that was deleted and made again: its chain goes on in a new generation, each record once."""

import base64
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_bucket import Crash, CrashAt, MemoryBucket
from memory_source import Log, MemoryRecord, MemorySource
from structlog.testing import capture_logs

from datacore.errors import DifferenceFound
from ingest.land.chain import manifests_since
from ingest.land.hourlog import Hour, Ledger, read_entry
from ingest.land.lander import CutPolicy, Lander
from ingest.land.lane import UNDER_WAY_S, LanderIdentity, Lane
from ingest.land.manifest import Kind, Manifest, Place
from ingest.land.objects import NOTHING, Body
from ingest.land.rules import Rule, Rules
from ingest.land.source import Hint, Partition
from ingest.quarantine.read import counts
from ingest.versions.record import Output, Version, Why, merged_name, version_folder

RULES = Rules((Rule("click", "t", "type", "click", "at", None),))
P0, P1 = Partition("t", 0), Partition("t", 1)
NOW = 1_767_330_000_000
"""2026-01-02T05:00:00Z."""


class Registered:
    """A registrar that takes everything."""

    def hours(self, hours: set[Hour]) -> int:
        return len(hours)

    def versions(self, folders: Mapping[Hour, str]) -> int:
        return len(folders)

    def cuts(self, topic: str, partition: int) -> None: ...
    def block(self, topic: str, block: int) -> None: ...
    def quarantine(self, topic: str, dt: str, hour: str) -> None: ...


class Clock:
    """A clock that each question moves on by `step` seconds."""

    def __init__(self, now: float = NOW / 1000, step: float = 0.1) -> None:
        self.now = now
        self.step = step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


LATER = NOW / 1000 + 10 * UNDER_WAY_S


def records(name: str, count: int, partitions: int = 2) -> dict[Partition, list[MemoryRecord]]:
    """`count` records in each partition that tell which topic they are of; every fifth is no JSON."""

    def value(partition: int, offset: int) -> bytes:
        if offset % 5 == 4:
            return b"broken %s %d %d" % (name.encode(), partition, offset)
        return b'{"type":"click","at":"2026-01-02T01:10:00Z","from":["%s",%d,%d]}' % (
            name.encode(),
            partition,
            offset,
        )

    return {
        Partition("t", p): [MemoryRecord(n, NOW, value(p, n)) for n in range(count)]
        for p in range(partitions)
    }


def lander(log: Log, bucket: MemoryBucket, cut: int = 200, clock: Clock | None = None) -> Lander:
    return Lander(
        MemorySource(log),
        bucket,
        RULES,
        Registered(),
        LanderIdentity(f"lander-{id(bucket)}", clock or Clock()),
        CutPolicy(bytes=cut),
    )


def land(log: Log, bucket: MemoryBucket, cut: int = 200, clock: Clock | None = None) -> Lander:
    made = lander(log, bucket, cut, clock)
    made.run_until_caught_up(threading.Event())
    return made


def values(held: dict[Partition, list[MemoryRecord]]) -> Counter[bytes | None]:
    return Counter(record.value for listed in held.values() for record in listed)


def landed(bucket: MemoryBucket) -> Counter[bytes | None]:
    return Counter(
        base64.b64decode(json.loads(line)["value"]) if line.startswith(b'{"topic"') else line
        for line in bucket.lines()
    )


def chain(bucket: MemoryBucket, partition: Partition = P0) -> list[Manifest]:
    return manifests_since(bucket, partition, 0)


def check_chains(bucket: MemoryBucket, partitions: int = 2) -> None:
    """Each generation whole from its beginning on, closed by `end` but for the last."""
    for number in range(partitions):
        cuts = [m for m in chain(bucket, Partition("t", number)) if m.kind is not Kind.LOST_OBJECTS]
        for before, after in pairwise(cuts):
            if before.kind is Kind.END:
                assert (after.generation, after.first) == (before.generation + 1, 0)
            else:
                assert (after.generation, after.first) == before.ends
                assert after.topic_id == before.topic_id


def ledger_of(bucket: MemoryBucket) -> Ledger:
    ledger = Ledger("t")
    for key in bucket.keys("production-logs/_hours/t/"):
        ledger.apply(read_entry(key, bucket.get(key) or b""))
    return ledger


def check_ledger(bucket: MemoryBucket, partitions: int = 2) -> None:
    """The hour log's totals are those of the manifests, less what their notes call lost."""
    totals: Counter[Hour] = Counter()
    for number in range(partitions):
        for cut in chain(bucket, Partition("t", number)):
            sign = -1 if cut.kind is Kind.LOST_OBJECTS else 1
            for held in cut.objects:
                totals[Hour(held.data_type, held.dt, held.hour)] += sign * held.records
    assert {hour: held.records for hour, held in ledger_of(bucket).hours.items()} == totals


def test_a_topic_made_again_is_landed_as_the_next_generation() -> None:
    log, bucket = Log(records("first", 12)), MemoryBucket()
    before = values(log.records)
    land(log, bucket)
    log.made_again(records("second", 7))
    land(log, bucket.using())
    assert landed(bucket) == before + values(log.records)
    check_chains(bucket)
    check_ledger(bucket)
    names = sorted(key.rsplit("/", 1)[1] for key in bucket.objects if "/_cuts/t/0/" in key)
    begun = names.index("~0001+00000000000000000000.json")
    assert names[begun - 1] == "00000000000000000012.json"
    assert chain(bucket)[begun - 1].kind is Kind.END
    assert (
        "production-logs/click/2026/01/02/01/t~0001+0+00000000000000000000.jsonl.gz"
        in bucket.objects
    )
    assert any("/_quarantine/t/2026/01/02/05/0~0001+0000000000" in key for key in bucket.objects)
    ledger = ledger_of(bucket)
    assert (ledger.generations, ledger.offsets) == ({0: 1, 1: 1}, {0: 7, 1: 7})
    assert counts(bucket, "t")[0].records == sum(
        b"broken" in (v or b"") for v in landed(bucket).elements()
    )


def test_a_topic_made_again_twice_and_empty_between() -> None:
    log, bucket = Log(records("first", 12)), MemoryBucket()
    before = values(log.records)
    land(log, bucket)
    log.made_again(records("second", 0))
    land(log, bucket.using())
    log.made_again(records("third", 5))
    land(log, bucket.using())
    log.made_again(records("fourth", 20))
    land(log, bucket.using())
    assert landed(bucket) == before + values(records("third", 5)) + values(log.records)
    assert [m.generation for m in chain(bucket) if m.kind is Kind.END] == [0, 1]
    check_chains(bucket)
    check_ledger(bucket)


def test_a_second_run_changes_nothing() -> None:
    log, bucket = Log(records("first", 12)), MemoryBucket()
    land(log, bucket)
    log.made_again(records("second", 7))
    land(log, bucket.using())
    before = dict(bucket.objects)
    land(log, bucket.using())
    assert bucket.objects == before


def test_a_running_lander_tells_what_the_deletion_took_and_goes_on_with_the_new_topic() -> None:
    log, bucket = Log(records("first", 12)), MemoryBucket()
    running = lander(log, bucket, cut=10_000)
    running._step()
    log.made_again(records("second", 7))
    with capture_logs() as told:
        running._cut_all()
        for _ in range(4):
            running._step()
        running._cut_all()
    assert [e["records_not_landed"] for e in told if e["event"] == "topic_deleted"] == [3, 3]
    assert landed(bucket) == values(log.records)
    check_chains(bucket)


def test_records_of_the_new_topic_never_land_in_the_old_ones_chain() -> None:
    log, bucket = Log(records("first", 12)), MemoryBucket()
    running = lander(log, bucket)
    running._step()
    log.made_again(records("second", 30))
    running.run_until_caught_up(threading.Event())
    ends = [m.next for m in chain(bucket) if m.kind is Kind.END]
    assert ends == [] or ends[0] <= 3
    assert landed(bucket) == values(log.records)
    check_chains(bucket)


class ToldBefore(MemorySource):
    """A source that was asked for the topic's id just before the topic went."""

    def topic_id(self, topic: str) -> str | None:
        return "id-1"


def test_a_zombie_of_the_old_topic_finds_the_chain_closed() -> None:
    log, bucket = Log(records("first", 12)), MemoryBucket()
    zombie = Lander(
        ToldBefore(log),
        bucket,
        RULES,
        Registered(),
        LanderIdentity("z", Clock()),
        CutPolicy(10_000),
    )
    zombie._step()
    log.made_again(records("second", 7))
    land(log, bucket.using())
    land_once = dict(bucket.objects)
    with capture_logs() as told:
        zombie._cut_all()
    # partition 0 of the first topic had not landed at all, so there was no chain to close:
    # the zombie meets the new topic's first cut
    assert [e["event"] for e in told] == ["topic_deleted", "topic_deleted"]
    assert bucket.objects == land_once
    check_chains(bucket)


def test_a_zombie_of_the_old_topic_meets_end_at_its_place() -> None:
    log, bucket = Log(records("first", 12)), MemoryBucket()
    first = {p: held[:6] for p, held in log.records.items()}
    land(Log(first), bucket)
    zombie = Lander(
        ToldBefore(log),
        bucket,
        RULES,
        Registered(),
        LanderIdentity("z", Clock()),
        CutPolicy(10_000),
    )
    zombie._step()
    log.made_again(records("second", 7))
    land(log, bucket.using())
    before = dict(bucket.objects)
    zombie._cut_all()
    assert bucket.objects == before
    assert landed(bucket) == values(first) + values(log.records)
    check_chains(bucket)


def crash_after_claim(log: Log, bucket: MemoryBucket) -> None:
    """A lander that claims a cut of partition 0 and dies before its first object."""
    dying = bucket.using(CrashAt(3))
    with pytest.raises(Crash):
        land(log, dying, cut=10_000)
    assert [m.kind for m in chain(bucket)] == [Kind.CUT]


def test_an_unfinished_cut_of_the_old_topic_is_told_as_lost() -> None:
    log, bucket = Log(records("first", 12)), MemoryBucket()
    crash_after_claim(log, bucket)
    log.made_again(records("second", 7))
    land(log, bucket.using(), clock=Clock(LATER))
    notes = [m for m in chain(bucket) if m.kind is Kind.LOST_OBJECTS]
    assert [(n.first, n.records) for n in notes] == [(0, 12)]
    assert landed(bucket) == values(log.records)
    check_chains(bucket)
    check_ledger(bucket)


def test_a_cut_of_the_old_topic_that_is_young_may_still_be_finished_by_its_lander() -> None:
    log, bucket = Log(records("first", 12)), MemoryBucket()
    crash_after_claim(log, bucket)
    log.made_again(records("second", 7))
    other = lander(log, bucket.using(), clock=Clock(step=0))
    other._step()
    assert other._lanes.keys() == {P1}
    assert [m.kind for m in chain(bucket)] == [Kind.CUT]


def test_a_lander_that_slept_cannot_bring_back_what_was_told_as_lost() -> None:
    log, bucket = Log(records("first", 12)), MemoryBucket()
    sleeper = lander(log, bucket, cut=10_000)
    for _ in range(4):
        sleeper._step()
    lane = sleeper._lanes[P0]
    cut = lane._open.finish(12, "id-1", "sleeper", "2026-01-02T05:00:00Z")
    assert lane._chain.claim(cut.manifest) == cut.manifest
    log.made_again(records("second", 7))
    land(log, bucket.using(), clock=Clock(LATER))
    assert not bucket.put_bodies(cut.bodies)
    assert lane._chain.complete(cut.manifest) is None
    assert {bucket.checksum(key) for key in cut.bodies} == {NOTHING.sha256}
    assert landed(bucket) == values(log.records)
    check_ledger(bucket)


def test_what_the_sleeping_lander_wrote_first_is_not_told_as_lost() -> None:
    log, bucket = Log(records("first", 12)), MemoryBucket()
    sleeper = lander(log, bucket, cut=10_000)
    for _ in range(4):
        sleeper._step()
    lane = sleeper._lanes[P0]
    cut = lane._open.finish(12, "id-1", "sleeper", "2026-01-02T05:00:00Z")
    lane._chain.claim(cut.manifest)
    kept = next(iter(cut.bodies))
    bucket.put_bodies({kept: cut.bodies[kept]})
    log.made_again(records("second", 7))
    land(log, bucket.using(), clock=Clock(LATER))
    (note,) = [m for m in chain(bucket) if m.kind is Kind.LOST_OBJECTS]
    assert {o.key for o in note.everything} == cut.bodies.keys() - {kept}
    assert sum(landed(bucket).values()) == 14 + cut.bodies[kept].records
    check_ledger(bucket)


def test_what_was_compacted_while_its_key_was_given_up_is_not_told_as_lost() -> None:
    """Who gives up looked before the sleeping lander wrote, and comes after compaction removed it."""
    log, bucket = Log(records("first", 4, partitions=1)), MemoryBucket()
    sleeper = lander(log, bucket, cut=10_000)
    for _ in range(4):
        sleeper._step()
    lane = sleeper._lanes[P0]
    cut = lane._open.finish(4, "id-1", "sleeper", "2026-01-02T05:00:00Z")
    lane._chain.claim(cut.manifest)
    log.made_again(records("second", 2, partitions=1))

    class SlowToGiveUp(MemoryBucket):
        def give_up(self, keys: Iterable[str]) -> None:
            listed = list(keys)
            bucket.put_bodies(cut.bodies)
            compact_away(bucket, cut.bodies)
            super().give_up(listed)

    slow = SlowToGiveUp()
    slow.objects = bucket.objects
    land(log, slow, clock=Clock(LATER))
    assert {bucket.checksum(key) for key in cut.bodies} == {NOTHING.sha256}
    assert Kind.LOST_OBJECTS not in [m.kind for m in chain(bucket)]
    assert sum(t.records for t in ledger_of(bucket).hours.values()) == 4 + 2
    check_ledger(bucket, partitions=1)


def compact_away(bucket: MemoryBucket, bodies: Mapping[str, Body]) -> None:
    """What `compact` leaves of objects of one hour after the grace."""
    hour = Hour("click", "2026-01-02", "01")
    outputs = {
        version_folder(hour, 1) + merged_name(1, part): body
        for part, body in enumerate(bodies.values())
    }
    record = Version(
        *hour, version=1, why=Why.COMPACT, writer="c", written_at="now", inputs=tuple(bodies),
        outputs=tuple(Output(key, b.records, b.bytes, b.sha256) for key, b in outputs.items()),
    )  # fmt: skip
    bucket.put_new(record.key, record.to_json())
    bucket.put_bodies(outputs)
    for key in bodies:
        del bucket.objects[key]


def test_a_lander_that_slept_while_a_generation_began_completes_its_unfinished_cut() -> None:
    """Another closed the old generation, and a third cut in the new one and died, while it slept."""
    log, bucket = Log(records("first", 4, partitions=1)), MemoryBucket()
    land(log, bucket)
    first = values(log.records)
    log.made_again(records("second", 6, partitions=1))

    def lane_of(source: MemorySource, view: MemoryBucket) -> Lane:
        return Lane(source, view, RULES, LanderIdentity(f"l-{id(view)}", Clock(LATER)), P0)

    lane_of(MemorySource(log), bucket.using())  # closes the generation, and is killed

    class Sleeper(MemorySource):
        slept = False

        def topic_id(self, topic: str) -> str | None:
            if not self.slept:
                self.slept = True
                source = MemorySource(log)
                dying = lane_of(source, bucket.using(CrashAt(1, after=True)))
                for batch in source.poll(0).values():
                    dying.add(batch)
                with pytest.raises(Crash):
                    dying.cut()
            return super().topic_id(topic)

    sleeper = Lander(
        Sleeper(log), bucket, RULES, Registered(), LanderIdentity("s", Clock(LATER)), CutPolicy(200)
    )
    sleeper.run_until_caught_up(threading.Event())
    assert landed(bucket) == first + values(log.records)
    check_chains(bucket, partitions=1)
    check_ledger(bucket, partitions=1)


def test_a_hint_of_the_old_topic_hides_no_unfinished_cut_of_the_new_one() -> None:
    log, bucket = Log(records("first", 12)), MemoryBucket()
    first = values(log.records)
    land(log, bucket)
    stale = dict(log.hints)
    log.made_again(records("second", 7))
    with pytest.raises(Crash):
        land(log, bucket.using(CrashAt(5)), cut=10_000)
    assert [m.kind for m in chain(bucket)][-2:] == [Kind.END, Kind.CUT]
    log.hints = stale
    land(log, bucket.using())
    assert landed(bucket) == first + values(log.records)


def test_a_hint_from_another_bucket_hides_no_unfinished_cut() -> None:
    log, bucket = Log(records("first", 12)), MemoryBucket()
    land(log, bucket, cut=10_000)
    other = MemoryBucket(CrashAt(3))
    elsewhere = dict(log.hints)
    with pytest.raises(Crash):
        land(log, other, cut=10_000)
    log.hints = elsewhere
    land(log, other.using())
    assert landed(other) == values(log.records)


def test_a_topic_called_deleted_too_early_goes_on_where_it_was_left() -> None:
    log, bucket = Log(records("first", 12)), MemoryBucket()
    whole = dict(log.records)
    log.records = {p: held[:6] for p, held in whole.items()}
    land(log, bucket)
    log.topic_id = "id-9"
    lander(log, bucket.using())._follow_assignment()
    assert {m.kind for m in chain(bucket)} == {Kind.CUT, Kind.END}
    log.topic_id = "id-1"
    log.records = whole
    land(log, bucket.using())
    assert landed(bucket) == values(whole)
    assert chain(bucket)[-1].ends == Place(1, 12)


def test_a_deleted_topic_stops_nobody() -> None:
    log, bucket = Log(records("first", 12)), MemoryBucket()
    running = lander(log, bucket)
    running._step()
    log.topic_id = None
    with capture_logs() as told:
        running._cut_all()
        running._step()
        running._write_log()
    assert [e["event"] for e in told].count("topic_deleted") == 2
    assert "topic_missing" in [e["event"] for e in told]
    assert bucket.lines() == []


def test_a_topic_that_lost_acknowledged_records_is_a_difference() -> None:
    log, bucket = Log(records("first", 12)), MemoryBucket()
    land(log, bucket)
    log.records = {p: held[:5] for p, held in log.records.items()}
    with pytest.raises(DifferenceFound, match="ends at offset 5, and was landed up to 12"):
        lander(log, bucket.using())._step()


def hour(bucket: MemoryBucket) -> tuple[int, bool]:
    held = ledger_of(bucket).hours[Hour("click", "2026-01-02", "01")]
    return held.records, held.sealed


def test_an_added_partition_is_landed_from_its_beginning_and_sealing_waits_for_it() -> None:
    log, bucket = Log(records("first", 6)), MemoryBucket()
    running = lander(log, bucket)
    for _ in range(3):
        running._step()
    log.records[Partition("t", 2)] = [
        MemoryRecord(n, NOW - 4 * 3_600_000, record.value)
        for n, record in enumerate(records("added", 9, 3)[Partition("t", 2)])
    ]
    running._source.step = 2
    running._cut_all()
    running._write_log()
    assert hour(bucket) == (10, False)
    assert ledger_of(bucket).offsets == {0: 6, 1: 6, 2: 0}
    running.run_until_caught_up(threading.Event())
    assert landed(bucket) == values(log.records)
    assert hour(bucket) == (18, True)


def test_partitions_that_the_new_topic_lacks_hold_no_seal_back() -> None:
    log, bucket = Log(records("first", 6)), MemoryBucket()
    log.records[P1] = [
        MemoryRecord(n, NOW - 4 * 3_600_000, r.value) for n, r in enumerate(log.records[P1])
    ]
    running = lander(log, bucket, cut=1)
    running._step()
    running._write_log()
    assert not hour(bucket)[1]
    log.made_again(records("second", 6, partitions=1))
    land(log, bucket.using())
    assert hour(bucket)[1]


def test_an_hour_is_not_sealed_while_the_new_topic_holds_unlanded_records() -> None:
    log, bucket = Log(records("first", 6)), MemoryBucket()
    for p, held in log.records.items():
        log.records[p] = [MemoryRecord(n, NOW - 4 * 3_600_000, r.value) for n, r in enumerate(held)]
    running = lander(log, bucket, cut=1)
    for _ in range(2):
        running._step()
    log.made_again(records("second", 3))
    running._lanes.clear()
    running._write_log()
    assert ledger_of(bucket).offsets == {0: 6, 1: 6}
    assert not hour(bucket)[1]


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_whenever_the_topic_is_made_again_no_record_is_landed_twice_and_the_last_topic_whole(
    data: st.DataObject,
) -> None:
    log, bucket = Log(records("0", 10)), MemoryBucket()
    all_values = values(log.records)
    running: list[Lander] = []
    made = 0
    for _ in range(data.draw(st.integers(1, 40))):
        if len(running) < 2:
            crash = data.draw(st.none() | st.builds(CrashAt, st.integers(0, 12), st.booleans()))
            clock = Clock(NOW / 1000 + data.draw(st.sampled_from([0, 100])))
            running.append(lander(log, bucket.using(crash), data.draw(st.integers(1, 300)), clock))
            continue
        if made < 2 and data.draw(st.integers(0, 9)) == 0:
            made += 1
            log.made_again(records(str(made), data.draw(st.integers(0, 10))))
            all_values |= values(log.records)
        turn = data.draw(st.sampled_from(running))
        act: Callable[[], None] = data.draw(
            st.sampled_from([turn._step, turn._cut_all, turn._write_log])
        )
        try:
            act()
        except Crash:
            running.remove(turn)
    log.hints = data.draw(st.sampled_from([dict(log.hints), {}, {P0: Hint(0, 3), P1: Hint(3, 99)}]))
    land(log, bucket.using(), clock=Clock(LATER))
    found = landed(bucket)
    assert not found - all_values
    assert {v: found[v] for v in values(log.records)} == values(log.records)
    check_chains(bucket)
    check_ledger(bucket)
