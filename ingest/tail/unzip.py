"""A gzip file as a stream that gives out everything up to where it breaks.

The standard library's reader drops what it had decompressed when the file ends too early; a log
that was cut short still holds lines that somebody wants. Format: RFC 1952, several members allowed.
"""

import zlib
from io import BufferedReader

CHUNK = 1 << 16
"""Compressed bytes that are read at once."""
GZIP = 31
"""zlib's window bits for a gzip member."""


class GzipStream:
    """Reads members one after the other. Raises EOFError where the file ends within a member."""

    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        self._member = zlib.decompressobj(wbits=GZIP)
        self._input = b""

    def read1(self, size: int) -> bytes:
        """Up to `size` uncompressed bytes; none at the end. Raises zlib.error for a damaged one."""
        while True:
            if self._member.eof and not self._next_member():
                return b""
            data = self._member.decompress(self._input, size)
            self._input = self._member.unconsumed_tail
            if data:
                return data
            if not self._member.eof and not self._input:
                self._input = self._file.read(CHUNK)
                if not self._input:
                    raise EOFError("the file ends within the stream")

    def _next_member(self) -> bool:
        """Begin the next member; zeros that pad a file are no member."""
        rest = self._member.unused_data.lstrip(b"\0")
        while not rest:
            chunk = self._file.read(CHUNK)
            if not chunk:
                return False
            rest = chunk.lstrip(b"\0")
        self._member = zlib.decompressobj(wbits=GZIP)
        self._input = rest
        return True
