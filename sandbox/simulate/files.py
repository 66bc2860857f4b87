"""Log files as a host keeps them: one a topic, rotated at midnight, older ones compressed.

Comes in: lines, in the order of writing. Goes out: `<topic>.log`, `<topic>.log.1`,
`<topic>.log.2.gz` and so on (logrotate's daily, notifempty, compress, delaycompress), and how many
lines each holds. The same lines give the same bytes; compressed files carry no time.
"""

import gzip
import shutil
from pathlib import Path
from typing import BinaryIO

COMPRESSION = 6
"""gzip's level, as logrotate's compresscmd has it by default."""


class RotatedLog:
    """One log file and its older generations."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream: BinaryIO | None = None
        self._lines = 0
        self._older: list[int] = []
        """Lines of the rotated files, the newest first."""

    def write(self, data: bytes) -> None:
        """Append one line; `data` has no newline."""
        if self._stream is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self.path.open("wb", buffering=1 << 16)
        self._stream.write(data)
        self._stream.write(b"\n")
        self._lines += 1

    def rotate(self) -> None:
        """Put the current file aside, unless it is empty, and every older one a number further."""
        if not self._lines:
            return
        self.close()
        for number in range(len(self._older), 1, -1):
            self._rotated(number).rename(self._rotated(number + 1))
        if self._older:
            _compress(self._rotated(1), self._rotated(2))
        self.path.rename(self._rotated(1))
        self._older.insert(0, self._lines)
        self._lines = 0

    def close(self) -> None:
        """End writing for now. Later lines need a rotation first."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def lines(self) -> dict[Path, int]:
        """The files as they are now, and the lines in each."""
        found = {self._rotated(number): n for number, n in enumerate(self._older, start=1)}
        return {self.path: self._lines, **found} if self._lines else found

    def _rotated(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}" + (".gz" if number > 1 else ""))


def _compress(source: Path, target: Path) -> None:
    with (
        source.open("rb") as plain,
        target.open("wb") as raw,
        gzip.GzipFile("", "wb", COMPRESSION, raw, mtime=0) as packed,
    ):
        shutil.copyfileobj(plain, packed, 1 << 20)
    source.unlink()
