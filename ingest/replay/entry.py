"""One replay: a claim, in the numbered log of a topic, on records that were set aside before.

Comes in and goes out: one JSON object on one line, as the table `platform.replay` reads it. The
objects are a function of the records taken and the rules. Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from ingest.land.document import read_document
from ingest.land.manifest import LandedObject, ReasonCount
from ingest.land.objects import ROOT


@dataclass(frozen=True)
class Taken:
    """The records that a replay took out of one object.

    `offsets` are ranges [from, to): of Kafka's offsets for a quarantine object, of lines (from 0,
    as landed) for an object of `unclaimed`, whose lines do not tell their offsets.
    """

    key: str
    """As it was landed, wherever a version has put its lines since."""
    dt: str
    hour: str
    data_type: str | None
    """`unclaimed`; None for a quarantine object."""
    records: int
    bytes: int
    """Of the records' values as landed, newlines included."""
    offsets: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Replay:
    """An entry of a topic's log of replays."""

    topic: str
    sequence: int
    rules: str
    """Hash of the routing rules, kept under `_contracts/`."""
    writer: str
    written_at: str
    sources: tuple[Taken, ...]
    objects: tuple[LandedObject, ...]
    reasons: tuple[ReasonCount, ...]
    """Why the records taken from quarantine had been set aside."""
    format: int = field(default=1)

    @property
    def key(self) -> str:
        """Where it stands on S3."""
        return f"{replays_prefix(self.topic)}{self.sequence:020}.json"

    @property
    def unclaimed(self) -> tuple[Taken, ...]:
        """What was taken out of `unclaimed`."""
        return tuple(taken for taken in self.sources if taken.data_type is not None)

    def to_json(self) -> bytes:
        """One line, newline included."""
        return msgspec.json.encode(self) + b"\n"


def replays_prefix(topic: str) -> str:
    """The folder of a topic's replays."""
    return f"{ROOT}/_replays/{topic}/"


def replayed_name(topic: str, sequence: int) -> str:
    """The name of the objects that a replay lands."""
    return f"{topic}+replay+{sequence:020}.jsonl.gz"


def ranges(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Ascending numbers as ranges [from, to)."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == found[-1][1]:
            found[-1] = (found[-1][0], number + 1)
        else:
            found.append((number, number + 1))
    return tuple(found)


def numbers(of: Iterable[tuple[int, int]]) -> set[int]:
    """Ranges [from, to) as the numbers that they hold."""
    return {number for first, after in of for number in range(first, after)}


class Replays:
    """The replays of a topic from the first on, and what they took, by object."""

    def __init__(self, entries: Iterable[Replay] = ()) -> None:
        self.entries: list[Replay] = []
        self._taken: dict[str, list[tuple[int, tuple[tuple[int, int], ...]]]] = {}
        self.extend(entries)

    def __len__(self) -> int:
        return len(self.entries)

    def extend(self, entries: Iterable[Replay]) -> None:
        """Add the replays that follow."""
        for replay in entries:
            assert replay.sequence == len(self.entries), (replay.key, len(self.entries))
            self.entries.append(replay)
            for taken in replay.sources:
                self._taken.setdefault(taken.key, []).append((replay.sequence, taken.offsets))

    def taken(self, key: str, first: int = 0, upto: int | None = None) -> set[int]:
        """What replays from `first` up to `upto` (all) took out of the object `key`."""
        last = len(self.entries) if upto is None else upto
        return {
            number
            for sequence, offsets in self._taken.get(key, ())
            if first <= sequence < last
            for number in numbers(offsets)
        }


def read_replay(key: str, data: bytes) -> Replay:
    """Read what `to_json` wrote. Raises UsageError naming the key where it is damaged."""
    return read_document("replay", key, data, Replay)
