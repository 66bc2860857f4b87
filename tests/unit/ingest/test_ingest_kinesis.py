"""Landing from Kinesis: killed, doubled, resharded or outrun, every record lands once or is told lost."""

import base64
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from aggregated_records import packed
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from kinesis_stream import MemoryStream, memory_stream
from memory_bucket import Crash, CrashAt, MemoryBucket

from datacore.errors import ServiceUnreachable, UsageError
from datacore.settings import ROOT
from ingest.land.chain import manifests_since
from ingest.land.hourlog import CLOSED, Hour
from ingest.land.hours import read_ledger
from ingest.land.lander import CutPolicy, Lander
from ingest.land.lane import LanderIdentity
from ingest.land.manifest import Kind, Manifest, chains_prefix
from ingest.land.rules import Limits, Rule, Rules
from ingest.land.source import NEVER, Mark, Partition
from ingest.land.source_kinesis import Known, Share
from sandbox import kinesis

RULES = Rules((Rule("click", "t", "type", "click", None, None),), Limits(grace_ms=0))
"""Records land in the hour in which they arrived."""
DAYS_2 = 2 * 86_400.0


class Registered:
    """A registrar that is asked and forgets."""

    def hours(self, hours: set[Hour]) -> int:
        return len(hours)

    def cuts(self, topic: str, partition: int) -> None: ...
    def block(self, topic: str, block: int) -> None: ...
    def quarantine(self, topic: str, dt: str, hour: str) -> None: ...


class Clock:
    """The time, moved."""

    def __init__(self, ahead: float = 0.0) -> None:
        self.ahead = ahead

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def stream() -> Iterator[MemoryStream]:
    with memory_stream(3) as made:
        yield made


def value(number: int) -> bytes:
    """A record; every fifth is no JSON."""
    return b'{"type":"click","n":%d}' % number if number % 5 < 4 else b"broken %d" % number


def values(first: int, count: int) -> list[bytes]:
    return [value(number) for number in range(first, first + count)]


def known(bucket: MemoryBucket) -> Known:
    """What the command reads before it starts."""
    chains = frozenset(map(int, bucket.folders(chains_prefix("t"))))
    return Known(read_ledger(bucket, "t").watermarks, chains)


def lander(
    stream: MemoryStream,
    bucket: MemoryBucket,
    cut: int = 200,
    share: Share | None = None,
    clock: Clock | None = None,
    client: Any = None,
) -> Lander:
    clock = clock or Clock()
    return Lander(
        stream.source(known(bucket), share, clock, client),
        bucket,
        RULES,
        Registered(),
        LanderIdentity(f"lander-{id(bucket)}", clock),
        CutPolicy(bytes=cut, idle_log_seconds=None if share is None else 0.0),
    )


def land(stream: MemoryStream, bucket: MemoryBucket, **more: Any) -> Lander:
    made = lander(stream, bucket, **more)
    made.run_until_caught_up(threading.Event())
    return made


def step_until(running: Lander, happened: Callable[[], bool]) -> None:
    """Steps, as many as are needed, within reason."""
    for _ in range(200):
        if happened():
            return
        running._step()
    raise AssertionError("200 steps were not enough")


def position(running: Lander, number: int) -> int:
    """How far a shard was read; -1 where it is not."""
    lane = running._lanes.get(Partition("t", number))
    return lane.position() if lane else -1


def landed(bucket: MemoryBucket) -> Counter[bytes]:
    """The records' bytes, out of raw and quarantine objects alike."""
    return Counter(
        base64.b64decode(json.loads(line)["value"]) if line.startswith(b'{"topic"') else line
        for line in bucket.lines()
    )


def chain(bucket: MemoryBucket, number: int) -> list[Manifest]:
    return manifests_since(bucket, Partition("t", number), 0)


def kinds(bucket: MemoryBucket, number: int) -> list[Kind]:
    return [manifest.kind for manifest in chain(bucket, number)]


def check_chain(stream: MemoryStream, bucket: MemoryBucket, number: int) -> None:
    """Offsets follow from 0; the ranges of sequence numbers follow, and count what they name."""
    numbers = stream.sequence_numbers(number)
    at = 0
    for manifest in chain(bucket, number):
        assert manifest.first == (0 if not at else previous.next)  # noqa: F821 — bound below
        previous = manifest  # noqa: F841
        if manifest.kind is Kind.CUT:
            assert (manifest.source_first, manifest.gaps) == (numbers[at], ())
            at += manifest.next - manifest.first
            assert manifest.source_last == numbers[at - 1]
    assert at == len(numbers)


def check(stream: MemoryStream, bucket: MemoryBucket, expected: list[bytes]) -> None:
    """Each (shard, sequence number) once."""
    assert landed(bucket) == Counter(expected)
    for shard in stream.model.shards.values():
        check_chain(stream, bucket, shard._shard_id)


def test_every_record_of_every_shard_lands_once(stream: MemoryStream) -> None:
    bucket = MemoryBucket()
    for number in range(3):
        stream.put(number, *values(number * 100, 30))
    done = land(stream, bucket).summary
    check(stream, bucket, values(0, 30) + values(100, 30) + values(200, 30))
    assert (done.landed, done.quarantined) == (72, 18)
    before = dict(bucket.objects)
    assert land(stream, bucket.using()).summary.cuts == 0
    assert bucket.objects == before
    stream.put(1, *values(300, 7))
    land(stream, bucket.using())
    check(stream, bucket, values(0, 30) + values(100, 30) + values(200, 30) + values(300, 7))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_any_write_the_next_lander_lands_every_record_once(after: bool) -> None:
    number = 0
    while True:
        with memory_stream(2) as stream:
            stream.put(0, *values(0, 8))
            stream.put(1, *values(100, 3))
            stream.split(1)
            stream.put(3, *values(200, 2))
            bucket = MemoryBucket(CrashAt(number, after))
            try:
                land(stream, bucket, cut=100)
            except Crash:
                land(stream, bucket.using(), cut=150)
            else:
                assert number > 10
                break
            check(stream, bucket, values(0, 8) + values(100, 3) + values(200, 2))
            assert kinds(bucket, 1)[-1] is Kind.CLOSED
        number += 1


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_killed_doubled_and_resharded_at_random_every_record_lands_once(
    data: st.DataObject,
) -> None:
    with memory_stream(2) as stream:
        bucket, expected = MemoryBucket(), list[bytes]()
        running: list[Lander] = []
        for _ in range(data.draw(st.integers(1, 25))):
            act = data.draw(
                st.sampled_from(["put", "put", "reshard", "step", "step", "cut", "log"])
            )
            open_shards = stream.open_shards()
            if act == "put":
                count = data.draw(st.integers(1, 6))
                lines = values(len(expected), count)
                stream.put(data.draw(st.sampled_from(open_shards)), *lines)
                expected += lines
            elif act == "reshard" and len(stream.model.shards) < 8:
                if data.draw(st.booleans()) and len(open_shards) > 1:
                    ordered = sorted(open_shards, key=lambda n: stream.shard(n).starting_hash)
                    at = data.draw(st.integers(0, len(ordered) - 2))
                    stream.merge(ordered[at], ordered[at + 1])
                else:
                    stream.split(data.draw(st.sampled_from(open_shards)))
            elif len(running) < 2:
                crash = data.draw(st.none() | st.builds(CrashAt, st.integers(0, 12), st.booleans()))
                size = data.draw(st.integers(1, 300))
                running.append(lander(stream, bucket.using(crash), cut=size))
            else:
                turn = data.draw(st.sampled_from(running))
                steps = {"step": turn._step, "cut": turn._cut_all, "log": turn._write_log}
                try:
                    steps.get(act, turn._step)()
                except Crash:
                    running.remove(turn)
        land(stream, bucket.using())
        check(stream, bucket, expected)
        for shard in stream.model.shards.values():
            ended = kinds(bucket, shard._shard_id)[-1:] == [Kind.CLOSED]
            assert ended is not shard.is_open


def test_a_zombie_adopts_the_winners_cut_and_counts_on_from_it(stream: MemoryStream) -> None:
    bucket = MemoryBucket()
    stream.put(0, *values(0, 20))
    zombie = lander(stream, bucket.using(), cut=10**6)
    zombie._step()
    stream.put(0, *values(20, 5))
    land(stream, bucket, cut=60)
    before = dict(bucket.objects)
    zombie._cut_all()
    assert bucket.objects == before
    stream.put(0, *values(25, 5))
    step_until(zombie, lambda: position(zombie, 0) >= 30)
    zombie._cut_all()
    check(stream, bucket, values(0, 30))


def test_a_split_shard_ends_its_chain_and_its_children_are_followed(stream: MemoryStream) -> None:
    bucket = MemoryBucket()
    stream.put(0, *values(0, 10))
    running = lander(stream, bucket)
    running._step()
    stream.split(0)
    stream.put(4, *values(10, 10))
    stop = threading.Event()
    step_until(running, lambda: position(running, 4) >= 10)
    stop.set()
    running.run(stop)
    check(stream, bucket, values(0, 20))
    assert kinds(bucket, 0)[-1] is Kind.CLOSED
    assert chain(bucket, 0)[-1].source_last == stream.sequence_numbers(0)[-1]
    assert Kind.CLOSED not in kinds(bucket, 4)


def test_merged_shards_end_their_chains(stream: MemoryStream) -> None:
    bucket = MemoryBucket()
    stream.put(0, *values(0, 3))
    stream.merge(0, 1)
    stream.put(3, *values(3, 4))
    land(stream, bucket)
    check(stream, bucket, values(0, 7))
    assert (kinds(bucket, 1), kinds(bucket, 0)[-1]) == ([Kind.CLOSED], Kind.CLOSED)


def sealed(bucket: MemoryBucket) -> list[bool]:
    return [hour.sealed for hour in read_ledger(bucket, "t").hours.values()]


HOUR = 3_600.0


def test_neither_a_closed_nor_an_expired_nor_an_idle_shard_keeps_an_hour_open(
    stream: MemoryStream,
) -> None:
    bucket = MemoryBucket()
    stream.put(0, *values(0, 10))
    land(stream, bucket)
    assert sealed(bucket) == [False]
    stream.split(0)
    land(stream, bucket.using(), clock=Clock(HOUR))
    assert sealed(bucket) == [True]
    assert read_ledger(bucket, "t").watermarks[0] == CLOSED
    stream.expire(0)
    stream.put(1, *values(10, 4))
    land(stream, bucket.using())
    land(stream, bucket.using(), clock=Clock(HOUR))
    assert sealed(bucket) == [True]
    assert Kind.LOST not in kinds(bucket, 0)
    assert landed(bucket) == Counter(values(0, 14))


def test_an_hour_waits_for_a_new_shard_that_is_not_read_yet(stream: MemoryStream) -> None:
    bucket = MemoryBucket()
    stream.put(0, *values(0, 10))
    later = Clock()
    running = lander(stream, bucket, clock=later)
    running._step()
    running._cut_all()
    stream.split(0)
    stream.put(3, *values(10, 1))
    later.ahead = HOUR
    running._write_log()
    assert sealed(bucket) == [False]


def test_landers_with_shares_of_the_shards_seal_together(stream: MemoryStream) -> None:
    bucket = MemoryBucket()
    for number in range(3):
        stream.put(number, *values(number * 10, 10))
    later = Clock()
    both = [lander(stream, bucket.using(), share=Share(n, 2), clock=later) for n in range(2)]
    assert [sorted(p.number for p in one._source.assigned()) for one in both] == [[0, 2], [1]]
    for one in both:
        one._step()
        one._cut_all()
        one._write_log()
    check(stream, bucket, values(0, 30))
    assert sealed(bucket) == [False]
    later.ahead = HOUR
    both[0]._write_log()
    assert sealed(bucket) == [False]
    both[1]._write_log()
    assert sealed(bucket) == [True]


def lost(bucket: MemoryBucket, number: int) -> list[tuple[int, int, bool, str | None, str | None]]:
    return [
        (m.first, m.next, m.extent_unknown, m.source_first, m.source_last)
        for m in chain(bucket, number)
        if m.kind is Kind.LOST
    ]


def test_what_kinesis_dropped_unread_is_told_as_lost_of_unknown_extent(
    stream: MemoryStream,
) -> None:
    bucket = MemoryBucket()
    stream.put(0, *values(0, 10))
    land(stream, bucket)
    stream.put(0, *values(10, 10))
    numbers = stream.sequence_numbers(0)
    stream.drop(0, 15)
    land(stream, bucket.using(), clock=Clock(DAYS_2))
    assert lost(bucket, 0) == [(10, 11, True, numbers[9], numbers[15])]
    assert landed(bucket) == Counter(values(0, 10) + values(15, 5))
    assert chain(bucket, 0)[-1].next == 16
    before = dict(bucket.objects)
    land(stream, bucket.using(), clock=Clock(DAYS_2))
    assert bucket.objects == before


def test_a_loss_after_which_more_is_dropped_before_it_is_landed_is_told_twice(
    stream: MemoryStream,
) -> None:
    bucket = MemoryBucket()
    stream.put(0, *values(0, 4))
    land(stream, bucket)
    stream.put(0, *values(4, 10))
    numbers = stream.sequence_numbers(0)
    stream.drop(0, 6)
    with pytest.raises(Crash):
        land(stream, bucket.using(CrashAt(2)), clock=Clock(DAYS_2))
    stream.drop(0, 3)
    land(stream, bucket.using(), clock=Clock(DAYS_2))
    assert lost(bucket, 0) == [
        (4, 5, True, numbers[3], numbers[6]),
        (5, 6, True, numbers[6], numbers[9]),
    ]
    assert landed(bucket) == Counter(values(0, 4) + values(9, 5))


def test_an_idle_shard_whose_last_record_was_dropped_has_lost_nothing_while_it_was_watched(
    stream: MemoryStream,
) -> None:
    bucket = MemoryBucket()
    stream.put(0, *values(0, 5))
    clock = Clock()
    running = lander(stream, bucket, clock=clock)
    running._step()
    running._cut_all()
    running._write_log()
    clock.ahead = DAYS_2 / 4
    running._write_log()
    stream.drop(0, 5)
    stream.put(0, *values(5, 5))
    for step in (lambda: land(stream, bucket.using(), clock=Clock(DAYS_2 / 2)), running._step):
        step()
    assert lost(bucket, 0) == []
    assert landed(bucket) == Counter(values(0, 10))


def test_a_shard_that_was_unwatched_for_longer_than_the_retention_may_have_lost_records(
    stream: MemoryStream,
) -> None:
    bucket = MemoryBucket()
    stream.put(0, *values(0, 5))
    land(stream, bucket)
    number = stream.sequence_numbers(0)[-1]
    stream.drop(0, 5)
    land(stream, bucket.using(), clock=Clock(DAYS_2))
    assert lost(bucket, 0) == [(5, 6, True, number, None)]
    land(stream, bucket.using(), clock=Clock(DAYS_2))
    stream.put(0, *values(5, 5))
    land(stream, bucket.using(), clock=Clock(DAYS_2))
    assert len(lost(bucket, 0)) == 1
    assert landed(bucket) == Counter(values(0, 10))


def test_a_stream_older_than_its_retention_begins_with_a_loss_where_it_holds_records(
    stream: MemoryStream,
) -> None:
    bucket = MemoryBucket()
    stream.put(0, *values(0, 5))
    land(stream, bucket, clock=Clock(DAYS_2))
    assert lost(bucket, 0) == [(0, 1, True, None, stream.sequence_numbers(0)[0])]
    assert lost(bucket, 1) == []
    assert landed(bucket) == Counter(values(0, 5))


def test_a_closed_shard_that_expired_before_it_was_landed_is_told_as_lost(
    stream: MemoryStream,
) -> None:
    bucket = MemoryBucket()
    stream.put(0, *values(0, 5))
    land(stream, bucket)
    stream.put(0, *values(5, 5))
    number = stream.sequence_numbers(0)[4]
    stream.split(0)
    stream.expire(0)
    stream.put(3, *values(10, 2))
    land(stream, bucket.using())
    assert lost(bucket, 0) == [(5, 6, True, number, None)]
    assert kinds(bucket, 0)[-1] is Kind.CLOSED
    before = dict(bucket.objects)
    land(stream, bucket.using())
    assert bucket.objects == before


def test_a_cut_whose_range_was_dropped_tells_which_objects_are_lost(stream: MemoryStream) -> None:
    bucket = MemoryBucket(CrashAt(4))
    stream.put(0, *values(0, 10))
    with pytest.raises(Crash):
        land(stream, bucket, cut=10_000)
    stream.drop(0, 3)
    land(stream, bucket.using())
    assert [m.records for m in chain(bucket, 0) if m.kind is Kind.LOST_OBJECTS] == [10]


def test_records_that_are_dropped_while_they_are_read_are_not_passed_over_in_silence(
    stream: MemoryStream,
) -> None:
    bucket = MemoryBucket()
    stream.put(0, *values(0, 40))
    records = list(stream.shard(0).records.values())
    for record in records:
        record.created_at -= 20 * HOUR
    running = lander(stream, bucket)
    running._source._readers[Partition("t", 0)]._limit = 10  # type: ignore[attr-defined]
    running._step()
    stream.drop(0, 25)
    running._logged_at = 0.0
    step_until(running, lambda: position(running, 0) >= 26)
    running._cut_all()
    numbers = [str(record.sequence_number) for record in records]
    assert lost(bucket, 0) == [(10, 11, True, numbers[9], numbers[25])]
    assert landed(bucket) == Counter(values(0, 10) + values(25, 15))


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "GetRecords")


class Refusing:
    """Answers every n-th request of an operation with an error."""

    def __init__(self, operation: str, code: str, every: int) -> None:
        self.operation, self.code, self.every = operation, code, every
        self.seen = self.refused = 0

    def __call__(self, operation: str, parameters: Any) -> Exception | None:
        self.seen += operation == self.operation
        if operation != self.operation or self.seen % self.every:
            return None
        self.refused += 1
        return refusal(self.code)


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("get_records", "ProvisionedThroughputExceededException"),
        ("get_records", "KMSThrottlingException"),
        ("get_records", "ExpiredIteratorException"),
        ("get_shard_iterator", "ProvisionedThroughputExceededException"),
    ],
)
def test_throttling_and_expired_iterators_are_waited_out(
    stream: MemoryStream, operation: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.land.kinesis_shard.THROTTLED_S", (0.01, 0.02))
    bucket, fault = MemoryBucket(), Refusing(operation, code, 2)
    for number in range(3):
        stream.put(number, *values(number * 20, 20))
    land(stream, bucket, client=stream.client(fault))
    assert fault.refused
    check(stream, bucket, values(0, 60))


def test_a_sequence_number_that_kinesis_refuses_as_too_old_is_a_loss_told(
    stream: MemoryStream,
) -> None:
    bucket = MemoryBucket()
    stream.put(0, *values(0, 5))
    land(stream, bucket)
    stream.put(0, *values(5, 5))
    stream.drop(0, 7)

    def fault(operation: str, parameters: Any) -> Exception | None:
        too_old = parameters.get("ShardIteratorType") == "AT_SEQUENCE_NUMBER"
        return refusal("InvalidArgumentException") if too_old else None

    land(stream, bucket.using(), clock=Clock(DAYS_2), client=stream.client(fault))
    assert [entry[:3] for entry in lost(bucket, 0)] == [(5, 6, True)]
    assert landed(bucket) == Counter(values(0, 5) + values(7, 3))


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("AccessDeniedException", UsageError),
        ("KMSAccessDeniedException", UsageError),
        ("InternalFailure", ServiceUnreachable),
    ],
)
def test_what_waiting_cannot_mend_is_an_error(
    stream: MemoryStream, code: str, error: type[Exception]
) -> None:
    client = stream.client(
        lambda operation, _: refusal(code) if operation == "get_records" else None
    )
    with pytest.raises(error, match="Kinesis"):
        land(stream, MemoryBucket(), client=client)


def test_a_stream_that_is_not_there_is_named(stream: MemoryStream) -> None:
    stream.delete()
    with pytest.raises(UsageError, match="stream 't' does not exist"):
        stream.source()


def test_a_stream_that_was_made_again_begins_a_generation() -> None:
    bucket = MemoryBucket()
    with memory_stream(2) as stream:
        stream.put(0, *values(0, 5))
        stream.split(1)
        land(stream, bucket)
    with memory_stream(2) as stream:
        stream.model.creation_datetime += timedelta(hours=1)
        stream.put(0, *values(5, 3))
        stream.put(1, *values(8, 2))
        land(stream, bucket.using())
    assert landed(bucket) == Counter(values(0, 10))
    assert [(m.generation, m.kind, m.first, m.next) for m in chain(bucket, 0)] == [
        (0, Kind.CUT, 0, 5),
        (0, Kind.END, 5, 5),
        (1, Kind.CUT, 0, 3),
    ]
    assert [(m.generation, m.kind, m.first, m.next) for m in chain(bucket, 1)] == [
        (0, Kind.CLOSED, 0, 0),
        (1, Kind.CUT, 0, 2),
    ]
    assert read_ledger(bucket, "t").watermarks[1] != CLOSED


def test_a_stream_that_is_made_again_while_it_is_landed_is_followed(stream: MemoryStream) -> None:
    bucket = MemoryBucket()
    stream.put(0, *values(0, 5))
    running = lander(stream, bucket)
    running._step()
    running._cut_all()
    created = stream.model.creation_datetime
    stream.delete()
    again = MemoryStream(stream._client, 1)
    again.model.creation_datetime = created + timedelta(hours=1)
    again.put(0, *values(5, 4))
    running._write_log()
    step_until(running, lambda: position(running, 0) == 4)
    running._cut_all()
    assert landed(bucket) == Counter(values(0, 9))
    assert [m.kind for m in chain(bucket, 0)] == [Kind.CUT, Kind.END, Kind.CUT]


def test_catching_up_ends_although_more_keeps_coming(stream: MemoryStream) -> None:
    bucket = MemoryBucket()
    stream.put(0, *values(0, 5))
    more = iter(range(5, 10_000))
    client = stream.client()

    def fault(operation: str, parameters: Any) -> None:
        if operation == "get_records":
            stream.put(0, value(next(more)))

    client.fault = fault
    land(stream, bucket, client=client)
    assert set(values(0, 5)) <= set(landed(bucket))


def test_an_end_is_told_once_the_shard_was_read_to_it(stream: MemoryStream) -> None:
    stream.put(0, *values(0, 5))
    source = stream.source()
    zero = Partition("t", 0)
    ends = source.ends()
    assert set(ends.values()) == {NEVER}
    source.seek(zero, Mark(0))
    batch = source.poll(1)[zero]
    assert list(batch.offsets) == [0, 1, 2, 3, 4]
    stream.put(0, *values(5, 2))
    assert (ends[zero], ends[Partition("t", 1)]) == (5, NEVER)
    assert source.ends()[zero] == 7
    assert source.position(zero) == 5
    assert list(source.poll(1)[zero].offsets) == [5, 6]


def test_two_readers_wait_for_each_other_under_kinesiss_limit(
    stream: MemoryStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinesis, "ANSWERS_A_SECOND", 5)
    shard = stream.shard(0)
    shard.answered = type(shard.answered)(maxlen=5)
    bucket = MemoryBucket()
    stream.put(0, *values(0, 50))
    both = [
        threading.Thread(target=land, args=(stream, bucket.using()), kwargs={"cut": 100})
        for _ in range(2)
    ]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(60)
        assert not thread.is_alive()
    check(stream, bucket, values(0, 50))


def test_aggregated_records_land_line_by_line_killed_or_not(stream: MemoryStream) -> None:
    bucket = MemoryBucket(CrashAt(4))
    stream.put(0, packed(values(0, 7)), value(7), packed(values(8, 3)), packed([b"one\n"]))
    with pytest.raises(Crash):
        land(stream, bucket, cut=10_000)
    land(stream, bucket.using())
    assert landed(bucket) == Counter([*values(0, 11), b"one"])
    (cut,) = chain(bucket, 0)
    numbers = stream.sequence_numbers(0)
    assert (cut.first, cut.next) == (0, 12)
    assert (cut.source_first, cut.source_last) == (numbers[0], numbers[3])


def test_a_line_may_end_with_a_newline_but_not_hold_one(stream: MemoryStream) -> None:
    bucket = MemoryBucket()
    stream.put(0, value(0) + b"\n", value(1) + b"\n" + value(2) + b"\n")
    land(stream, bucket)
    assert landed(bucket) == Counter([value(0), value(1) + b"\n" + value(2)])
    (cut,) = chain(bucket, 0)
    assert [count.reason for count in cut.reasons] == ["not_one_line"]


def test_a_stream_that_is_deleted_while_it_is_landed_ends_the_run_and_no_chain(
    stream: MemoryStream,
) -> None:
    bucket = MemoryBucket()
    stream.put(0, *values(0, 5))
    running = lander(stream, bucket)
    running._step()
    running._cut_all()
    stream.delete()
    with pytest.raises(UsageError, match="stream 't' does not exist"):
        running._step()
    assert kinds(bucket, 0) == [Kind.CUT]


def test_the_policy_grants_the_calls_that_are_made_and_no_other(stream: MemoryStream) -> None:
    bucket, client = MemoryBucket(CrashAt(5)), stream.client()
    stream.put(0, *values(0, 20))
    stream.split(1)
    with pytest.raises(Crash):
        land(stream, bucket, client=client)
    land(stream, bucket.using(), client=client)
    policy = json.loads((ROOT / "docs" / "iam" / "land-kinesis.json").read_text())
    granted = {action for one in policy["Statement"] for action in one["Action"]}
    made = {f"kinesis:{''.join(word.title() for word in call.split('_'))}" for call in client.calls}
    assert granted == made | {"kms:Decrypt"}
