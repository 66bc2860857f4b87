"""A path watched through rotation: which log stands behind it now, and what of it is unread.

Rename: the open log is read until a while after another file has taken its name. Copy and truncate:
the file is shorter than what was read, so what comes now is a new log. Deleted while read: read to
its end. What a writer adds to a log between its last read and a truncation is lost to every tail.
"""

import os
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from glob import escape
from pathlib import Path

from datacore.errors import Locked, UsageError
from ingest.tail.lines import Batch, LogFile
from ingest.tail.position import Position

ROTATION_GRACE = 5.0
"""Seconds that a renamed log is read on, since its writer may hold it open for a while."""


class FollowedPath:
    """One path of the command line. `clock` gives seconds.

    `known` holds the positions of all logs and is kept up to date.
    """

    def __init__(
        self,
        path: Path,
        known: MutableMapping[str, Position],
        max_line: int,
        clock: Callable[[], float],
    ) -> None:
        self.path = path
        self._known = known
        self._max_line = max_line
        self._clock = clock
        self._log: LogFile | None = LogFile(path, known.values(), max_line)
        self._replaced_at: float | None = None

    def read(self, max_bytes: int) -> Iterator[Batch]:
        """What is unread behind the path now, batch by batch. Raises as `LogFile.read` does."""
        if self._log is None or self._log.truncated():
            self._reopen()
        yield from self._batches(max_bytes)
        if self._log is None or not self._replaced(self._log):
            self._replaced_at = None
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

    @property
    def unread(self) -> int:
        """Bytes of the log behind the path that were not given out yet."""
        return self._log.unread if self._log is not None else 0

    def close(self) -> None:
        """Close the log behind the path."""
        if self._log is not None:
            self._log.close()

    def _batches(self, max_bytes: int, final: bool = False) -> Iterator[Batch]:
        while self._log is not None and (batch := self._log.read(max_bytes, final)) is not None:
            self._known[batch.after.file] = batch.after
            yield batch

    def _replaced(self, log: LogFile) -> bool:
        """Whether the path names another file than the one that is open."""
        try:
            return os.stat(self.path).st_ino != log.inode
        except FileNotFoundError:
            return False

    def _reopen(self) -> None:
        """Open what stands behind the path now.

        In the midst of a rotation that may be nothing, or a log that another path still reads;
        then the next look tries again.
        """
        self.close()
        self._replaced_at = None
        try:
            self._log = LogFile(self.path, self._known.values(), self._max_line)
        except (UsageError, Locked):
            self._log = None


def open_paths(
    paths: Iterable[Path],
    known: MutableMapping[str, Position],
    max_line: int,
    clock: Callable[[], float],
) -> list[FollowedPath]:
    """Open every path. Raises UsageError, naming all that cannot be read, or Locked."""
    opened: list[FollowedPath] = []
    problems: list[str] = []
    try:
        for path in dict.fromkeys(paths):
            try:
                opened.append(FollowedPath(path, known, max_line, clock))
            except UsageError as error:
                problems.append(error.message)
        if problems:
            raise UsageError("; ".join(problems), "check the paths and their permissions")
    except (UsageError, Locked):
        for one in opened:
            one.close()
        raise
    return opened


def left_behind(paths: Iterable[Path], known: Iterable[Position]) -> list[Path]:
    """Logs that were renamed beside `paths` while nobody read them, and are not read to their end.

    Known by their inodes; a log that was compressed meanwhile has to be named on the command line.
    """
    asked = list(paths)
    read = {position.inode: position.offset for position in known}
    found: list[Path] = []
    for path in asked:
        for sibling in sorted(path.parent.glob(f"{escape(path.name)}[.-]*")):
            status = sibling.stat()
            unread = status.st_size > read.get(status.st_ino, status.st_size)
            if unread and sibling.is_file() and sibling not in asked:
                found.append(sibling)
    return found
