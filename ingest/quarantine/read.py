"""What the quarantine holds: counts from the manifests, records from the objects.

Comes in: the bucket. Goes out: `Count`s and `Record`s. Only cuts that set something aside are read.
"""

import base64
import gzip
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from ingest.headers import FILE, HOST, SEQUENCE
from ingest.land.bucket import Bucket
from ingest.land.cut import SetAside
from ingest.land.manifest import chain_prefix, read_manifest
from ingest.land.objects import ROOT, offset_name

PREFIX = f"{ROOT}/_quarantine/"


@dataclass(frozen=True)
class Count:
    """How many records of a topic were set aside for a reason."""

    topic: str
    reason: str
    data_type: str | None
    records: int


@dataclass(frozen=True)
class Record:
    """A record that was set aside, with where it came from."""

    held: SetAside
    host: str | None
    file: str | None
    line: int | None
    """Number of the line in its file, from 1."""
    value: bytes | None


def topics(bucket: Bucket) -> list[str]:
    """Topics of which anything was set aside."""
    return bucket.folders(PREFIX)


def counts(bucket: Bucket, topic: str) -> list[Count]:
    """By reason and data type, the most first."""
    manifests = sorted({_manifest_of(topic, key) for key in bucket.keys(f"{PREFIX}{topic}/")})
    sums: Counter[tuple[str, str | None]] = Counter()
    for key, data in zip(manifests, bucket.get_all(manifests), strict=True):
        for count in read_manifest(key, data).reasons:
            sums[count.reason, count.data_type] += count.records
    return [Count(topic, *why, number) for why, number in sums.most_common()]


def _manifest_of(topic: str, key: str) -> str:
    """The manifest of a quarantine object: `…/<partition>[~<generation>]+<first>.jsonl.gz`."""
    source, first = key.rsplit("/", 1)[1].removesuffix(".jsonl.gz").split("+")
    partition, _, generation = source.partition("~")
    name = offset_name(int(generation or 0), int(first))
    return f"{chain_prefix(topic, int(partition))}{name}.json"


def records(bucket: Bucket, topic: str, reason: str | None = None) -> Iterator[Record]:
    """The records of a topic, in the order of their hours."""
    for key in bucket.keys(f"{PREFIX}{topic}/"):
        for data in bucket.get_all([key]):
            for line in gzip.decompress(data).splitlines():
                held = msgspec.json.decode(line, type=SetAside)
                if reason is None or held.reason == reason:
                    yield _record(held)


def _record(held: SetAside) -> Record:
    headers = {name: _bytes(value) for name, value in held.headers}
    sequence = headers.get(SEQUENCE) or b""
    return Record(
        held=held,
        host=_text(headers.get(HOST)),
        file=_text(headers.get(FILE)),
        line=int(sequence) + 1 if sequence.isdigit() else None,
        value=_bytes(held.value),
    )


def _bytes(value: str | None) -> bytes | None:
    return None if value is None else base64.b64decode(value)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="replace")
