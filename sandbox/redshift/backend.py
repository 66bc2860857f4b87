"""One connection to the private PostgreSQL, over its unix socket.

Comes in: messages or SQL. Goes out: replies, rows, BackendError. Knows nothing of Redshift.
"""

import asyncio
import struct
from collections.abc import Iterator
from pathlib import Path

from sandbox.redshift import wire
from sandbox.redshift.errors import BackendError

Row = list[str | None]

READ_SIZE = 1 << 18

ADMINISTRATOR = "postgres"
"""The role of initdb; only the stand-in itself connects as it."""


class Backend:
    """A connection to PostgreSQL. `status` is that of the last ReadyForQuery: I, T or E."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._buffer = b""
        self._at = 0
        self.status = b"I"

    @classmethod
    async def open(cls, socket: Path) -> "Backend":
        """Connect to the socket; nothing is sent yet."""
        return cls(*await asyncio.open_unix_connection(str(socket), limit=READ_SIZE))

    @classmethod
    async def as_administrator(cls, socket: Path, database: str) -> "Backend":
        """A ready connection of the role that owns the system views."""
        backend = await cls.open(socket)
        options = "-c standard_conforming_strings=on -c lock_timeout=10s"
        backend.send(
            wire.startup({"user": ADMINISTRATOR, "database": database, "options": options})
        )
        await backend._until_ready()
        return backend

    def send(self, data: bytes) -> None:
        """Queue bytes for PostgreSQL."""
        self._writer.write(data)

    def close(self) -> None:
        """Say goodbye, if there still is a connection."""
        if not self._writer.is_closing():
            self._writer.write(wire.TERMINATE)
            self._writer.close()

    async def read(self) -> tuple[bytes, bytes]:
        """The next message as (kind, whole message). Raises ConnectionError at the end."""
        while True:
            if len(self._buffer) - self._at >= 5:
                (length,) = struct.unpack_from("!i", self._buffer, self._at + 1)
                end = self._at + length + 1
                if len(self._buffer) >= end:
                    whole = self._buffer[self._at : end]
                    self._at = end
                    if whole[:1] == b"Z":
                        self.status = whole[5:6]
                    return whole[:1], whole
            data = await self._reader.read(READ_SIZE)
            if not data:
                raise ConnectionError("PostgreSQL closed the connection")
            self._buffer = self._buffer[self._at :] + data
            self._at = 0

    async def query(self, sql: str) -> list[Row]:
        """Run `sql` and return the rows of its last result. Raises BackendError."""
        self.send(wire.query(sql))
        return await self._until_ready()

    async def copy_in(self, sql: str, chunks: Iterator[bytes]) -> None:
        """`COPY … FROM STDIN` with the chunks, which are made in a thread.

        Raises what making the chunks raises, and BackendError.
        """
        self.send(wire.query(sql))
        kind, whole = await self.read()
        if kind == b"E":
            await self._settle()
            raise _backend_error(whole)
        loop = asyncio.get_running_loop()
        try:
            while (chunk := await loop.run_in_executor(None, next, chunks, None)) is not None:
                self.send(wire.message(b"d", chunk))
                await self._writer.drain()
        except Exception:
            self.send(wire.message(b"f", wire.cstring("the load failed")))
            await self._settle()
            raise
        self.send(wire.message(b"c"))
        await self._until_ready()

    async def copy_out(self, sql: str) -> bytes:
        """The output of `COPY … TO STDOUT`. Raises BackendError."""
        self.send(wire.query(sql))
        data = bytearray()
        await self._until_ready(data)
        return bytes(data)

    async def _settle(self) -> None:
        while (await self.read())[0] != b"Z":
            continue

    async def _until_ready(self, copied: bytearray | None = None) -> list[Row]:
        rows: list[Row] = []
        error: BackendError | None = None
        while True:
            kind, whole = await self.read()
            if kind == b"T":
                rows = []
            elif kind == b"D":
                rows.append(wire.row_values(whole[5:]))
            elif kind == b"d" and copied is not None:
                copied += whole[5:]
            elif kind == b"E":
                error = _backend_error(whole)
                if error.fatal:
                    raise error
            elif kind == b"Z":
                if error:
                    raise error
                return rows


def _backend_error(whole: bytes) -> BackendError:
    body = whole[5:]
    return BackendError(body, wire.error_fields(body))
