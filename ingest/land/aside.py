"""A record that is set aside: the line that quarantine keeps of it.

Comes in: a record and why it may not land. Goes out: one line of JSON, with everything that is
needed to land it later.
"""

import base64
from dataclasses import dataclass

import msgspec

from ingest.headers import TOO_LARGE
from ingest.land.route import Rejection
from ingest.land.source import Headers, Partition


@dataclass(frozen=True)
class SetAside:
    """A quarantined record: everything needed to land it later."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    headers: tuple[tuple[str, str | None], ...]
    """Names and values in base64."""
    reason: str
    data_type: str | None
    field: str | None
    found: str | None
    """The offending field's value, shortened."""
    value: str | None
    """The record's bytes in base64; None for a record without a value."""


def set_aside_line(
    partition: Partition,
    offset: int,
    timestamp: int,
    headers: Headers,
    value: bytes | None,
    rejection: Rejection,
) -> bytes:
    """The line of one record, without a newline."""
    return msgspec.json.encode(
        SetAside(
            topic=partition.topic,
            partition=partition.number,
            offset=offset,
            timestamp=timestamp,
            headers=tuple((name, _base64(held)) for name, held in headers),
            reason=rejection.reason,
            data_type=rejection.data_type,
            field=rejection.field,
            found=rejection.found,
            value=_base64(value),
        )
    )


def stands_for_another(headers: Headers) -> bool:
    """Whether a message stands for a line that was too long for Kafka."""
    return len(headers) > 3 and any(name == TOO_LARGE for name, _ in headers)


def size_of_another(headers: Headers) -> str:
    """How long that line was, in words."""
    return f"{(dict(headers)[TOO_LARGE] or b'?').decode(errors='replace')} bytes"


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()
