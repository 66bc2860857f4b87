"""Lines of one open log file, plain or gzip.

Comes in: a path and a limit for one line. Goes out: batches of whole lines as raw bytes, with
the position after them. Never changes the file; holds an advisory lock on it, so that two tails
on one machine do not read the same log.
"""

import fcntl
import os
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from io import BufferedReader
from pathlib import Path
from uuid import uuid4

from datacore.errors import DatacoreError, ExitCode, Locked, UsageError
from ingest.tail.position import EMPTY, Position, carry_on
from ingest.tail.split import Line, Splitter
from ingest.tail.unzip import GzipStream

CHUNK = 1 << 20
SEEN = 1024
"""So many of the last bytes tell whether a file still holds what was read of it."""


class DamagedGzip(DatacoreError):
    """A compressed log ends or breaks off within its stream; what came before was read."""

    exit_code = ExitCode.USAGE


@dataclass(frozen=True)
class Batch:
    """Lines in order, without their newlines; `first` is the sequence number of the first.

    Without lines it says that the log is read from now on; nothing of it may be sent before.
    """

    first: int
    lines: tuple[Line, ...]
    after: Position
    bytes: int
    """What the lines take in the file, uncompressed."""


class LogFile:
    """A log, read from where it was left.

    Raises UsageError where it cannot be opened, Locked where another tail reads it.
    """

    def __init__(self, path: Path, known: Iterable[Position], max_line: int) -> None:
        self.path = path
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
        status = os.fstat(self._file.fileno())
        self.inode, self.device = status.st_ino, status.st_dev
        found = self._recognise(known)
        self.recognised = found is not None
        """Whether it is a log that was known before."""
        position = found or Position(f"{path.name}#{uuid4().hex[:8]}", self.inode)
        position = replace(position, inode=self.inode, device=self.device)
        self._skip_to(position)
        self._splitter = Splitter(position, max_line)
        self._seen = b""
        """The last bytes that were read."""
        self._seen_at = (-1, -1)
        if not self.compressed:
            begin = max(0, position.offset - SEEN)
            self._seen = os.pread(self._file.fileno(), position.offset - begin, begin)

    def close(self) -> None:
        """Close the file and let go of its lock."""
        self._file.close()

    @property
    def position(self) -> Position:
        """After the last line given out."""
        return self._splitter.position

    @property
    def unread(self) -> int:
        """Bytes after the last line given out; 0 for a compressed log, whose length nobody knows."""
        if self.compressed:
            return 0
        return max(0, os.fstat(self._file.fileno()).st_size - self.position.offset)

    def rewritten(self) -> bool:
        """Whether the file does not hold any more what was read of it: copied and truncated.

        It is shorter then, or, where it has grown again, its bytes before the next are others.
        """
        if self.compressed:
            return False
        status = os.fstat(self._file.fileno())
        read = self._splitter.read
        if status.st_size < read:
            return True
        seen_at = (status.st_size, status.st_mtime_ns)
        if seen_at == self._seen_at:
            return False
        self._seen_at = seen_at
        return os.pread(self._file.fileno(), len(self._seen), read - len(self._seen)) != self._seen

    def read(self, max_bytes: int, final: bool = False) -> Batch | None:
        """The next whole lines, about `max_bytes` of them; None where there are none yet.

        `final`: a last line without a newline is a line. Raises DamagedGzip for a broken stream,
        after all lines before the break were returned, and UsageError for a disk that fails.
        """
        before = self.position
        lines: list[Line] = []
        taken = 0
        while not lines or taken < max_bytes:
            chunk = self._chunk()
            if not chunk:
                if final and self._damage is None:
                    lines += self._splitter.end()
                break
            taken += len(chunk)
            self._seen = (self._seen + chunk if len(chunk) < SEEN else chunk)[-SEEN:]
            lines += self._splitter.feed(chunk)
        if lines:
            after = self.position
            return Batch(before.lines, tuple(lines), after, after.offset - before.offset)
        if self._damage is not None:
            raise self._damage
        return None

    def _chunk(self) -> bytes:
        if self._damage is not None:
            return b""
        try:
            return self._stream.read1(CHUNK)
        except (EOFError, zlib.error, OSError) as error:
            if not self.compressed:
                raise UsageError(f"{self.path}: {error}", "check the disk") from error
            self._damage = DamagedGzip(
                f"{self.path}: the gzip stream breaks off after {self._splitter.read:,} bytes:"
                f" {error}",
                "the lines before the break were sent; get the file anew and tail it again",
            )
            return b""

    def _rewind(self) -> None:
        self._file.seek(0)
        self._stream: BufferedReader | GzipStream = (
            GzipStream(self._file) if self.compressed else self._file
        )

    def _recognise(self, known: Iterable[Position]) -> Position | None:
        """The position of this log: of the same inode if there is one, else the furthest.

        Only positions count whose bytes this file begins with. A log of which nothing was read yet
        is known by its inode alone.
        """
        matches: list[Position] = []
        checksum, offset = EMPTY, 0
        self._rewind()
        for candidate in sorted(known, key=lambda one: one.offset):
            while offset < candidate.offset:
                data = self._readable(min(CHUNK, candidate.offset - offset))
                if not data:
                    break
                checksum, offset = carry_on(checksum, data), offset + len(data)
            if offset < candidate.offset:
                break
            if checksum == candidate.checksum and candidate.proves(
                self.inode, self.device, self.compressed
            ):
                matches.append(candidate)
        return max(matches, key=lambda one: (one.inode == self.inode, one.offset), default=None)

    def _readable(self, size: int) -> bytes:
        try:
            return self._stream.read1(size)
        except (EOFError, zlib.error, OSError):
            return b""

    def _skip_to(self, position: Position) -> None:
        self._rewind()
        if not self.compressed:
            self._file.seek(position.offset)
            return
        left = position.offset
        while left:
            left -= len(self._stream.read1(min(CHUNK, left)))
