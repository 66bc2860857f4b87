"""Records of the Kinesis Producer Library: every packed line comes out, and nothing else is touched."""

import pytest
from aggregated_records import around, packed
from hypothesis import given
from hypothesis import strategies as st

from ingest.land.aggregation import MAGIC, lines_of


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=20), st.integers(0, 2))
def test_every_packed_line_comes_out(lines: list[bytes], tags: int) -> None:
    assert lines_of(packed(lines, tags)) == [line.removesuffix(b"\n") for line in lines]


@given(st.binary(max_size=200))
def test_any_other_bytes_are_one_line(data: bytes) -> None:
    assert lines_of(data) == [data.removesuffix(b"\n")]


@given(st.binary(max_size=60))
def test_whatever_stands_between_magic_and_checksum_never_fails(message: bytes) -> None:
    data = around(message)
    lines = lines_of(data)
    assert lines
    assert lines == [data.removesuffix(b"\n")] or sum(map(len, lines)) <= len(message)


@pytest.mark.parametrize(
    "data",
    [
        packed([b"one", b"two"])[:-1],
        packed([b"one", b"two"])[:20],
        MAGIC,
        packed([]),
        around(b"\x1a\x7fshort"),
        around(b"\x1b\x00"),
        around(b"\x1a" + b"\xff" * 11),
        around(b"\x1a\x02\x08\x00"),
    ],
    ids=["cut", "cut short", "magic only", "no record", "too long", "group", "varint", "no data"],
)
def test_an_aggregate_that_is_damaged_is_one_line_as_it_is(data: bytes) -> None:
    assert lines_of(data) == [data]
