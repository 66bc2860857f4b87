"""Whether a topic's hour log tells the truth of its chains: no hole, true totals, not ahead.

Comes in: the entries as read, the chains, the replays. Goes out: findings, and what the log covers.
Every entry's totals are compared with the sums over the manifests that it covers, so a
difference is named at the entry where it begins. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ingest.audit.facts import Link
from ingest.audit.finding import Finding, FindingKind
from ingest.audit.records import HourObject, LogEntry, LogPlace, Replay
from ingest.land.hourlog import BLOCK, Hour, HourTotals, hour_of, log_prefix, totals_key

Place = tuple[int, int]
"""Generation and offset: how far a chain goes."""


@dataclass(frozen=True)
class LogObject:
    """One object of the hour log, or in words why it cannot be read."""

    place: LogPlace
    key: str
    entry: LogEntry | str


@dataclass
class Sums:
    """Totals of one hour by the manifests and replays.

    `late` is None where a replay took records out: how many of them were late nobody noted.
    """

    records: int = 0
    bytes: int = 0
    late: int | None = 0

    def add(self, records: int, size: int, late: int | None) -> None:
        """Count more, or less where negative."""
        self.records += records
        self.bytes += size
        self.late = None if late is None or self.late is None else self.late + late

    def differs(self, told: HourTotals) -> bool:
        """Whether an entry tells otherwise."""
        late = told.late if self.late is None else self.late
        return (told.records, told.bytes, told.late) != (self.records, self.bytes, late)


@dataclass
class Covered:
    """What a log covers when all of it is read."""

    reached: dict[int, Place] = field(default_factory=dict)
    watermarks: dict[int, int] = field(default_factory=dict)
    hours: dict[Hour, HourTotals] = field(default_factory=dict)
    replays: int = 0
    broken: bool = False
    """An entry is missing or damaged: the state is not the log's."""


class LogCheck:
    """Reads one topic's log against `chains`, by partition, and `replays`, by number."""

    def __init__(
        self, topic: str, chains: Mapping[int, Sequence[Link]], replays: Sequence[Replay]
    ) -> None:
        self.topic = topic
        self.covered = Covered()
        self._chains = {
            number: [link for link in links if not link.place.note]
            for number, links in chains.items()
        }
        self._notes = {
            (link.place.partition, link.place.generation, link.place.first): link
            for links in chains.values()
            for link in links
            if link.place.note
        }
        self._replays = list(replays)
        self._at: dict[int, int] = dict.fromkeys(chains, 0)
        """How many links of a chain the entries so far cover."""
        self._replayed = 0
        self._sums: dict[Hour, Sums] = {}
        self._believed = True
        """False behind a manifest that is missing or damaged: what follows cannot be summed."""
        self._told: set[Hour] = set()

    def findings(self, log: Sequence[LogObject]) -> Iterator[Finding]:
        """Judge the log, in order of its numbers."""
        snapshots = {held.place.block: held for held in log if held.place.sequence is None}
        entries = [held for held in log if held.place.sequence is not None]
        entries.sort(key=lambda held: held.place.sequence or 0)
        number = 0
        for held in entries:
            assert held.place.sequence is not None
            if held.place.sequence > number:
                self.covered.broken = True
                missing = _range(number, held.place.sequence - 1)
                yield Finding.of(
                    FindingKind.HOUR_LOG_HOLE, held.key, f"{missing} missing before it"
                )
            number = held.place.sequence + 1
            if held.place.block and held.place.sequence % BLOCK == 0:
                yield from self._snapshot(held.place.block, snapshots.get(held.place.block))
            yield from self._entry(held)

    def _snapshot(self, block: int, held: LogObject | None) -> Iterator[Finding]:
        """The state before a block, which landers start from, is what the entries before say."""
        key = totals_key(self.topic, block)
        if held is None:
            yield Finding.of(
                FindingKind.HOUR_LOG_HOLE, key, "the state before the block is missing"
            )
        elif isinstance(held.entry, str):
            yield Finding.of(FindingKind.HOUR_LOG_DAMAGED, key, held.entry)
        elif not self.covered.broken and (
            held.entry.sequence != block * BLOCK - 1
            or {Hour(h.data_type, h.dt, h.hour): h for h in held.entry.hours} != self.covered.hours
            or held.entry.reached() != self.covered.reached
        ):
            yield Finding.of(
                FindingKind.HOUR_LOG_TOTALS,
                key,
                "it is not the sum of the entries before the block",
            )

    def _entry(self, held: LogObject) -> Iterator[Finding]:
        entry = held.entry
        if isinstance(entry, str):
            self.covered.broken = True
            yield Finding.of(FindingKind.HOUR_LOG_DAMAGED, held.key, entry)
            return
        if (entry.topic, entry.sequence) != (held.place.topic, held.place.sequence):
            self.covered.broken = True
            wrong = f"it says that it is entry {entry.sequence} of {entry.topic}"
            yield Finding.of(FindingKind.HOUR_LOG_DAMAGED, held.key, wrong)
            return
        for number, place in sorted(entry.reached().items()):
            yield from self._advance(held.key, number, place)
        yield from self._advance_replays(held.key, entry.replays)
        for told in entry.hours:
            yield from self._compare(held.key, told)
        self.covered.reached |= entry.reached()
        self.covered.replays = entry.replays
        self.covered.watermarks |= {int(n): mark for n, mark in entry.watermarks.items()}
        self.covered.hours |= {Hour(h.data_type, h.dt, h.hour): h for h in entry.hours}

    def _advance(self, key: str, number: int, place: Place) -> Iterator[Finding]:
        """Add the manifests of a partition up to `place` to the sums."""
        links, at = self._chains.get(number, []), self._at.get(number, 0)
        before = self.covered.reached.get(number, (0, 0))
        ends = _ends(links[at - 1]) if at else (0, 0)
        while at < len(links) and _ends(links[at]) <= place:
            follows = links[at].place
            if follows.generation == ends[0] and follows.first != ends[1]:
                self._believed = False
            self._add(links[at])
            ends = _ends(links[at])
            at += 1
        self._at[number] = at
        if place < before:
            yield Finding.of(
                FindingKind.HOUR_LOG_AHEAD,
                key,
                f"partition {number} is at {_words(place)}, in an earlier entry at {_words(before)}",
            )
        elif ends != place and self._believed and place[1]:
            self._believed = False
            yield Finding.of(
                FindingKind.HOUR_LOG_AHEAD,
                key,
                f"it covers partition {number} to {_words(place)}, "
                f"where no cut ends; the chain before it ends at {_words(ends)}",
            )

    def _add(self, link: Link) -> None:
        if link.damage is not None or link.manifest is None:
            self._believed = False
            return
        place = link.place
        note = self._notes.get((place.partition, place.generation, place.first))
        lost = frozenset[str]()
        if note is not None and note.manifest is not None:
            lost = frozenset(held.key for held in note.manifest.objects)
        for held in link.manifest.objects:
            sums = self._sums.setdefault(hour_of(held), Sums())
            if held.key not in lost:
                sums.add(held.records, held.bytes, held.late)

    def _advance_replays(self, key: str, count: int) -> Iterator[Finding]:
        if count > len(self._replays):
            yield Finding.of(
                FindingKind.HOUR_LOG_AHEAD,
                key,
                f"it counts {count:,} replays, there are {len(self._replays):,}",
            )
        for replay in self._replays[self._replayed : count]:
            for output in replay.objects:
                place = HourObject.parse(output.key)
                if place is not None:
                    sums = self._sums.setdefault(place.hour, Sums())
                    sums.add(output.records, output.bytes, output.late)
            for taken in replay.sources:
                place = HourObject.parse(taken.key)
                if place is not None:
                    sums = self._sums.setdefault(place.hour, Sums())
                    sums.add(-taken.records, -taken.bytes, None)
        self._replayed = max(self._replayed, count)

    def _compare(self, key: str, told: HourTotals) -> Iterator[Finding]:
        hour = Hour(told.data_type, told.dt, told.hour)
        sums = self._sums.get(hour, Sums())
        if not self._believed or hour in self._told or not sums.differs(told):
            return
        self._told.add(hour)
        yield Finding.of(
            FindingKind.HOUR_LOG_TOTALS,
            key,
            f"{told.data_type} {told.dt} {told.hour}: it tells {told.records:,} records, "
            f"{told.bytes:,} bytes, {told.late:,} late; the manifests {sums.records:,}, "
            f"{sums.bytes:,}, {'?' if sums.late is None else f'{sums.late:,}'}",
        )


def behind(
    topic: str,
    covered: Covered,
    chains: Mapping[int, Sequence[Link]],
    incomplete: frozenset[str],
    before: str,
) -> Iterator[Finding]:
    """Cuts that are complete, were made before `before` (ISO 8601), and that no entry covers."""
    for number, links in sorted(chains.items()):
        reached = covered.reached.get(number, (0, 0))
        left = [
            (_ends(link), link.manifest.written_at)
            for link in links
            if not link.place.note
            and link.manifest is not None
            and not link.manifest.kind.closes
            and _ends(link) > reached
            and link.manifest.written_at < before
            and link.place.text not in incomplete
        ]
        if left:
            yield Finding.of(
                FindingKind.HOUR_LOG_BEHIND,
                log_prefix(topic),
                f"it covers partition {number} to {_words(reached)}, the chain goes to "
                f"{_words(left[-1][0])}: {len(left):,} cuts since {left[0][1]}",
            )


def _ends(link: Link) -> Place:
    """Where a chain stands behind a link; of a damaged one it is known that it is not empty."""
    return link.place.generation, link.manifest.next if link.manifest else link.place.first + 1


def _words(place: Place) -> str:
    generation, offset = place
    return f"offset {offset}" + (f" of generation {generation}" if generation else "")


def _range(first: int, last: int) -> str:
    return f"entry {first} is" if first == last else f"the entries {first} to {last} are"
