"""Both clients of Kafka keep one contract, on a real broker: what `land` reads does not depend on it."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from confluent_kafka import Producer
from ingest_stage import PARTITIONS, Stage, wait_until
from kafka import KafkaProducer, TopicPartition
from kafka.admin import NewPartitions

from datacore.errors import UsageError
from datacore.settings import KAFKA_CLIENTS, load_settings
from ingest import topics
from ingest.land.source import Batch, Hint, Mark, Partition, RetentionOutran, Source
from ingest.land.source_kafka import kafka_source
from ingest.land.source_topics import Rebalance

pytestmark = pytest.mark.sandbox

Row = tuple[int, int, bytes | None, tuple[tuple[str, bytes | None], ...]]
Open = Callable[..., Source]
LIMIT = 60
"""Seconds that a test waits for records."""


@pytest.fixture(params=KAFKA_CLIENTS)
def opened(request: pytest.FixtureRequest, stage: Stage) -> Iterator[Open]:
    """Makes sources of the stage's topic with one of the clients."""
    settings = replace(load_settings(stage.sandbox.env), kafka_client=request.param)
    made: list[Source] = []

    def source(share: Rebalance | None = None) -> Source:
        found = topics.describe(stage.admin, [stage.topic])
        made.append(kafka_source(settings, list(found.values()), share))
        return made[-1]

    yield source
    for one in made:
        one.close()


def rows(batch: Batch) -> list[Row]:
    headers = batch.headers or [()] * len(batch)
    assert len(batch) == len(batch.values) == len(batch.timestamps) == len(headers)
    return [
        (offset, timestamp, value, tuple(found))
        for offset, timestamp, value, found in zip(
            batch.offsets, batch.timestamps, batch.values, headers, strict=True
        )
    ]


def poll_until(source: Source, done: Callable[[dict[Partition, list[Row]]], bool]) -> dict[
    Partition, list[Row]
]:  # fmt: skip
    """Poll until what came is enough."""
    found: dict[Partition, list[Row]] = defaultdict(list)
    deadline = time.monotonic() + LIMIT
    while not done(found):
        assert time.monotonic() < deadline, {p: len(came) for p, came in found.items()}
        for partition, batch in source.poll(0.2).items():
            found[partition] += rows(batch)
    return found


def to_ends(source: Source) -> dict[Partition, list[Row]]:
    """Everything up to the ends of all partitions, markers included."""
    ends = source.ends()
    return poll_until(source, lambda _: all(source.position(p) >= end for p, end in ends.items()))


def producer(stage: Stage, **options: object) -> KafkaProducer:
    return KafkaProducer(bootstrap_servers=stage.sandbox.env["DATACORE_KAFKA"], **options)


def put(stage: Stage, lines: list[bytes], number: int = 0) -> None:
    sender = producer(stage, linger_ms=5)
    for line in lines:
        sender.send(stage.topic, line, partition=number)
    sender.flush()
    sender.close()


def test_every_kind_of_record_comes_as_it_was_sent(stage: Stage, opened: Open) -> None:
    expected: list[Row] = []
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        sender = Producer(
            {
                "bootstrap.servers": stage.sandbox.env["DATACORE_KAFKA"],
                "compression.type": codec,
                "linger.ms": 50,
            }
        )
        for value in (b"{}", None, b"", b"x" * 70_000, "→ 漢字".encode()):
            for headers in ([], [("host", b"h"), ("seq", b"1")], [("a", None), ("a", b"")]):
                at = 1_767_326_400_000 + len(expected)
                key = b"k" if value else None
                sender.produce(stage.topic, value, key, 0, timestamp=at, headers=headers)
                expected.append((len(expected), at, value, tuple(headers)))
        assert sender.flush(LIMIT) == 0
    source = opened()
    for partition in source.partitions():
        source.seek(partition, Mark(0))
    assert to_ends(source) == {Partition(stage.topic, 0): expected}


def test_only_what_was_committed_comes_and_markers_are_passed(stage: Stage, opened: Open) -> None:
    def transaction(name: str, lines: list[bytes], commit: bool | None) -> KafkaProducer:
        sender = producer(stage, transactional_id=f"{stage.topic}-{name}")
        sender.init_transactions()
        sender.begin_transaction()
        for line in lines:
            sender.send(stage.topic, line, partition=0)
        sender.flush()
        if commit is not None:
            (sender.commit_transaction if commit else sender.abort_transaction)()
        return sender

    zero = Partition(stage.topic, 0)
    senders = [
        transaction("a", [b"1", b"2"], commit=True),
        transaction("b", [b"no"] * 3, commit=False),
    ]
    source = opened()
    for partition in source.partitions():
        source.seek(partition, Mark(0))
    assert [row[2] for row in to_ends(source)[zero]] == [b"1", b"2"]
    assert source.position(zero) == 3 + 4
    senders.append(transaction("c", [b"3"], commit=None))
    put(stage, [b"4"])
    assert source.ends()[zero] == 9
    for _ in range(5):
        assert source.poll(0.1) == {}, "an open transaction is waited for"
    assert source.position(zero) == 7
    senders[-1].commit_transaction()
    assert [(row[0], row[2]) for row in to_ends(source)[zero]] == [(7, b"3"), (8, b"4")]
    again = [row[2] for batch in source.read(zero, 1, 8) for row in rows(batch)]
    assert again == [b"2", b"3"]
    for sender in senders:
        sender.close()


def test_after_a_seek_the_first_record_is_the_one_sought(stage: Stage, opened: Open) -> None:
    put(stage, [b"%06d" % n * 30 for n in range(20_000)])
    zero = Partition(stage.topic, 0)
    source = opened()
    for partition in source.partitions():
        source.seek(partition, Mark(0))
    for sought in (0, 19_000, 5, 12_345, 12_344, 0):
        source.seek(zero, Mark(sought))
        assert source.position(zero) == sought
        found = poll_until(source, lambda came: bool(came[zero]))[zero]
        assert found[0][0] == sought
        assert [row[0] for row in found] == list(range(sought, sought + len(found)))
        assert all(row[2] == b"%06d" % row[0] * 30 for row in found)
        assert source.position(zero) >= found[-1][0] + 1


def test_nothing_comes_before_a_partition_was_sought(stage: Stage, opened: Open) -> None:
    put(stage, [b"{}"] * 10)
    source = opened(Rebalance.EAGER)
    wait_until(lambda: source.poll(0.2) == {} and len(source.assigned()) == PARTITIONS, "the group")
    for _ in range(5):
        assert source.poll(0.2) == {}
    zero = Partition(stage.topic, 0)
    source.seek(zero, Mark(4))
    found = poll_until(source, lambda came: len(came[zero]) == 6)
    assert [row[0] for row in found[zero]] == [4, 5, 6, 7, 8, 9]


def test_a_range_is_read_again_while_polling_goes_on(stage: Stage, opened: Open) -> None:
    put(stage, [b"%d" % n for n in range(5_000)])
    zero = Partition(stage.topic, 0)
    source = opened()
    for partition in source.partitions():
        source.seek(partition, Mark(0))
    first = poll_until(source, lambda came: bool(came[zero]))[zero]
    for begin, end in ((0, 5_000), (4_999, 5_000), (1_000, 1_001), (17, 4_017)):
        again = [row for batch in source.read(zero, begin, end) for row in rows(batch)]
        assert [row[2] for row in again] == [b"%d" % n for n in range(begin, end)]
    rest = to_ends(source).get(zero, [])
    assert [row[0] for row in first + rest] == list(range(5_000))


def test_a_hint_is_kept_with_the_offset(stage: Stage, opened: Open) -> None:
    zero = Partition(stage.topic, 0)
    source = opened()
    source.seek(zero, Mark(0))
    assert source.hint(Partition(stage.topic, 1)) is None
    source.acknowledge(zero, Hint(3, 7, 2, "abc"))
    assert source.hint(zero) == opened().hint(zero) == Hint(3, 7, 2, "abc")


def test_what_kafka_dropped_is_told(stage: Stage, opened: Open) -> None:
    put(stage, [b"%d" % n for n in range(10)])
    put(stage, [b"other"], number=1)
    zero = Partition(stage.topic, 0)
    stage.admin.delete_records({TopicPartition(*zero): 6})
    source = opened()
    assert source.dropped(zero, Mark(0)) == Mark(6)
    for partition in source.partitions():
        source.seek(partition, Mark(0))
    with pytest.raises(RetentionOutran) as outran:
        poll_until(source, lambda _: False)
    assert outran.value.partition == zero
    with pytest.raises(RetentionOutran):
        list(source.read(zero, 2, 8))
    source.seek(zero, Mark(6))
    assert [row[0] for row in to_ends(source)[zero]] == [6, 7, 8, 9]


def test_partitions_that_were_added_are_read_too(stage: Stage, opened: Open) -> None:
    source = opened()
    for partition in source.partitions():
        source.seek(partition, Mark(0))
    stage.admin.create_partitions({stage.topic: NewPartitions(PARTITIONS + 1)})
    new = Partition(stage.topic, PARTITIONS)
    wait_until(lambda: new in source.ends(), "the new partition")
    assert new in source.assigned()
    source.seek(new, Mark(0))
    put(stage, [b"{}"] * 3, number=PARTITIONS)
    assert len(to_ends(source)[new]) == 3


@pytest.mark.parametrize("protocol", list(Rebalance))
def test_a_group_shares_the_partitions_and_none_is_read_from_elsewhere(
    stage: Stage, opened: Open, protocol: Rebalance
) -> None:
    for number in range(PARTITIONS):
        put(stage, [b"%d" % n for n in range(50)], number)
    everything = {Partition(stage.topic, number) for number in range(PARTITIONS)}
    one = opened(protocol)
    came: dict[Partition, list[int]] = defaultdict(list)
    follow(
        one, came, lambda: set(one.assigned()) == everything and sum(map(len, came.values())) == 150
    )
    assert all(offsets == list(range(50)) for offsets in came.values())
    other = opened(protocol)  # confluent's joins the group at once, whether it is polled or not
    stop = threading.Event()
    theirs: dict[Partition, list[int]] = defaultdict(list)
    thread = threading.Thread(target=follow, args=(other, theirs, stop.is_set))
    thread.start()
    follow(one, came, lambda: bool(one.assigned() and other.assigned())
           and one.assigned() | other.assigned() == everything
           and not one.assigned() & other.assigned())  # fmt: skip
    for number in range(PARTITIONS):
        put(stage, [b"more"], number)
    follow(one, came, lambda: all(50 in came[p] for p in one.assigned()))
    wait_until(lambda: all(50 in theirs[p] for p in other.assigned()), "the other's records")
    stop.set()
    thread.join()
    assert {p for p in everything if 50 in came[p]}.isdisjoint(other.assigned())
    assert all(offsets == sorted(offsets) for offsets in theirs.values())


def follow(source: Source, came: dict[Partition, list[int]], done: Callable[[], bool]) -> None:
    """As the lander does: seek what comes to us, read what is ours; offsets as they come."""
    known: set[Partition] = set()
    deadline = time.monotonic() + LIMIT
    while not done():
        assert time.monotonic() < deadline, (source.assigned(), dict(came))
        assigned = set(source.assigned())
        for partition in assigned - known:
            source.seek(partition, Mark(max(came[partition], default=-1) + 1))
        known = assigned
        for partition, batch in source.poll(0.2).items():
            if partition in known:
                came[partition] += batch.offsets


def test_an_unknown_client_is_refused() -> None:
    with pytest.raises(UsageError, match="DATACORE_KAFKA_CLIENT"):
        load_settings({"DATACORE_KAFKA_CLIENT": "kafka4"})
