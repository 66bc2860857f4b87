"""Lines of one open log file, plain or gzip.

Comes in: a path and a limit for one line. Goes out: batches of whole lines as raw bytes, with
the position after them. Never changes the file; holds an advisory lock on it, so that two tails
on one machine do not read the same log.
"""

import fcntl
import os
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from uuid import uuid4

from isal import igzip

from datacore.errors import DatacoreError, ExitCode, Locked, UsageError
from ingest.tail.position import EMPTY, Position, carry_on

CHUNK = 1 << 20


class DamagedGzip(DatacoreError):
    """A compressed log ends or breaks off within its stream; what came before was read."""

    exit_code = ExitCode.USAGE


@dataclass(frozen=True)
class Batch:
    """Lines in order, without their newlines; `first` is the sequence number of the first."""

    first: int
    lines: tuple[bytes, ...]
    after: Position


class LogFile:
    """A log, read from where it was left.

    Raises UsageError where it cannot be opened, Locked where another tail reads it.
    """

    def __init__(self, path: Path, known: Iterable[Position], max_line: int) -> None:
        self.path = path
        self.max_line = max_line
        self._rest = b""
        """Bytes read after `position` that end no line yet."""
        self._damage: DamagedGzip | None = None
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise UsageError(
                f"{path}: cannot be read: {error.strerror}", "check the path and its permissions"
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise Locked(
                f"{path}: another tail reads this file", "let one of them read it"
            ) from error
        self.compressed = self._file.read(2) == b"\x1f\x8b"
        self._file.seek(0)
        self.inode = os.fstat(self._file.fileno()).st_ino
        self.position = self._recognise(known)

    def close(self) -> None:
        """Close the file and let go of its lock."""
        self._file.close()

    def size(self) -> int:
        """Bytes of the file as it is on disk now."""
        return os.fstat(self._file.fileno()).st_size

    def truncated(self) -> bool:
        """Whether the file is shorter than what was read of it: copied and truncated."""
        return not self.compressed and self.size() < self.position.offset + len(self._rest)

    def read(self, max_bytes: int, final: bool = False) -> Batch | None:
        """The next whole lines, about `max_bytes` of them; None where there are none yet.

        `final`: a last line without a newline is a line. Raises UsageError for a line beyond
        the limit and DamagedGzip for a broken stream, after all lines before it were returned.
        """
        data = bytearray(self._rest)
        end = -1
        while end < 0 or len(data) < max_bytes:
            chunk = self._chunk()
            newline = chunk.rfind(b"\n")
            if newline >= 0:
                end = len(data) + newline + 1
            data += chunk
            if not chunk:
                if final and len(data) > max(end, 0) and self._damage is None:
                    end = len(data)
                break
            if end < 0 and len(data) > self.max_line:
                break
        taken, self._rest = bytes(data[: max(end, 0)]), bytes(data[max(end, 0) :])
        if not taken:
            self._refuse_long(self._rest)
            if self._damage is not None:
                raise self._damage
            return None
        lines = taken.removesuffix(b"\n").split(b"\n")
        for number, line in enumerate(lines):
            if len(line) <= self.max_line:
                continue
            if number == 0:
                self._refuse_long(line)
            before = sum(map(len, lines[:number])) + number
            taken, self._rest = taken[:before], taken[before:] + self._rest
            lines = lines[:number]
            break
        first = self.position.lines
        self.position = self.position.after(taken, len(lines))
        return Batch(first, tuple(lines), self.position)

    def _refuse_long(self, line: bytes) -> None:
        if len(line) > self.max_line:
            raise UsageError(
                f"{self.path}:{self.position.lines + 1}: the line is longer than the topic's limit"
                f" of {self.max_line:,} bytes",
                "raise the topic's max.message.bytes; the lines before it were sent",
            )

    def _chunk(self) -> bytes:
        if self._damage is not None:
            return b""
        try:
            return self._stream.read(CHUNK)
        except (EOFError, zlib.error, OSError) as error:
            if not self.compressed:
                raise UsageError(f"{self.path}: {error}", "check the disk") from error
            self._damage = DamagedGzip(
                f"{self.path}: the gzip stream breaks off after {self._delivered():,} bytes: {error}",
                "the lines before the break were sent; get the file anew and tail it again",
            )
            return b""

    def _delivered(self) -> int:
        return self.position.offset + len(self._rest)

    def _open_stream(self) -> None:
        self._file.seek(0)
        self._stream: IO[bytes] = igzip.open(self._file) if self.compressed else self._file

    def _recognise(self, known: Iterable[Position]) -> Position:
        """The furthest known position whose bytes this file begins with; the stream stands there."""
        new = Position(f"{self.path.name}#{uuid4().hex[:8]}", 0, 0, EMPTY)
        best, checksum, offset = new, EMPTY, 0
        self._open_stream()
        self.position = new
        for candidate in sorted(known, key=lambda one: one.offset):
            while offset < candidate.offset:
                try:
                    data = self._stream.read(min(CHUNK, candidate.offset - offset))
                except (EOFError, zlib.error, OSError):
                    data = b""
                if not data:
                    break
                checksum, offset = carry_on(checksum, data), offset + len(data)
            if offset < candidate.offset:
                break
            if candidate.offset and checksum == candidate.checksum:
                best = candidate
        self._open_stream()
        skip = best.offset
        while skip:
            skip -= len(self._stream.read(min(CHUNK, skip)))
        return best
