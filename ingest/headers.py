"""The headers of a message: what `tail` says of a line, and `land` reads.

`host`, `file` and `seq` (decimal, from 0) identify a line; no other line ever has the same three.
"""

HOST = "host"
FILE = "file"
SEQUENCE = "seq"

TOO_LARGE = "datacore-too-large"
"""The message holds only the beginning of a line of so many bytes (decimal)."""
