"""Kafka's record batches, format v2: the bytes of a fetch to columns of records.

Comes in: what a broker answered for one partition. Goes out: `Batch`es of committed records only.
No I/O. The format is "Record Batch" of Kafka's protocol guide (kafka.apache.org, "Message Format":
a batch is a header, then records, whose numbers are zigzag varints as in Protocol Buffers). What is
skipped for `read_committed` follows the Java client's CompletedFetch: the batches between a
producer's first aborted offset and its abort marker, and all markers. Making an object of each
record, as clients do, costs more than everything that the lander does with it.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from crc32c import crc32c
from isal import igzip
from kafka.codec import lz4_decode, snappy_decode, zstd_decode
from kafka.errors import CorruptRecordError, UnsupportedCodecError

from ingest.land.source import Batch, Headers

HEADER: Final = struct.Struct(">qiibIhiqqqhii")
"""base offset, length, leader's epoch, magic, crc, attributes, last offset delta, base timestamp,
max timestamp, producer's id, its epoch, base sequence, records."""
FRAME: Final = struct.Struct(">qiib")
"""The part of the header that every format has: base offset, length, epoch (or crc), magic."""
LENGTH_END: Final = 12
"""The batch's length counts from here."""
CRC_FROM: Final = 21

CODEC, LOG_APPEND_TIME, TRANSACTIONAL, CONTROL = 0x07, 0x08, 0x10, 0x20
"""Bits of the attributes."""

DECOMPRESS: Final[dict[int, Callable[[bytes], bytes]]] = {
    1: igzip.decompress,
    2: snappy_decode,
    3: lz4_decode,
    4: zstd_decode,
}

ABORT_MARKER: Final = b"\x00\x00\x00\x00"
"""The key of a control record: version, type 0. A commit is type 1."""


class Aborted(NamedTuple):
    """A transaction that was aborted: records of `producer_id` from `first_offset` on."""

    producer_id: int
    first_offset: int


class RecordBatches:
    """The record batches that a broker answered for a fetch at `offset`."""

    def __init__(
        self, data: bytes | bytearray | memoryview, offset: int, aborted: Iterable[Aborted] = ()
    ) -> None:
        self._data = memoryview(data)
        self._at = 0
        self._from = offset
        self.next = offset
        """The offset to fetch next, once what was taken is done with."""
        self.leader_epoch = -1
        self._aborted = sorted(aborted, key=lambda one: one.first_offset, reverse=True)
        self._aborting: set[int] = set()

    def old(self) -> bool:
        """Whether a batch of an older format is among them; `take` reads none of those."""
        at, data = 0, self._data
        while len(data) - at >= FRAME.size:
            _, length, _, magic = FRAME.unpack_from(data, at)
            if magic < 2:
                return True
            at += LENGTH_END + length
        return False

    def take(self, size: int) -> Batch | None:
        """The records of the next batches, at least `size` bytes of them if so many are left.

        None at the end; a batch that was cut off by the fetch's limit is left for the next fetch.
        Raises CorruptRecordError, with `next` before the batch that is corrupt.
        """
        columns = _Columns()
        took = 0
        while took < size or not columns.reached(self._from):
            end = self._end_of_batch()
            if end is None:
                break
            try:
                took += self._take_batch(bytes(self._data[self._at : end]), columns)
            except CorruptRecordError:
                if not columns.reached(self._from):
                    raise
                break  # what is whole goes first; the next call raises it
            self._at = end
        return columns.batch(self._from)

    @property
    def done(self) -> bool:
        """Whether no whole batch is left."""
        return self._end_of_batch() is None

    def _end_of_batch(self) -> int | None:
        """Where the next batch ends; None where it is not whole."""
        if len(self._data) - self._at < HEADER.size:
            return None
        end: int = self._at + LENGTH_END + FRAME.unpack_from(self._data, self._at)[1]
        return end if end <= len(self._data) else None

    def _take_batch(self, data: bytes, columns: "_Columns") -> int:
        (base, _, epoch, _, crc, attributes, last, first_ms, max_ms, producer, _, _, count) = (
            HEADER.unpack_from(data)
        )
        if crc32c(memoryview(data)[CRC_FROM:]) != crc:
            raise CorruptRecordError(f"record batch at offset {base}: its checksum is wrong")
        took = 0
        if not self._is_skipped(data, base + last, attributes, producer):
            at = HEADER.size
            before = len(columns.values)
            try:
                if codec := attributes & CODEC:
                    data = _decompressed(codec, data[at:], base)
                    at = 0
                append_ms = max_ms if attributes & LOG_APPEND_TIME else None
                columns.read(data, at, count, base, last, first_ms, append_ms)
            except (IndexError, ValueError) as error:
                columns.cut_back(before)
                raise CorruptRecordError(f"record batch at offset {base}: {error}") from error
            took = len(data)
        self.next = base + last + 1
        self.leader_epoch = epoch
        return took

    def _is_skipped(self, data: bytes, last_offset: int, attributes: int, producer: int) -> bool:
        """Whether the batch is a marker, or of a transaction that was aborted."""
        if producer >= 0:
            while self._aborted and self._aborted[-1].first_offset <= last_offset:
                self._aborting.add(self._aborted.pop().producer_id)
        if attributes & CONTROL:
            if producer in self._aborting and _marker_key(data) == ABORT_MARKER:
                self._aborting.remove(producer)
            return True
        return bool(attributes & TRANSACTIONAL) and producer in self._aborting


class _Columns:
    """The columns of a `Batch` under way."""

    __slots__ = ("_first", "_last_name", "_prefix", "headers", "offsets", "timestamps", "values")

    def __init__(self) -> None:
        self.offsets: list[int] = []
        self.timestamps: list[int] = []
        self.values: list[bytes | None] = []
        self.headers: list[Headers] = []
        """Shorter than the others where the records at the end have none."""
        self._prefix = b""
        """The bytes of the headers read last, up to the last one's value,"""
        self._first: Headers = ()
        self._last_name = ""
        """and what they mean."""

    def reached(self, start: int) -> bool:
        """Whether there is a record at `start` or later."""
        return bool(self.offsets) and self.offsets[-1] >= start

    def cut_back(self, count: int) -> None:
        """Keep the first `count` records."""
        for column in (self.offsets, self.timestamps, self.values, self.headers):
            del column[count:]

    def batch(self, start: int) -> Batch | None:
        """What was read, without the records before `start`, which a batch may begin with."""
        if not self.reached(start):
            return None
        headers: list[Headers] | None = None
        if self.headers:
            headers = self.headers + [()] * (len(self.offsets) - len(self.headers))
        batch = Batch(self.offsets, self.timestamps, self.values, headers)
        return batch.within(start, self.offsets[-1] + 1)

    def read(
        self,
        data: bytes,
        at: int,
        count: int,
        base: int,
        last: int,
        base_ms: int,
        append_ms: int | None,
    ) -> None:
        """Append `count` records that begin at `data[at]`; `append_ms` is the time of all, if any.

        A record is: length, attributes (a byte), timestamp delta, offset delta, key's length, key,
        value's length, value, number of headers, headers; all numbers zigzag varints, length -1
        for null. This is the innermost loop of the lander: varints of one and two bytes, which
        are nearly all, are read in place. Raises ValueError or IndexError for what is no batch.
        """
        whole = last + 1 == count
        """No record was removed by compaction: the offset deltas are 0, 1, 2, …"""
        if whole:
            self.offsets.extend(range(base, base + count))
        add_time, add_value = self.timestamps.append, self.values.append
        for index in range(count):
            # the record's length: the rest tells it again
            if data[at] < 128:
                at += 2
            elif data[at + 1] < 128:
                at += 3
            else:
                at = _varint(data, at)[1] + 1
            # timestamp delta
            number = data[at]
            if number < 128:
                at += 1
            elif (high := data[at + 1]) < 128:
                number += (high << 7) - 128
                at += 2
            else:
                number, at = _varint(data, at)
            add_time(base_ms + ((number >> 1) ^ -(number & 1)))
            # offset delta
            if whole:
                at += 1 if index < 64 else 2 if index < 8192 else 3 if index < 1048576 else 4
            else:
                number, at = _varint(data, at)
                self.offsets.append(base + (number >> 1))
            # key
            number = data[at]
            at += 1
            if number != 1:
                number, at = _varint(data, at - 1)
                if not number & 1:
                    at += number >> 1
            # value
            number = data[at]
            if number < 128:
                at += 1
            elif (high := data[at + 1]) < 128:
                number += (high << 7) - 128
                at += 2
            else:
                number, at = _varint(data, at)
            if number & 1:
                add_value(None)
            else:
                end = at + (number >> 1)
                add_value(data[at:end])
                at = end
            # headers
            if data[at]:
                at = self._read_headers(data, at)
            else:
                at += 1
        if at != len(data):
            raise ValueError(f"its records do not end where it does ({at}, {len(data)})")
        if append_ms is not None and count:
            self.timestamps[-count:] = [append_ms] * count

    def _read_headers(self, data: bytes, at: int) -> int:
        """Append the headers that begin at `data[at]`, and give their end.

        Headers of consecutive records differ in little but the last value (a sequence number):
        what came before it is known by its bytes and not read again.
        """
        if not self._prefix or not data.startswith(self._prefix, at):
            return self._read_new_headers(data, at)
        at += len(self._prefix)
        size = data[at]
        if size > 127 or size & 1:
            return self._read_new_headers(data, at - len(self._prefix))
        end = at + 1 + (size >> 1)
        self._add_headers((*self._first, (self._last_name, data[at + 1 : end])))
        return end

    def _read_new_headers(self, data: bytes, at: int) -> int:
        start = at
        number, at = _varint(data, at)
        if number & 1:
            raise ValueError("a negative number of headers")
        found: list[tuple[str, bytes | None]] = []
        for _ in range(number >> 1):
            size, at = _varint(data, at)
            end = at + (size >> 1)
            self._last_name = data[at:end].decode(errors="replace")
            self._prefix = data[start:end]
            size, at = _varint(data, end)
            end = at + (size >> 1)
            found.append((self._last_name, None if size & 1 else data[at:end]))
            at = at if size & 1 else end
        if found:
            self._first = tuple(found[:-1])
        self._add_headers(tuple(found))
        return at

    def _add_headers(self, headers: Headers) -> None:
        if missing := len(self.values) - 1 - len(self.headers):
            self.headers.extend([()] * missing)
        self.headers.append(headers)


def _varint(data: Sequence[int], at: int) -> tuple[int, int]:
    """An unsigned varint and the place after it. Zigzag: halve it, and negate where it is odd."""
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
        shift += 7
        if shift > 63:
            raise ValueError("a varint of more than ten bytes")


def _decompressed(codec: int, data: bytes, base: int) -> bytes:
    decompress = DECOMPRESS.get(codec)
    if decompress is None:
        raise UnsupportedCodecError(f"record batch at offset {base}: compression {codec}")
    try:
        return decompress(data)
    except Exception as error:  # each library has its own
        raise ValueError(f"cannot be decompressed: {error}") from error


def _marker_key(data: bytes) -> bytes:
    """The key of a control batch's one record."""
    at = _varint(data, HEADER.size)[1] + 1
    at = _varint(data, at)[1]
    at = _varint(data, at)[1]
    size, at = _varint(data, at)
    return data[at : at + (size >> 1)]
