"""Messages of the PostgreSQL protocol, version 3: bytes to fields and back.

Comes in: bytes from a stream. Goes out: kinds and bodies. Never decides anything.
Format: https://www.postgresql.org/docs/18/protocol-message-formats.html
"""

import asyncio
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.redshift.errors import BackendError, RedshiftError

PROTOCOL_3 = 196608
SSL_REQUEST = 80877103
GSS_REQUEST = 80877104
CANCEL_REQUEST = 80877102

PARSE_COMPLETE = b"1\0\0\0\4"
BIND_COMPLETE = b"2\0\0\0\4"
CLOSE_COMPLETE = b"3\0\0\0\4"
NO_DATA = b"n\0\0\0\4"
NO_PARAMETERS = b"t\0\0\0\6\0\0"
EMPTY_QUERY = b"I\0\0\0\4"
FLUSH = b"H\0\0\0\4"
SYNC = b"S\0\0\0\4"
TERMINATE = b"X\0\0\0\4"

MESSAGE_LIMIT = 1 << 30
"""Bytes of one message that are believed; PostgreSQL's own limit."""


@dataclass(frozen=True)
class Opening:
    """The first message of a connection, which has no kind: `code` and what follows it."""

    code: int
    body: bytes


def message(kind: bytes, body: bytes = b"") -> bytes:
    """One message: kind, length, body."""
    return kind + struct.pack("!i", len(body) + 4) + body


def cstring(text: str) -> bytes:
    """Text as the protocol ends it: with a zero byte."""
    return text.encode() + b"\0"


def opening(code: int, body: bytes) -> bytes:
    """A message without a kind: start-up, cancel or TLS request."""
    return struct.pack("!ii", len(body) + 8, code) + body


def startup(parameters: Mapping[str, str]) -> bytes:
    """StartupMessage with `parameters` (user, database, …)."""
    pairs = b"".join(cstring(key) + cstring(value) for key, value in parameters.items())
    return opening(PROTOCOL_3, pairs + b"\0")


def startup_parameters(body: bytes) -> dict[str, str]:
    """The parameters of a StartupMessage's body."""
    texts = [part.decode() for part in body.split(b"\0")]
    return {key: value for key, value in zip(texts[0::2], texts[1::2], strict=False) if key}


def parameter_status(name: str, value: str) -> bytes:
    """ParameterStatus: what the server says of itself."""
    return message(b"S", cstring(name) + cstring(value))


def command_complete(tag: str) -> bytes:
    """CommandComplete with its tag (`COPY`, `CREATE VIEW`, …)."""
    return message(b"C", cstring(tag))


def query(sql: str) -> bytes:
    """A simple Query."""
    return message(b"Q", cstring(sql))


def notice(text: str) -> bytes:
    """NoticeResponse of severity INFO, as Redshift sends after a load."""
    return message(b"N", _fields({"S": "INFO", "C": "00000", "M": text}))


def error_response(error: RedshiftError, severity: str = "ERROR") -> bytes:
    """ErrorResponse; an error of PostgreSQL goes out in Redshift's words where they are known."""
    if isinstance(error, BackendError):
        return message(b"E", in_redshift_words(error.body))
    fields = {"S": severity, "C": error.code, "M": error.message}
    if error.detail:
        fields["D"] = error.detail
    if error.hint:
        fields["H"] = error.hint
    return message(b"E", _fields(fields))


def error_fields(body: bytes) -> dict[str, str]:
    """The fields of an ErrorResponse by their one-letter names."""
    return {part[:1].decode(): part[1:].decode() for part in body.split(b"\0") if part}


def in_redshift_words(body: bytes) -> bytes:
    """An ErrorResponse of PostgreSQL with the message that Redshift has for it."""
    fields = error_fields(body)
    if fields.get("C") == "23502":
        fields["M"] = f"Cannot insert a NULL value into column {fields.get('c', '')}"
    elif fields.get("C") == "22001":
        fields["M"] = "Value too long for character type"
    else:
        return body
    return _fields(fields)


def row_values(body: bytes) -> list[str | None]:
    """The columns of a DataRow in text format."""
    (count,) = struct.unpack_from("!h", body)
    values: list[str | None] = []
    at = 2
    for _ in range(count):
        (length,) = struct.unpack_from("!i", body, at)
        at += 4
        if length < 0:
            values.append(None)
        else:
            values.append(body[at : at + length].decode())
            at += length
    return values


async def read_opening(reader: asyncio.StreamReader) -> Opening:
    """The next message without a kind. Raises RedshiftError for a length that cannot be."""
    length, code = struct.unpack("!ii", await reader.readexactly(8))
    if not 8 <= length <= 10_000:
        raise RedshiftError("invalid length of startup packet", "08P01")
    return Opening(code, await reader.readexactly(length - 8))


async def read_message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The next message as (kind, body). Raises RedshiftError for a length that cannot be."""
    head = await reader.readexactly(5)
    (length,) = struct.unpack("!i", head[1:])
    if not 4 <= length <= MESSAGE_LIMIT:
        raise RedshiftError("invalid message length", "08P01")
    return head[:1], await reader.readexactly(length - 4)


def _fields(fields: Mapping[str, str]) -> bytes:
    return b"".join(key.encode() + cstring(value) for key, value in fields.items()) + b"\0"
