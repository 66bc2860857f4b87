"""What the quarantine holds: counts from the manifests, records from the objects.

Comes in: the bucket. Goes out: `Count`s and `Record`s, and what of them was replayed. Only cuts that
set something aside are read.
"""

import base64
import gzip
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from datacore.errors import UsageError
from ingest.headers import FILE, HOST, SEQUENCE
from ingest.land.aside import SetAside
from ingest.land.bucket import Bucket
from ingest.land.manifest import read_manifest
from ingest.land.objects import ROOT
from ingest.replay.entry import Replays
from ingest.replay.log import replays_since
from ingest.replay.sources import aside_name
from ingest.versions.record import ObjectName, name_of

PREFIX = f"{ROOT}/_quarantine/"


@dataclass(frozen=True)
class Count:
    """How many records of a topic are set aside for a reason."""

    topic: str
    reason: str
    data_type: str | None
    records: int
    """Without those replayed."""
    replayed: int


@dataclass(frozen=True)
class Record:
    """A record that was set aside, with where it came from."""

    held: SetAside
    host: str | None
    file: str | None
    line: int | None
    """Number of the line in its file, from 1."""
    value: bytes | None
    replayed: bool


def topics(bucket: Bucket) -> list[str]:
    """Topics of which anything was set aside."""
    return bucket.folders(PREFIX)


def counts(bucket: Bucket, topic: str) -> list[Count]:
    """By reason and data type, the most set aside first."""
    manifests = sorted({_manifest_of(topic, key) for key in bucket.keys(f"{PREFIX}{topic}/")})
    sums: Counter[tuple[str, str | None]] = Counter()
    for key, data in zip(manifests, bucket.get_all(manifests), strict=True):
        for count in read_manifest(key, data).reasons:
            sums[count.reason, count.data_type] += count.records
    replayed: Counter[tuple[str, str | None]] = Counter()
    for replay in replays_since(bucket, topic, 0):
        for count in replay.reasons:
            replayed[count.reason, count.data_type] += count.records
    return [
        Count(topic, *why, number - replayed[why], replayed[why])
        for why, number in sums.most_common()
    ]


def _manifest_of(topic: str, key: str) -> str:
    """The manifest of a quarantine object."""
    name = ObjectName.parse(aside_name(topic, name_of(key)))
    if name is None:
        raise UsageError(f"{key} is of no cut", "move it out of production-logs/")
    return name.promise


def records(
    bucket: Bucket, topic: str, reason: str | None = None, replayed: bool = False
) -> Iterator[Record]:
    """The records of a topic, in the order of their hours; replayed ones only if asked for."""
    replays = Replays(replays_since(bucket, topic, 0))
    for key in bucket.keys(f"{PREFIX}{topic}/"):
        gone = replays.taken(key)
        for data in bucket.get_all([key]):
            for line in gzip.decompress(data).splitlines():
                held = msgspec.json.decode(line, type=SetAside)
                if held.offset in gone and not replayed:
                    continue
                if reason is None or held.reason == reason:
                    yield _record(held, held.offset in gone)


def _record(held: SetAside, replayed: bool) -> Record:
    headers = {name: _bytes(value) for name, value in held.headers}
    sequence = headers.get(SEQUENCE) or b""
    return Record(
        held=held,
        host=_text(headers.get(HOST)),
        file=_text(headers.get(FILE)),
        line=int(sequence) + 1 if sequence.isdigit() else None,
        value=_bytes(held.value),
        replayed=replayed,
    )


def _bytes(value: str | None) -> bytes | None:
    return None if value is None else base64.b64decode(value)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="replace")
