"""A path watched through rotation: which log stands behind it now, and what of it is unread.

Rename: the open log is read until a while after another file has taken its name. Copy and truncate:
the file is shorter than what was read, so what comes now is a new log. Deleted while read: read to
its end. What a writer adds to a log between its last read and a truncation is lost to every tail.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from datacore.errors import UsageError
from ingest.tail.lines import Batch, LogFile
from ingest.tail.position import Position

ROTATION_GRACE = 5.0
"""Seconds that a renamed log is read on, since its writer may hold it open for a while."""


class FollowedPath:
    """One path of the command line. `clock` gives seconds."""

    def __init__(
        self,
        path: Path,
        known: dict[str, Position],
        max_line: int,
        clock: Callable[[], float],
    ) -> None:
        self.path = path
        self._known = known
        self._max_line = max_line
        self._clock = clock
        self._log = self._open()
        self._replaced_at: float | None = None

    def _open(self) -> LogFile:
        return LogFile(self.path, self._known.values(), self._max_line)

    def read(self, max_bytes: int) -> Iterator[Batch]:
        """What is unread behind the path now, batch by batch. Raises as `LogFile.read` does."""
        if self._log.truncated():
            self._reopen()
        yield from self._batches(max_bytes)
        if not self._replaced():
            return
        now = self._clock()
        if self._replaced_at is None:
            self._replaced_at = now
        if now - self._replaced_at >= ROTATION_GRACE:
            yield from self._batches(max_bytes, final=True)
            self._reopen()
            yield from self._batches(max_bytes)

    def finish(self, max_bytes: int) -> Iterator[Batch]:
        """Everything to the end of the file, a last line without a newline included."""
        yield from self._batches(max_bytes, final=True)

    def close(self) -> None:
        """Close the log behind the path."""
        self._log.close()

    def _batches(self, max_bytes: int, final: bool = False) -> Iterator[Batch]:
        while (batch := self._log.read(max_bytes, final)) is not None:
            yield batch
            self._known[batch.after.file] = batch.after

    def _replaced(self) -> bool:
        """Whether the path names another file than the one that is open."""
        try:
            return os.stat(self.path).st_ino != self._log.inode
        except FileNotFoundError:
            return False

    def _reopen(self) -> None:
        self._log.close()
        self._log = self._open()
        self._replaced_at = None


def open_paths(
    paths: tuple[Path, ...],
    known: dict[str, Position],
    max_line: int,
    clock: Callable[[], float],
) -> list[FollowedPath]:
    """Open every path. Raises UsageError, naming all that cannot be read, or Locked."""
    opened: list[FollowedPath] = []
    problems: list[str] = []
    for path in dict.fromkeys(paths):
        try:
            opened.append(FollowedPath(path, known, max_line, clock))
        except UsageError as error:
            problems.append(error.message)
    if problems:
        for one in opened:
            one.close()
        raise UsageError("; ".join(problems), "check the paths and their permissions")
    return opened
