"""Bytes to lines: whole lines out of chunks of any size, with the position after the last. Pure.

A line beyond the limit is never held in memory: its beginning and its size stand for it, so that
it can neither block its file nor vanish.
"""

from dataclasses import dataclass, replace

from ingest.tail.position import Position, carry_on

HEAD = 64 * 1024
"""Bytes that are kept of a line beyond the limit."""


@dataclass(frozen=True)
class LongLine:
    """A line beyond the limit: its first bytes, and how many it has."""

    head: bytes
    size: int


Line = bytes | LongLine


class Splitter:
    """Splits what is read from `position` on. `limit` counts bytes without the newline."""

    def __init__(self, position: Position, limit: int) -> None:
        self.position = position
        """After the last line given out."""
        self.read = position.offset
        """Bytes taken in, the unfinished line included."""
        self._limit = limit
        self._ahead = position.checksum
        self._parts: list[bytes] = []
        """The unfinished line, or the head of a long one."""
        self._length = 0

    def feed(self, chunk: bytes) -> list[Line]:
        """The lines that end within `chunk`."""
        if self.position.unended and self.read == self.position.offset and chunk:
            chunk = self._end_sent_line(chunk)
        end = chunk.rfind(b"\n") + 1
        if not end:
            self._hold(chunk)
            return []
        whole = chunk[:end]
        first = whole.index(b"\n")
        lines: list[Line] = [self._finish(whole[:first])]
        if first + 1 < end:
            lines += [self._fit(line) for line in whole[first + 1 : -1].split(b"\n")]
        self._ahead = carry_on(self._ahead, whole)
        self.read += end
        self._advance(len(lines), unended=False)
        self._hold(chunk[end:])
        return lines

    def end(self) -> list[Line]:
        """The last line, if it has no newline; the file ends here."""
        if not self._length:
            return []
        line = self._finish(b"")
        self._advance(1, unended=True)
        return [line]

    def _end_sent_line(self, chunk: bytes) -> bytes:
        """A newline that comes after its line was sent belongs to that line."""
        if chunk.startswith(b"\n"):
            self._ahead = carry_on(self._ahead, b"\n")
            self.read += 1
            chunk = chunk[1:]
        self._advance(0, unended=False)
        return chunk

    def _advance(self, lines: int, unended: bool) -> None:
        self.position = replace(
            self.position,
            offset=self.read,
            lines=self.position.lines + lines,
            checksum=self._ahead,
            unended=unended,
        )

    def _hold(self, data: bytes) -> None:
        if not data:
            return
        self.read += len(data)
        self._ahead = carry_on(self._ahead, data)
        self._length += len(data)
        self._parts.append(data)
        if self._length > self._limit:
            self._parts = [b"".join(self._parts)[:HEAD]]

    def _finish(self, rest: bytes) -> Line:
        """The unfinished line with `rest`, which ends it."""
        size = self._length + len(rest)
        line = b"".join((*self._parts, rest))
        self._parts, self._length = [], 0
        return line if size <= self._limit else LongLine(line[:HEAD], size)

    def _fit(self, line: bytes) -> Line:
        return line if len(line) <= self._limit else LongLine(line[:HEAD], len(line))
