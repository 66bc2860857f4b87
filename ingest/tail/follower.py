"""A path watched through rotation: which log stands behind it now, and what of it is unread.

Rename: the log is read on for a while beside the one that took its name. Copy and truncate: the file
is shorter than what was read, or does not hold it any more, so what comes now is a new log. Deleted
while read: read to its end. What a writer adds to a log between its last read and a truncation is
lost to every tail; so is a log that came and went between two looks.
"""

import os
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from glob import escape
from pathlib import Path

from datacore.errors import Locked, UsageError
from ingest.tail.lines import Batch, LogFile
from ingest.tail.position import NO_INODE, Position

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
        self._renamed: list[tuple[LogFile, float]] = []
        """Logs that had the path's name, and until when they are read on."""

    @property
    def recognised(self) -> bool:
        """Whether the log behind the path was known before."""
        return self._log is not None and self._log.recognised

    def register(self) -> Batch | None:
        """That a log which is new is read from now on; None where it is not new.

        A restart knows by it a log that was renamed before anything of it was sent.
        """
        if self._log is None or self._log.position.file in self._known:
            return None
        position = self._log.position
        self._known[position.file] = position
        return Batch(0, (), position, 0)

    def read(self, max_bytes: int) -> Iterator[Batch]:
        """What is unread behind the path now, batch by batch. Raises as `LogFile.read` does."""
        yield from self._read_renamed(max_bytes)
        if self._log is None or self._log.rewritten():
            yield from self._reopen()
        yield from self._batches(self._log, max_bytes)
        while self._log is not None and self._replaced(self._log):
            self._renamed.append((self._log, self._clock() + ROTATION_GRACE))
            self._log = None
            yield from self._reopen()
            yield from self._batches(self._log, max_bytes)

    def _read_renamed(self, max_bytes: int) -> Iterator[Batch]:
        for log, until in list(self._renamed):
            over = self._clock() >= until
            yield from self._batches(log, max_bytes, final=over)
            if over:
                self._renamed.remove((log, until))
                yield from self._leave(log)

    def _leave(self, log: LogFile) -> Iterator[Batch]:
        log.close()
        if log.position.offset == 0:
            yield forget(self._known, log.position)

    def finish(self, max_bytes: int) -> Iterator[Batch]:
        """Everything to the end of the file, a last line without a newline included."""
        for log, _ in self._renamed:
            yield from self._batches(log, max_bytes, final=True)
        yield from self._batches(self._log, max_bytes, final=True)

    @property
    def unread(self) -> int:
        """Bytes of the logs behind the path that were not given out yet."""
        return sum(log.unread for log in self._logs())

    def close(self) -> None:
        """Close the logs behind the path."""
        for log in self._logs():
            log.close()

    def _logs(self) -> list[LogFile]:
        return [*(log for log, _ in self._renamed), *([self._log] if self._log else [])]

    def _batches(self, log: LogFile | None, max_bytes: int, final: bool = False) -> Iterator[Batch]:
        while log is not None and (batch := log.read(max_bytes, final)) is not None:
            self._known[batch.after.file] = batch.after
            yield batch

    def _replaced(self, log: LogFile) -> bool:
        """Whether the path names another file than the one that is open."""
        try:
            return os.stat(self.path).st_ino != log.inode
        except FileNotFoundError:
            return False

    def _reopen(self) -> Iterator[Batch]:
        """Open what stands behind the path now, and register it.

        In the midst of a rotation that may be nothing, or a log that another path still reads;
        then the next look tries again.
        """
        if self._log is not None:
            yield from self._leave(self._log)
        try:
            self._log = LogFile(self.path, self._known.values(), self._max_line)
        except (UsageError, Locked):
            self._log = None
        if (new := self.register()) is not None:
            yield new


def forget(known: MutableMapping[str, Position], position: Position) -> Batch:
    """That a log of which nothing was read is gone."""
    known[position.file] = position.forgotten()
    return Batch(0, (), known[position.file], 0)


def gone(paths: Iterable[Path], known: Iterable[Position]) -> list[Position]:
    """Logs of these names of which nothing was read, and whose inodes no file beside the paths has."""
    found: list[Position] = []
    for path in paths:
        there = {inode for _, inode, _ in _siblings(path)}
        for position in known:
            never_read = position.offset == 0 and position.inode != NO_INODE
            if never_read and position.inode not in there and position.is_of(path.name):
                found.append(position)
    return found


def _siblings(path: Path) -> Iterator[tuple[Path, int, int]]:
    """The file and those with its name and more: path, inode and size."""
    for sibling in (path, *sorted(path.parent.glob(f"{escape(path.name)}[.-]*"))):
        try:
            status = sibling.stat()
        except FileNotFoundError:
            continue  # rotated away since it was listed
        yield sibling, status.st_ino, status.st_size


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
    """Logs that may have been renamed beside `paths` while nobody read them, and have unread bytes.

    Known by their inodes, which another file may have by now: only what is `recognised` is one of
    them. A log that was compressed meanwhile has to be named on the command line.
    """
    asked = list(paths)
    read: dict[int, int] = {}
    for position in known:
        read[position.inode] = min(position.offset, read.get(position.inode, position.offset))
    found: list[Path] = []
    for path in asked:
        for sibling, inode, size in _siblings(path):
            unread = size > read.get(inode, size)
            if unread and sibling.is_file() and sibling not in asked:
                found.append(sibling)
    return found
