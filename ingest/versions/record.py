"""The record of an hour's version, and the names of folders and objects.

Comes in and goes out: one JSON object on one line, under `_versions/`. A version's outputs stand in
a folder of its own; the record names what they were made of. What belongs into the folder is fixed
by the records alone: the outputs, and a copy of each object in the hour's base folder that neither
this nor an earlier version names as an input. Pure.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

import msgspec

from ingest.land.document import read_document
from ingest.land.hourlog import Hour
from ingest.land.manifest import chain_prefix
from ingest.land.objects import ROOT


class Why(StrEnum):
    """What a version was made for."""

    COMPACT = "compact"
    """Fewer objects, the same lines."""
    REPLAY = "replay"
    """The lines that replays took are left out."""


@dataclass(frozen=True)
class Output:
    """One object of a version. `bytes` and `sha256` are of the uncompressed lines."""

    key: str
    records: int
    bytes: int
    sha256: str
    merges: int = 1
    """How many inputs, in the record's order, it holds (`compact`)."""


@dataclass(frozen=True)
class Version:
    """One version of an hour, numbered from 1. `inputs` are keys of the version before, or of the
    base folder."""

    data_type: str
    dt: str
    hour: str
    version: int
    why: Why
    writer: str
    written_at: str
    inputs: tuple[str, ...]
    outputs: tuple[Output, ...]
    replays: dict[str, int] = field(default_factory=dict)
    """For `unclaimed`: how many replays of each topic are left out."""
    format: int = 1

    @property
    def of(self) -> Hour:
        """The hour that this is a version of."""
        return Hour(self.data_type, self.dt, self.hour)

    @property
    def key(self) -> str:
        """Where the record stands on S3."""
        return f"{records_prefix(self.of)}{self.version:06}.json"

    @property
    def folder(self) -> str:
        """Where its objects stand, with a slash at the end."""
        return version_folder(self.of, self.version)

    def to_json(self) -> bytes:
        """One line, newline included."""
        return msgspec.json.encode(self) + b"\n"


@dataclass(frozen=True)
class History:
    """All versions of an hour, from 1 on."""

    hour: Hour
    versions: tuple[Version, ...]

    @property
    def newest(self) -> Version:
        """The last one."""
        return self.versions[-1]

    @property
    def before_newest(self) -> Version | None:
        """The last one but one."""
        return self.versions[-2] if len(self.versions) > 1 else None

    def superseded(self, upto: int | None = None) -> frozenset[str]:
        """Names of the objects that versions up to `upto` (all) were made of.

        By name, for a late object is copied from the base folder into a version, and named there.
        """
        chosen = self.versions if upto is None else self.versions[:upto]
        return frozenset(name_of(key) for version in chosen for key in version.inputs)


def name_of(key: str) -> str:
    """The last part of a key."""
    return key.rsplit("/", 1)[1]


def hour_path(hour: Hour) -> str:
    """`<data type>/yyyy/mm/dd/hh/`."""
    return f"{hour.data_type}/{hour.dt.replace('-', '/')}/{hour.hour}/"


def base_folder(hour: Hour) -> str:
    """Where landing writes an hour's objects."""
    return f"{ROOT}/{hour_path(hour)}"


def records_prefix(hour: Hour) -> str:
    """Where the records of an hour's versions stand."""
    return f"{ROOT}/_versions/{hour_path(hour)}"


def versioned_prefix(hour: Hour) -> str:
    """Where the folders of an hour's versions stand."""
    return f"{ROOT}/_versioned/{hour_path(hour)}"


def version_folder(hour: Hour, version: int) -> str:
    """The folder of one version."""
    return f"{versioned_prefix(hour)}{version:06}/"


def merged_name(version: int, part: int) -> str:
    """The name of an object that compaction wrote."""
    return f"{version:06}+{part:05}.jsonl.gz"


HOUR = r"(?P<type>[^/]+)/(?P<year>\d{4})/(?P<month>\d\d)/(?P<day>\d\d)/(?P<hour>\d\d)"
PLACE = re.compile(rf"{ROOT}/(?:_versions/|_versioned/)?{HOUR}/(?P<rest>.+)", re.ASCII)


def place_of(key: str) -> tuple[Hour, str] | None:
    """The hour of a raw object, a version's record or a version's object, and the rest of its key;
    None for another key."""
    found = PLACE.fullmatch(key)
    if found is None:
        return None
    dt = f"{found['year']}-{found['month']}-{found['day']}"
    return Hour(found["type"], dt, found["hour"]), found["rest"]


class ObjectName(NamedTuple):
    """The name of a raw object: which cut or replay landed it."""

    topic: str
    generation: int
    partition: int | None
    """None: a replay, whose sequence is `first`."""
    first: str
    """In digits, as the name has them."""

    @property
    def promise(self) -> str:
        """The key of the manifest or replay that promised it."""
        if self.partition is None:
            return f"{ROOT}/_replays/{self.topic}/{self.first}.json"
        generation = f"~{self.generation:04}+" if self.generation else ""
        return f"{chain_prefix(self.topic, self.partition)}{generation}{self.first}.json"

    @classmethod
    def parse(cls, name: str) -> "ObjectName | None":
        """None for a name that neither cuts nor replays give."""
        found = LANDED.fullmatch(name)
        if found is None:
            return None
        partition = None if found["partition"] == "replay" else int(found["partition"])
        return cls(found["topic"], int(found["generation"] or 0), partition, found["first"])


LANDED = re.compile(
    r"(?P<topic>[^/+~]+)(?:~(?P<generation>\d{4}))?\+(?P<partition>\d+|replay)\+(?P<first>\d+)\.jsonl\.gz",
    re.ASCII,
)


def order(name: str) -> tuple[bool, str, int, bool, int, int, str]:
    """Where an object comes when an hour is merged: what was merged before, then by topic,
    generation, partition and offset, a topic's replays last."""
    found = ObjectName.parse(name)
    if found is None:
        return (False, "", 0, False, 0, 0, name)
    replay = found.partition is None
    return (
        True, found.topic, found.generation, replay, found.partition or 0, int(found.first), name,
    )  # fmt: skip


def group(objects: Iterable[tuple[str, int]], target: int) -> list[list[str]]:
    """Keys with their sizes to groups of neighbours, in `order`, of at most `target` bytes.

    An object that is larger is a group by itself.
    """
    groups: list[list[str]] = []
    held = 0
    for key, size in sorted(objects, key=lambda item: order(name_of(item[0]))):
        if groups and held + size <= target:
            groups[-1].append(key)
            held += size
        else:
            groups.append([key])
            held = size
    return groups


def read_version(key: str, data: bytes) -> Version:
    """Read what `to_json` wrote. Raises UsageError naming the key where it is damaged."""
    return read_document("version record", key, data, Version)
