"""Ledger records beside the manifests: hour log entries, replays, versions of hours; their keys.

Comes in: keys and JSON. Goes out: what the audit needs of them. Fields that it does not know are
passed over, so that an audit reads what a later writer adds. Pure.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import msgspec

from ingest.land.hourlog import BLOCK, Hour, HourTotals
from ingest.land.objects import ROOT

HOUR = r"(\d{4})/(\d\d)/(\d\d)/(\d\d)"
LOG_KEY = re.compile(rf"{ROOT}/_hours/([^/]+)/(\d+)/(?:(\d{{20}})|_totals)\.json", re.ASCII)
RULES_KEY = re.compile(rf"{ROOT}/_contracts/([0-9a-f]{{32}})\.json", re.ASCII)
REPLAY_KEY = re.compile(rf"{ROOT}/_replays/([^/]+)/(\d{{20}})\.json", re.ASCII)
VERSION_KEY = re.compile(rf"{ROOT}/_versions/([^/]+)/{HOUR}/(\d{{6}})\.json", re.ASCII)
VERSIONED_KEY = re.compile(rf"{ROOT}/_versioned/([^/]+)/{HOUR}/(\d{{6}})/([^/]+)", re.ASCII)
RAW_KEY = re.compile(rf"{ROOT}/([^/_][^/]*)/{HOUR}/([^/]+)", re.ASCII)
CUT_OBJECT = re.compile(r"(?:([^/+~]+)(?:~(\d{4}))?\+)?(\d+)(?:~(\d{4}))?\+(\d{20})\.jsonl\.gz", re.ASCII)  # fmt: skip
"""The name of a cut's object: `<topic>[~g]+<partition>+<first>`, `<partition>[~g]+<first>` aside."""


class LogPlace(NamedTuple):
    """Where an entry of the hour log stands. `sequence` None: the block's `_totals.json`."""

    topic: str
    block: int
    sequence: int | None

    @classmethod
    def parse(cls, key: str) -> "LogPlace | None":
        """None for a key that is no entry's."""
        found = LOG_KEY.fullmatch(key)
        if found is None:
            return None
        topic, block, sequence = found.groups()
        place = cls(topic, int(block), None if sequence is None else int(sequence))
        if place.sequence is not None and place.sequence // BLOCK != place.block:
            return None
        return place


@dataclass(frozen=True)
class LogEntry:
    """An entry of the hour log, or the state before a block."""

    topic: str
    sequence: int
    offsets: dict[str, int]
    watermarks: dict[str, int]
    hours: tuple[HourTotals, ...]
    generations: dict[str, int] = field(default_factory=dict)
    """Of which generation a partition's offset is; 0 where not named."""
    replays: int = 0
    """How many replays of the topic the totals count."""

    def reached(self) -> dict[int, tuple[int, int]]:
        """Generation and offset up to which each partition is covered."""
        return {
            int(number): (self.generations.get(number, 0), offset)
            for number, offset in self.offsets.items()
        }


@dataclass(frozen=True)
class Output:
    """An object that a replay or a version wrote."""

    key: str
    records: int
    sha256: str
    bytes: int = 0
    late: int = 0


@dataclass(frozen=True)
class Taken:
    """What a replay took out of one object: ranges [from, to), of Kafka's offsets for a quarantine
    object, of lines from 0 for an object of `unclaimed`."""

    key: str
    records: int
    bytes: int
    offsets: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Replay:
    """One entry of a topic's replays."""

    topic: str
    sequence: int
    sources: tuple[Taken, ...]
    objects: tuple[Output, ...]


@dataclass(frozen=True)
class Named:
    """An object, of which only the key matters here."""

    key: str


@dataclass(frozen=True)
class Version:
    """What stands in an hour's folder of one version."""

    inputs: tuple[str | Named, ...]
    outputs: tuple[Output, ...]

    @property
    def superseded(self) -> frozenset[str]:
        """Names, without folder, of the objects that it stands for; an hour has each name once."""
        keys = (held if isinstance(held, str) else held.key for held in self.inputs)
        return frozenset(key.rpartition("/")[2] for key in keys)


class VersionPlace(NamedTuple):
    """An hour and a version of it, from 1."""

    hour: Hour
    number: int

    @classmethod
    def parse(cls, key: str) -> "VersionPlace | None":
        """The place of a version's record; None for another key."""
        found = VERSION_KEY.fullmatch(key)
        return None if found is None else cls(_hour(*found.groups()[:5]), int(found[6]))


class HourObject(NamedTuple):
    """An object in an hour's folder: the base folder is version 0."""

    hour: Hour
    version: int
    name: str

    @classmethod
    def parse(cls, key: str) -> "HourObject | None":
        """None for a key that is in no hour's folder."""
        found = RAW_KEY.fullmatch(key)
        if found is not None:
            return cls(_hour(*found.groups()[:5]), 0, found[6])
        found = VERSIONED_KEY.fullmatch(key)
        if found is not None:
            return cls(_hour(*found.groups()[:5]), int(found[6]), found[7])
        return None


def _hour(data_type: str, year: str, month: str, day: str, hour: str) -> Hour:
    return Hour(data_type, f"{year}-{month}-{day}", hour)


def hour_folder(hour: Hour, version: int) -> str:
    """The folder of an hour, without a slash at its end."""
    path = f"{hour.data_type}/{hour.dt.replace('-', '/')}/{hour.hour}"
    return f"{ROOT}/_versioned/{path}/{version:06}" if version else f"{ROOT}/{path}"


Read = TypeVar("Read", LogEntry, Replay, Version)


def read_record(data: bytes, kind: type[Read]) -> Read | str:
    """A record, or in words why it cannot be read."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return str(error)
