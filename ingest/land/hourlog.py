"""The hour log: per topic, a numbered log of what each cut changed and which hours are whole.

Comes in: manifests, and which partitions are read to their end. Goes out: the next entry, or None
where nothing changed. Pure; `hours` does the I/O. An entry's counts are running totals of an
hour, so the latest entry that names an hour tells all about it.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import msgspec

from datacore.errors import UsageError
from ingest.land.document import read_document
from ingest.land.event_time import MS_PER_HOUR
from ingest.land.manifest import Kind, LandedObject, Manifest, Place
from ingest.land.objects import ROOT, hour_number
from ingest.replay.entry import Replay

BLOCK = 1_000
"""Entries of one block: a folder on S3 and a partition of `platform.hour`."""
BEGINNING = -(2**62)
"""The watermark of a partition that has brought nothing."""
NEVER = 2**62
"""The grace of a writer that seals nothing."""
CLOSED = 2**62
"""The watermark of a shard that was landed to its end: nothing can follow, so it is never waited for."""


class Hour(NamedTuple):
    """An hour of a data type, by its partition values."""

    data_type: str
    dt: str
    hour: str

    def ends_ms(self) -> int:
        """When the hour is over, ms since 1970."""
        return (hour_number(self.dt, self.hour) + 1) * MS_PER_HOUR


@dataclass(frozen=True)
class HourTotals:
    """One hour as an entry tells it. `bytes` are uncompressed."""

    data_type: str
    dt: str
    hour: str
    records: int
    bytes: int
    late: int
    sealed: bool


@dataclass(frozen=True)
class Entry:
    """One object of the log. `offsets` and `watermarks` are by partition number."""

    topic: str
    sequence: int
    written_at: str
    offsets: dict[str, int]
    """Landing is complete below these."""
    watermarks: dict[str, int]
    """Each partition has brought everything up to this time, ms since 1970."""
    hours: tuple[HourTotals, ...]
    generations: dict[str, int] = field(default_factory=dict)
    """The generation that a partition's offset speaks of; absent: the first, 0."""
    topic_ids: dict[str, str] = field(default_factory=dict)
    """The id of that generation's topic."""
    replays: int = 0
    """How many replays of the topic the totals count."""

    @property
    def key(self) -> str:
        """Where it stands on S3."""
        return f"{block_prefix(self.topic, self.sequence // BLOCK)}{self.sequence:020}.json"

    def to_json(self) -> bytes:
        """One line, newline included."""
        return msgspec.json.encode(self) + b"\n"


@dataclass
class Ledger:
    """What the log says up to `sequence`: the state that the next entry builds on."""

    topic: str
    sequence: int = -1
    offsets: dict[int, int] = field(default_factory=dict)
    watermarks: dict[int, int] = field(default_factory=dict)
    hours: dict[Hour, HourTotals] = field(default_factory=dict)
    unsealed: set[Hour] = field(default_factory=set)
    """Those of `hours` that are not sealed: few, however long the history is."""
    generations: dict[int, int] = field(default_factory=dict)
    topic_ids: dict[int, str] = field(default_factory=dict)
    replays: int = 0

    def place(self, number: int) -> Place:
        """How far the log has come in a partition."""
        return Place(self.generations.get(number, 0), self.offsets.get(number, 0))

    def open(self) -> set[int]:
        """Partitions that may bring more."""
        return {number for number in self.offsets if self.watermarks.get(number) != CLOSED}

    def apply(self, entry: Entry) -> None:
        """Take the entry that follows. Raises UsageError where it is not the next one."""
        if entry.sequence != self.sequence + 1:
            raise UsageError(
                f"hour log entry {entry.key} does not follow entry {self.sequence}: the log of "
                f"{self.topic} has a hole",
                "an entry was removed; restore it from the bucket's earlier versions",
            )
        self.sequence = entry.sequence
        self.offsets |= {int(number): offset for number, offset in entry.offsets.items()}
        self.watermarks |= {int(number): mark for number, mark in entry.watermarks.items()}
        for totals in entry.hours:
            hour = Hour(totals.data_type, totals.dt, totals.hour)
            self.hours[hour] = totals
            (self.unsealed.discard if totals.sealed else self.unsealed.add)(hour)
        self.generations |= {int(number): known for number, known in entry.generations.items()}
        self.topic_ids |= {int(number): known for number, known in entry.topic_ids.items()}
        self.replays = max(self.replays, entry.replays)

    def snapshot(self) -> bytes:
        """The ledger as JSON: what stands in a block's folder as `_totals.json`."""
        return Entry(
            topic=self.topic,
            sequence=self.sequence,
            written_at="",
            offsets={str(number): offset for number, offset in sorted(self.offsets.items())},
            watermarks={str(number): mark for number, mark in sorted(self.watermarks.items())},
            hours=tuple(self.hours[hour] for hour in sorted(self.hours)),
            generations={str(number): known for number, known in sorted(self.generations.items())},
            topic_ids={str(number): known for number, known in sorted(self.topic_ids.items())},
            replays=self.replays,
        ).to_json()

    def next_entry(
        self,
        manifests: Mapping[int, Iterable[Manifest]],
        idle: Set[int],
        asked_ms: int,
        grace_ms: int,
        written_at: str,
        replays: Sequence[Replay] = (),
        idle_ms: int | None = None,
    ) -> Entry | None:
        """The entry for `manifests`, by partition, and `replays`, complete and following the log.

        `manifests` names every partition that the topic had at `asked_ms`, with or without cuts;
        `idle` those that were read to the end that they had then. Nothing is sealed beyond
        `asked_ms`: a partition may have been added since, and hold what no watermark here tells.
        None where nothing changed, or nothing but watermarks, none of them by `idle_ms`.
        """
        offsets, watermarks = dict(self.offsets), dict(self.watermarks)
        generations, topic_ids = dict(self.generations), dict(self.topic_ids)
        touched: dict[Hour, list[int]] = {}
        for number, cuts in manifests.items():
            offsets.setdefault(number, 0)
            for cut in cuts:
                _add(touched, cut)
                if cut.ends > Place(generations.get(number, 0), offsets[number]):
                    offsets[number] = cut.next
                    topic_ids[number] = cut.topic_id
                    if cut.generation:
                        generations[number] = cut.generation
                before = watermarks.get(number, BEGINNING)
                if before == CLOSED and cut.kind is Kind.CUT:
                    before = BEGINNING  # the stream was made again
                watermarks[number] = max(before, _watermark(cut))
            if number in idle:
                watermarks[number] = max(watermarks.get(number, BEGINNING), asked_ms)
        for replay in replays:
            _add_replay(touched, replay)
        passed = min((watermarks.get(number, BEGINNING) for number in offsets), default=BEGINNING)
        hours = self._totals(touched, min(passed, asked_ms) - grace_ms)
        moved = any(self.offsets.get(n, 0) != offset for n, offset in offsets.items())
        changed = hours or moved or generations != self.generations
        if not changed and not self._time_went_on(watermarks, idle_ms):
            return None
        return Entry(
            topic=self.topic,
            sequence=self.sequence + 1,
            written_at=written_at,
            offsets={str(number): offset for number, offset in sorted(offsets.items())},
            watermarks={str(number): mark for number, mark in sorted(watermarks.items())},
            hours=hours,
            generations={str(number): known for number, known in sorted(generations.items())},
            topic_ids={str(number): known for number, known in sorted(topic_ids.items())},
            replays=self.replays + len(replays),
        )

    def _time_went_on(self, watermarks: Mapping[int, int], idle_ms: int | None) -> bool:
        """Whether a shard was closed, or a watermark moved by `idle_ms` without a record."""
        for number, mark in watermarks.items():
            before = self.watermarks.get(number, BEGINNING)
            if mark == CLOSED != before or (idle_ms is not None and mark - before >= idle_ms):
                return True
        return False

    def _totals(self, touched: Mapping[Hour, list[int]], sealed_ms: int) -> tuple[HourTotals, ...]:
        """Every hour that was touched, and every open one that is sealed now, in order."""
        newly = {hour for hour in self.unsealed if hour.ends_ms() <= sealed_ms}
        return tuple(
            HourTotals(
                *hour,
                *self._sums(hour, touched.get(hour, [0, 0, 0])),
                hour.ends_ms() <= sealed_ms or (hour in self.hours and self.hours[hour].sealed),
            )
            for hour in sorted(newly | touched.keys())
        )

    def _sums(self, hour: Hour, more: list[int]) -> tuple[int, int, int]:
        before = self.hours.get(hour)
        if before is None:
            return more[0], more[1], more[2]
        return before.records + more[0], before.bytes + more[1], before.late + more[2]


def _watermark(cut: Manifest) -> int:
    """Up to when a partition has brought everything, by one of its manifests.

    A record that says it is of the time after it was landed says nothing of what is still to come.
    """
    if cut.kind is Kind.CLOSED:
        return CLOSED
    if cut.max_timestamp is None:
        return BEGINNING
    return min(cut.max_timestamp, int(datetime.fromisoformat(cut.written_at).timestamp() * 1000))


def _add(touched: dict[Hour, list[int]], cut: Manifest) -> None:
    """Add a cut's objects to the sums; a note of lost objects takes them away again."""
    sign = -1 if cut.kind is Kind.LOST_OBJECTS else 1
    for landed in cut.objects:
        sums = touched.setdefault(hour_of(landed), [0, 0, 0])
        sums[0] += sign * landed.records
        sums[1] += sign * landed.bytes
        sums[2] += sign * landed.late


def _add_replay(touched: dict[Hour, list[int]], replay: Replay) -> None:
    """Add what a replay landed, and take away what it took out of `unclaimed`, which is never late:
    its hour is that of Kafka's timestamp."""
    for landed in replay.objects:
        sums = touched.setdefault(hour_of(landed), [0, 0, 0])
        sums[0] += landed.records
        sums[1] += landed.bytes
        sums[2] += landed.late
    for taken in replay.unclaimed:
        sums = touched.setdefault(Hour(taken.data_type or "", taken.dt, taken.hour), [0, 0, 0])
        sums[0] -= taken.records
        sums[1] -= taken.bytes


def hour_of(landed: LandedObject) -> Hour:
    """The hour that an object belongs to."""
    return Hour(landed.data_type, landed.dt, landed.hour)


def log_prefix(topic: str) -> str:
    """The folder of a topic's blocks."""
    return f"{ROOT}/_hours/{topic}/"


def block_prefix(topic: str, block: int) -> str:
    """The folder of a block's entries."""
    return f"{log_prefix(topic)}{block}/"


def totals_key(topic: str, block: int) -> str:
    """The ledger as it was before the block; the underscore hides it from readers of the table."""
    return f"{block_prefix(topic, block)}_totals.json"


def read_entry(key: str, data: bytes) -> Entry:
    """Read what `to_json` wrote. Raises UsageError naming the key where it is damaged."""
    return read_document("hour log entry", key, data, Entry)
