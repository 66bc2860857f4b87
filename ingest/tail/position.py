"""How far a log was read, and how the log is known again under another name. Pure.

A log is known by what was read of it, not by its name: a position carries a checksum of all bytes up
to its offset. So a log that was renamed, copied or compressed since is the same log, and a file
that was truncated and written anew, or that has an old inode, is another one. Where little was
read, equal bytes prove little; then the inode must be the same too.
"""

import zlib
from dataclasses import dataclass, replace

import crc32c
import msgspec

Checksum = tuple[int, int]
"""CRC-32 and CRC-32C of the same bytes; both can be carried on from where they stopped."""

EMPTY: Checksum = (0, 0)

NO_INODE = -1
"""No file has it."""

PROOF = 1024
"""So many equal bytes are no chance: log lines carry times and ids."""


def carry_on(checksum: Checksum, data: bytes) -> Checksum:
    """The checksum of what it stood for with `data` after it."""
    return zlib.crc32(data, checksum[0]), crc32c.crc32c(data, checksum[1])


@dataclass(frozen=True)
class Position:
    """A log of a host, read up to `offset`."""

    file: str
    """Names the log in the `file` header: its first name and a random suffix, never used again."""
    inode: int
    """Of the file in which it was last seen."""
    offset: int = 0
    """Uncompressed bytes that were read."""
    lines: int = 0
    """Lines that were read; the next line's sequence number."""
    checksum: Checksum = EMPTY
    """Of the bytes up to `offset`."""
    unended: bool = False
    """The last line was sent without a newline, at the end of its file."""
    device: int = 0
    """Of the file; an inode is one file's only on its device. 0: not known."""

    def is_of(self, name: str) -> bool:
        """Whether the log's first name was this."""
        return self.file.rpartition("#")[0] == name

    def forgotten(self) -> "Position":
        """In its place where the log is gone and nothing was read of it: its inode will be another's."""
        return replace(self, inode=NO_INODE)

    def to_json(self) -> bytes:
        """The value in the positions' topic."""
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, data: bytes) -> "Position":
        """Raises msgspec.DecodeError for anything else."""
        return msgspec.json.decode(data, type=cls)

    def proves(self, inode: int, device: int, compressed: bool) -> bool:
        """Whether a file with `inode` that begins with the same bytes is this log."""
        if self.offset == 0:
            return (inode, device) == (self.inode, self.device)
        return inode == self.inode or compressed or self.offset >= PROOF
