"""Record batches: what is read of them is what kafka-python reads, record by record."""

import struct
from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError
from kafka.protocol.consumer import IsolationLevel
from kafka.record import MemoryRecords
from kafka.record.default_records import DefaultRecordBatchBuilder
from kafka.record.legacy_records import LegacyRecordBatchBuilder
from kafka.record.util import calc_crc32c
from kafka.structs import TopicPartition
from memory_source import MemoryRecord

from ingest.land.record_batch import Aborted, RecordBatches
from ingest.land.source import Batch

NOW = 1_767_326_400_000
TRANSACTIONAL, CONTROL, LOG_APPEND_TIME = 0x10, 0x20, 0x08
ABORT, COMMIT = b"\x00\x00\x00\x00", b"\x00\x00\x00\x01"
SIZE = 1 << 20


class Written(NamedTuple):
    """A record batch to be: its records have offsets, not deltas."""

    base: int
    records: Sequence[MemoryRecord]
    codec: int = 0
    producer: int = -1
    attributes: int = 0
    key: bytes | None = None


def batch_bytes(batch: Written) -> bytes:
    """The batch as a broker keeps it."""
    builder = DefaultRecordBatchBuilder(2, batch.codec, False, batch.producer, 0, 0, 1 << 30)
    for record in batch.records:
        headers = list(record.headers)
        delta = record.offset - batch.base
        builder.append(delta, record.timestamp, batch.key, record.value, headers)
    data = bytearray(builder.build())
    data[:8] = batch.base.to_bytes(8, "big")
    attributes = int.from_bytes(data[21:23], "big") | batch.attributes
    data[21:23] = attributes.to_bytes(2, "big")
    data[17:21] = calc_crc32c(memoryview(data)[21:]).to_bytes(4, "big")
    return bytes(data)


def taken(data: bytes, offset: int = 0, aborted: Sequence[Aborted] = (), size: int = SIZE) -> tuple[
    list[MemoryRecord], int
]:  # fmt: skip
    """All records of a fetch, and the offset to fetch next."""
    batches = RecordBatches(data, offset, aborted)
    rows: list[MemoryRecord] = []
    while (batch := batches.take(size)) is not None:
        rows += rows_of(batch)
    assert batches.done
    return rows, batches.next


def rows_of(batch: Batch) -> list[MemoryRecord]:
    headers = batch.headers or [()] * len(batch)
    return [
        MemoryRecord(offset, timestamp, value, tuple(found))
        for offset, timestamp, value, found in zip(
            batch.offsets, batch.timestamps, batch.values, headers, strict=True
        )
    ]


def straight(
    data: bytes, offset: int = 0, aborted: Sequence[Aborted] = ()
) -> tuple[list[MemoryRecord], int]:
    """The same by kafka-python."""
    read = Fetcher.PartitionRecords(
        offset, TopicPartition("t", 0), MemoryRecords(data),
        isolation_level=IsolationLevel.READ_COMMITTED, aborted_transactions=list(aborted),
    )  # fmt: skip
    rows = [MemoryRecord(r.offset, r.timestamp, r.value, tuple(r.headers)) for r in read.take()]
    return rows, read.next_fetch_offset


values = st.none() | st.binary(max_size=300) | st.integers(0, 20_000).map(lambda n: b"x" * n)
headers = st.lists(st.tuples(st.text(max_size=9), st.none() | st.binary(max_size=140)), max_size=4)
produced = st.integers(0, 10**12).map(
    lambda n: [("host", b"web-1"), ("file", b"a.log#1"), ("seq", b"%d" % n)]
)


@st.composite
def logs(draw: st.DrawFn) -> list[Written]:
    """Some batches, one after the other; offsets may be missing, as after compaction."""
    made = []
    offset = draw(st.integers(0, 2**40))
    for _ in range(draw(st.integers(1, 4))):
        base = offset
        records = []
        for _ in range(draw(st.integers(1, 5))):
            offset += draw(st.sampled_from([0, 0, 0, 1, 70]))
            timestamp = NOW + draw(st.integers(-(10**7), 10**7))
            found = tuple(draw(headers | produced))
            records.append(MemoryRecord(offset, timestamp, draw(values), found))
            offset += 1
        key = draw(st.none() | st.binary(max_size=200))
        made.append(Written(base, records, draw(st.integers(0, 4)), key=key))
    return made


@given(logs(), st.integers(0, 400), st.integers(0, 3000))
def test_records_are_those_that_kafka_python_reads(
    log: list[Written], inside: int, size: int
) -> None:
    data = b"".join(map(batch_bytes, log))
    offset = log[0].base + inside
    assert taken(data, offset, size=size) == straight(data, offset)


def test_many_records_of_a_batch_have_offsets_of_every_width() -> None:
    records = [MemoryRecord(n, NOW + n % 7, b"%d" % n) for n in range(9_000)]
    data = batch_bytes(Written(0, records))
    assert taken(data) == (records, 9_000)


def test_a_topic_with_append_time_has_one_timestamp_a_batch() -> None:
    records = [MemoryRecord(n, NOW + n, b"{}") for n in range(3)]
    data = batch_bytes(Written(0, records, attributes=LOG_APPEND_TIME))
    found, _ = taken(data)
    assert [record.timestamp for record in found] == [NOW + 2] * 3
    assert taken(data) == straight(data)


def marker(base: int, producer: int, key: bytes) -> Written:
    records = [MemoryRecord(base, NOW, b"\x00\x00\x00\x00\x00\x00")]
    return Written(base, records, 0, producer, TRANSACTIONAL | CONTROL, key)


@st.composite
def transactions(draw: st.DrawFn) -> tuple[list[Written], list[Aborted]]:
    """Batches of three producers and of none, in transactions that end, or are open yet."""
    log: list[Written] = []
    aborted: list[Aborted] = []
    begun: dict[int, int] = {}
    offset = 0
    for _ in range(draw(st.integers(1, 14))):
        producer = draw(st.sampled_from([-1, 7, 8, 9]))
        if producer in begun and draw(st.booleans()):
            key = draw(st.sampled_from([ABORT, COMMIT]))
            if key == ABORT:
                aborted.append(Aborted(producer, begun[producer]))
            del begun[producer]
            log.append(marker(offset, producer, key))
        else:
            begun.setdefault(producer, offset)
            bits = TRANSACTIONAL if producer >= 0 else 0
            log.append(Written(offset, [MemoryRecord(offset, NOW, b"{}")], 0, producer, bits))
        offset += 1
    begun.pop(-1, None)
    last_stable = min(begun.values(), default=offset)
    return [batch for batch in log if batch.base < last_stable], aborted


@given(transactions(), st.integers(0, 6))
def test_aborted_transactions_and_markers_are_passed_over(
    made: tuple[list[Written], list[Aborted]], start: int
) -> None:
    log, aborted = made
    data = b"".join(batch_bytes(batch) for batch in log if batch.base >= start)
    wanted = [one for one in aborted if one.first_offset < len(log)]
    assert taken(data, start, wanted) == straight(data, start, wanted)


def test_a_batch_that_the_fetch_cut_off_is_left_for_the_next() -> None:
    first, second = (batch_bytes(Written(n, [MemoryRecord(n, NOW, b"{}" * 50)], 0)) for n in (0, 1))
    for end in range(len(second)):
        rows, next_ = taken(first + second[:end])
        assert ([row.offset for row in rows], next_) == ([0], 1)


def test_a_batch_whose_bytes_were_changed_is_never_read() -> None:
    good = batch_bytes(Written(0, [MemoryRecord(0, NOW, b"{}")]))
    bad = bytearray(batch_bytes(Written(1, [MemoryRecord(1, NOW, b'{"a":1}')])))
    bad[-3] ^= 1
    batches = RecordBatches(good + bytes(bad), 0)
    batch = batches.take(SIZE)
    assert batch is not None
    assert (list(batch.offsets), batches.next) == ([0], 1), "what is whole comes first"
    for _ in range(2):
        with pytest.raises(CorruptRecordError, match="offset 1"):
            batches.take(SIZE)
    assert batches.next == 1


def broken(data: bytes, at: int, byte: int) -> bytes:
    """A batch with another byte, and the checksum of it."""
    changed = bytearray(data)
    changed[at] = byte
    changed[17:21] = calc_crc32c(memoryview(changed)[21:]).to_bytes(4, "big")
    return bytes(changed)


@given(st.integers(61, 400), st.integers(0, 255), st.sampled_from([0, 1, 2, 3, 4]))
def test_a_batch_that_is_none_is_refused_or_read_but_breaks_nothing(
    at: int, byte: int, codec: int
) -> None:
    records = [MemoryRecord(n, NOW, b'{"n":%d}' % n, (("seq", b"%d" % n),)) for n in range(9)]
    data = batch_bytes(Written(0, records, codec))
    batches = RecordBatches(broken(data, min(at, len(data) - 1), byte), 0)
    try:
        batch = batches.take(SIZE)
    except CorruptRecordError:
        assert batches.next == 0
    else:
        assert batch is not None
        assert len(batch) == len(batch.values) == len(batch.timestamps) == 9
        assert batch.headers is None or len(batch.headers) == 9


def test_batches_of_old_formats_are_told() -> None:
    builder = LegacyRecordBatchBuilder(1, 0, 1 << 20)
    builder.append(0, NOW, None, b"{}")
    old = bytes(builder.build())
    new = batch_bytes(Written(1, [MemoryRecord(1, NOW, b"{}")]))
    assert RecordBatches(old + new, 0).old()
    assert RecordBatches(new + old, 0).old()
    assert not RecordBatches(new + struct.pack(">qi", 2, 90), 0).old()
