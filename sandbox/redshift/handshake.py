"""How a connection begins: TLS, cancel requests, Redshift's start-up parameters, the password.

Comes in: a client's first bytes. Goes out: a session's connection to PostgreSQL, ready for its
first statement, or None when there is nothing to serve. PostgreSQL itself checks the password.
"""

import asyncio
import ssl
import struct
from collections.abc import Mapping
from pathlib import Path

from sandbox.redshift import wire
from sandbox.redshift.backend import ADMINISTRATOR, Backend
from sandbox.redshift.errors import RedshiftError

PASSED_ON = {"user", "database", "options", "application_name", "client_encoding"}
"""Start-up parameters that PostgreSQL knows; the drivers' own (driver_version, …) stay here."""

SERVER_VERSION = "8.0.2"
REDSHIFT_STATUS = {
    "padb_version": "1.0.113135",
    "datashare_enabled": "off",
    "external_database": "off",
}

ASKS_FOR_ANSWER = {3, 5, 10, 11}
"""Authentication requests that the client answers: password, md5, SASL."""


class Opened:
    """A client that is in: who it is and its connection."""

    def __init__(self, backend: Backend, user: str) -> None:
        self.backend = backend
        self.user = user


async def open_session(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    socket: Path,
    tls: ssl.SSLContext,
) -> Opened | None:
    """Take a client up to its first ReadyForQuery; None if it was refused or only cancelled.

    Raises RedshiftError for a client that may not or cannot connect.
    """
    parameters = await _parameters(reader, writer, socket, tls)
    if parameters is None:
        return None
    user = parameters.get("user", "")
    if user == ADMINISTRATOR:
        raise RedshiftError(f'role "{user}" is reserved', "28000")
    backend = await Backend.open(socket)
    kept = {name: value for name, value in parameters.items() if name in PASSED_ON}
    backend.send(wire.startup(kept))
    try:
        admitted = await _relay_until_ready(reader, writer, backend)
    except BaseException:
        backend.close()
        raise
    if not admitted:
        backend.close()
        return None
    return Opened(backend, user)


async def _parameters(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    socket: Path,
    tls: ssl.SSLContext,
) -> Mapping[str, str] | None:
    while True:
        opening = await wire.read_opening(reader)
        if opening.code == wire.SSL_REQUEST:
            writer.write(b"S")
            await writer.drain()
            await writer.start_tls(tls)
        elif opening.code == wire.GSS_REQUEST:
            writer.write(b"N")
            await writer.drain()
        elif opening.code == wire.CANCEL_REQUEST:
            await _cancel(socket, opening)
            return None
        elif opening.code == wire.PROTOCOL_3:
            return _as_redshift(wire.startup_parameters(opening.body))
        else:
            version = f"{opening.code >> 16}.{opening.code & 0xFFFF}"
            raise RedshiftError(f"unsupported frontend protocol {version}", "0A000")


def _as_redshift(parameters: dict[str, str]) -> dict[str, str]:
    """`IAM:name` and `IAMA:name` are how the drivers send users of temporary credentials."""
    prefix, _, name = parameters.get("user", "").partition(":")
    return {**parameters, "user": name} if name and prefix in ("IAM", "IAMA") else parameters


async def _cancel(socket: Path, opening: wire.Opening) -> None:
    _, writer = await asyncio.open_unix_connection(str(socket))
    writer.write(wire.opening(opening.code, opening.body))
    await writer.drain()
    writer.close()


async def _relay_until_ready(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, backend: Backend
) -> bool:
    while True:
        kind, whole = await backend.read()
        if kind == b"S" and whole[5:].startswith(b"server_version\0"):
            whole = wire.parameter_status("server_version", SERVER_VERSION)
        elif kind == b"Z":
            for name, value in REDSHIFT_STATUS.items():
                writer.write(wire.parameter_status(name, value))
        writer.write(whole)
        if kind in (b"E", b"Z"):
            await writer.drain()
            return kind == b"Z"
        if kind == b"R" and struct.unpack_from("!i", whole, 5)[0] in ASKS_FOR_ANSWER:
            await writer.drain()
            answer, body = await wire.read_message(reader)
            backend.send(wire.message(answer, body))
