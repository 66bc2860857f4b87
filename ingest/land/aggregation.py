"""Records that the Kinesis Producer Library packed together: back to the lines that they hold.

Comes in: a Kinesis record's bytes. Goes out: one line or more, a function of the bytes alone.
Format: the library's aggregation-format.md; four magic bytes, a protocol buffer
`AggregatedRecord {partition_key_table = 1; explicit_hash_key_table = 2; records = 3}` whose records
hold their data in field 3, and the MD5 of the buffer. What does not keep to it is one line as it is,
as the Kinesis Client Library has it; if it is no JSON either, routing sets it aside.
"""

import hashlib
from collections.abc import Iterator

MAGIC = b"\xf3\x89\x9a\xc2"
DIGEST = 16
RECORDS = 3
"""The field of AggregatedRecord that holds the records."""
DATA = 3
"""The field of a record that holds its data."""

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Wire types."""


def lines_of(data: bytes) -> list[bytes]:
    """The lines of a Kinesis record, at least one. A newline at a line's end is dropped."""
    if data.startswith(MAGIC):
        unpacked = _unpack(data)
        if unpacked:
            return [line.removesuffix(b"\n") for line in unpacked]
    return [data.removesuffix(b"\n")]


def _unpack(data: bytes) -> list[bytes] | None:
    """The data of every packed record; None where the bytes only look like an aggregate."""
    message, digest = data[len(MAGIC) : -DIGEST], data[-DIGEST:]
    if hashlib.md5(message, usedforsecurity=False).digest() != digest:
        return None
    try:
        records = [value for number, value in _fields(message) if number == RECORDS]
        found = [
            [value for number, value in _fields(record) if number == DATA] for record in records
        ]
    except (IndexError, ValueError):
        return None
    # a field that is not repeated counts with its last value; a record without data is damaged
    return [values[-1] for values in found] if all(found) else None


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The length-delimited fields of a protocol buffer: number and bytes.

    Raises IndexError or ValueError where it is none.
    """
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            _, at = _varint(message, at)
        elif kind == BYTES:
            size, at = _varint(message, at)
            if at + size > len(message):
                raise IndexError("the field is longer than the message")
            yield number, message[at : at + size]
            at += size
        elif kind in (FIXED64, FIXED32):
            at += 8 if kind == FIXED64 else 4
            if at > len(message):
                raise IndexError("the field is longer than the message")
        else:
            raise ValueError(f"wire type {kind}")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a varint of more than 64 bits")
