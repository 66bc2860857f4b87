"""Messages of the protocol: bytes to fields and back."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.redshift import wire
from sandbox.redshift.errors import SCAN_ERROR, BackendError, LoadError, RedshiftError

FIELD = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


@given(st.dictionaries(FIELD, FIELD))
def test_startup_parameters_come_back(parameters: dict[str, str]) -> None:
    message = wire.startup(parameters)
    assert wire.startup_parameters(message[8:]) == parameters


def test_an_error_carries_code_detail_and_hint() -> None:
    error = LoadError(SCAN_ERROR, 15007, "the reason")
    fields = wire.error_fields(wire.error_response(error)[5:])
    assert fields["S"] == "ERROR"
    assert fields["C"] == "XX000"
    assert fields["M"] == "Spectrum Scan Error"
    assert "code:      15007" in fields["D"]
    assert "context:   the reason" in fields["D"]
    assert wire.error_fields(wire.error_response(RedshiftError("x", hint="y"))[5:])["H"] == "y"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("23502", "Cannot insert a NULL value into column id"),
        ("22001", "Value too long for character type"),
        ("42P01", "as it came"),
    ],
)
def test_errors_of_postgresql_get_redshift_words(code: str, expected: str) -> None:
    body = b"SERROR\0C" + code.encode() + b"\0Mas it came\0cid\0\0"
    error = BackendError(body, wire.error_fields(body))
    assert wire.error_fields(wire.error_response(error)[5:])["M"] == expected


def test_a_row_tells_null_from_empty_text() -> None:
    body = b"\0\3" + b"\xff\xff\xff\xff" + b"\0\0\0\0" + b"\0\0\0\2\xc3\xa9"
    assert wire.row_values(body) == [None, "", "é"]


@pytest.mark.parametrize("head", [b"Q\xff\xff\xff\xff", b"Q\0\0\0\3", b"GET / HTTP/1.1\r\n"])
def test_an_impossible_length_is_refused(head: bytes) -> None:
    async def read() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(head)
        reader.feed_eof()
        await wire.read_message(reader)

    with pytest.raises(RedshiftError, match="invalid message length"):
        asyncio.run(read())
