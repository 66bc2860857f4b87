"""The cut manifest: a claim, in the chain of a partition, on one range of offsets.

Comes in and goes out: one JSON object on one line, as docs/ingest.md shows it and the table
`platform.cut` reads it. Pure.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

import msgspec

from ingest.land.document import read_document
from ingest.land.objects import ROOT, offset_name
from ingest.land.source import Mark


class Kind(StrEnum):
    """What a manifest says of its range."""

    CUT = "cut"
    """Its records are in the objects listed."""
    LOST = "lost"
    """Kafka no longer held the range when the lander came to it."""
    LOST_OBJECTS = "lost_objects"
    """Beside a cut: the objects listed could not be written before Kafka dropped the range."""
    END = "end"
    """The topic was deleted and made again: this generation of its chain ends here."""
    CLOSED = "closed"
    """A shard that was split or merged was landed to its end: nothing follows."""

    @property
    def closes(self) -> bool:
        """Whether its generation of the chain ends with it."""
        return self in (Kind.END, Kind.CLOSED)


class Place(NamedTuple):
    """How far a chain goes. A later generation is further, whatever its offsets."""

    generation: int
    offset: int


@dataclass(frozen=True)
class LandedObject:
    """One raw object of a cut. `bytes` and `sha256` are of the uncompressed lines."""

    key: str
    data_type: str
    dt: str
    hour: str
    records: int
    bytes: int
    late: int
    sha256: str


@dataclass(frozen=True)
class QuarantineObject:
    """One quarantine object of a cut."""

    key: str
    dt: str
    hour: str
    records: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class ReasonCount:
    """How many records of a data type (None: unknown) were set aside for a reason."""

    reason: str
    data_type: str | None
    records: int


@dataclass(frozen=True)
class Producer:
    """The sequence numbers that one file of one host has in the range.

    `ranges` are the numbers, each once: runs [first, last] in order that neither touch nor overlap.
    So `records` is greater than what they span where a number came more than once.
    """

    host: str
    file: str
    records: int
    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Manifest:
    """The range [first, next) of a topic partition and everything it became."""

    kind: Kind
    topic: str
    topic_id: str
    partition: int
    first: int
    next: int
    records: int
    rules: str
    """Hash of the routing rules, kept under `_contracts/`."""
    lander: str
    """Names the process that wrote this."""
    written_at: str
    min_timestamp: int | None = None
    """Kafka's timestamps in the range, ms since 1970."""
    max_timestamp: int | None = None
    gaps: tuple[tuple[int, int], ...] = ()
    """Ranges [from, to) within the cut that hold no record: transaction markers and the like."""
    objects: tuple[LandedObject, ...] = ()
    quarantine: tuple[QuarantineObject, ...] = ()
    reasons: tuple[ReasonCount, ...] = ()
    producers: tuple[Producer, ...] = ()
    source_first: str | None = None
    """Kinesis: sequence number of the first record; of a lost range that of the record before it."""
    source_last: str | None = None
    """Kinesis: sequence number of the last record; of a lost range that of the record after it."""
    extent_unknown: bool = False
    """A lost range of which nobody can tell how many records it had: it takes one offset."""
    generation: int = 0
    """How often the topic had been made again; each generation's offsets begin at 0."""
    format: int = field(default=1)

    @property
    def key(self) -> str:
        """Where it stands on S3."""
        note = self.kind is Kind.LOST_OBJECTS
        return ManifestKey(self.topic, self.partition, self.generation, self.first, note).text

    @property
    def ends(self) -> Place:
        """Where the next manifest of the generation begins."""
        return Place(self.generation, self.next)

    @property
    def everything(self) -> tuple[LandedObject | QuarantineObject, ...]:
        """All objects of the cut."""
        return (*self.objects, *self.quarantine)

    @property
    def mark(self) -> Mark:
        """Where the source goes on behind it."""
        if self.kind is Kind.LOST:
            return Mark(self.next, at=self.source_last)
        return Mark(self.next, after=self.source_last)

    @property
    def names(self) -> tuple[str, str] | None:
        """The ends of a cut's range as its source names them."""
        if self.source_first is None or self.source_last is None:
            return None
        return self.source_first, self.source_last

    def to_json(self) -> bytes:
        """One line, newline included."""
        return msgspec.json.encode(self) + b"\n"


class ManifestKey(NamedTuple):
    """A manifest's place. `note`: it is a note of lost objects beside the cut of this place.

    The order of the texts is the order of the chain: `~` sorts after every digit.
    """

    topic: str
    partition: int
    generation: int
    first: int
    note: bool = False

    @property
    def text(self) -> str:
        """The key on S3."""
        suffix = ".lost.json" if self.note else ".json"
        name = offset_name(self.generation, self.first)
        return f"{chain_prefix(self.topic, self.partition)}{name}{suffix}"

    @classmethod
    def parse(cls, key: str) -> "ManifestKey | None":
        """`text` back to its parts; None for a key that is no manifest's."""
        found = MANIFEST_KEY.fullmatch(key)
        if found is None:
            return None
        topic, partition, generation, first, note = found.groups()
        parsed = cls(topic, int(partition), int(generation or 0), int(first), note is not None)
        return parsed if parsed.text == key else None


MANIFEST_KEY = re.compile(
    rf"{ROOT}/_cuts/([^/]+)/(\d+)/(?:~(\d{{4}})\+)?(\d{{20}})(\.lost)?\.json", re.ASCII
)


def chains_prefix(topic: str) -> str:
    """The folder of a topic's chains, in which each partition has its own."""
    return f"{ROOT}/_cuts/{topic}/"


def chain_prefix(topic: str, partition: int) -> str:
    """The folder of a partition's manifests."""
    return f"{chains_prefix(topic)}{partition}/"


def read_manifest(key: str, data: bytes) -> Manifest:
    """Read what `to_json` wrote. Raises UsageError naming the key where it is damaged."""
    return read_document("manifest", key, data, Manifest)
