"""Versions of hours, and replays: which objects they add, and which they make superfluous.

Comes in: their records, what the chains promise, and which folder Glue reads of each hour. Goes
out: the promises that follow, and findings. An object that a published version stands for may be
there or not; one that it does not stand for must be in its folder too, under the same name. Pure.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ingest.audit.facts import Promise
from ingest.audit.finding import Finding, FindingKind
from ingest.audit.records import HourObject, Output, Replay, Version, VersionPlace, hour_folder
from ingest.land.hourlog import Hour
from ingest.land.objects import ROOT

Versions = Mapping[Hour, Mapping[int, Version]]
"""By hour and number, from 1."""


def replay_key(replay: Replay) -> str:
    """Where a replay's entry stands."""
    return f"{ROOT}/_replays/{replay.topic}/{replay.sequence:020}.json"


def version_key(place: VersionPlace) -> str:
    """Where a version's record stands."""
    hour, number = place
    path = f"{hour.data_type}/{hour.dt.replace('-', '/')}/{hour.hour}"
    return f"{ROOT}/_versions/{path}/{number:06}.json"


def replayed(replays: Iterable[Replay]) -> Iterator[Promise]:
    """The objects that replays landed."""
    for replay in replays:
        for held in replay.objects:
            place = HourObject.parse(held.key)
            dt = place.hour.dt if place is not None else ""
            yield Promise(held.key, dt, held.records, held.sha256, replay_key(replay))


def check_replays(replays: Sequence[Replay]) -> Iterator[Finding]:
    """The replays of one topic, in order: no number missing, no offset taken twice."""
    taken: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for number, replay in enumerate(replays):
        key = replay_key(replay)
        if replay.sequence != number and (not number or replays[number - 1].sequence + 1 != replay.sequence):  # fmt: skip
            yield Finding.of(FindingKind.RECORD_HOLE, key, "a replay before it is missing")
        took = sum(source.records for source in replay.sources)
        landed = sum(held.records for held in replay.objects)
        if took != landed:
            wrong = f"it took {took:,} records and landed {landed:,}"
            yield Finding.of(FindingKind.RECORD_DAMAGED, key, wrong)
        for source in replay.sources:
            taken[source.key].extend((before, after, key) for before, after in source.offsets)
    for source_key, ranges in sorted(taken.items()):
        reached = 0
        for before, after, key in sorted(ranges):
            if before < reached:
                wrong = (
                    f"it takes the offsets [{before}, {min(after, reached)}) of {source_key} again"
                )
                yield Finding.of(FindingKind.REPLAYED_TWICE, key, wrong)
            reached = max(reached, after)


def taken_of(replays: Iterable[Replay]) -> dict[Hour, int]:
    """How many records replays took out of an hour (of `unclaimed`)."""
    taken: dict[Hour, int] = defaultdict(int)
    for replay in replays:
        for source in replay.sources:
            place = HourObject.parse(source.key)
            if place is not None:
                taken[place.hour] += source.records
    return taken


@dataclass(frozen=True)
class Reading:
    """Which folder readers see of an hour. `version` None: Glue does not say."""

    hour: Hour
    version: int | None
    versions: Mapping[int, Version]

    @property
    def believed(self) -> int:
        """The version read, or the newest there is where Glue does not say."""
        return max(self.versions, default=0) if self.version is None else self.version

    @property
    def superseded(self) -> frozenset[str]:
        """Names of the objects that the folder stands for."""
        stood_for = (v.superseded for n, v in self.versions.items() if n <= self.believed)
        return frozenset().union(*stood_for)

    def promises(self, base: Sequence[Promise], listed: frozenset[str]) -> Iterator[Promise]:
        """All promises of the hour, given those of its base folder and the keys listed."""
        gone, believed = self.superseded, self.believed
        names = {promise.key.rpartition("/")[2]: promise for promise in base}
        for name, promise in names.items():
            yield replace(promise, needed=promise.needed and name not in gone)
        for number, version in self.versions.items():
            folder = hour_folder(self.hour, number)
            by = version_key(VersionPlace(self.hour, number))
            for held in version.outputs:
                needed = held.key.rpartition("/")[2] not in gone
                yield Promise(held.key, self.hour.dt, held.records, held.sha256, by, needed)
            for name, promise in names.items():
                needed = promise.needed and number == believed and name not in gone
                key = f"{folder}/{name}"
                if needed or key in listed:
                    yield replace(promise, key=key, by=by if needed else promise.by, needed=needed)

    def check(self, base: Sequence[Promise], taken: int) -> Iterator[Finding]:
        """Versions are numbered without a hole, and the one read holds what the chain landed."""
        for number in sorted(self.versions):
            if number > 1 and number - 1 not in self.versions:
                key = version_key(VersionPlace(self.hour, number))
                yield Finding.of(FindingKind.RECORD_HOLE, key, "the version before it is missing")
        if self.version is None or (self.version and self.version not in self.versions):
            return
        landed = sum(promise.records for promise in base if promise.needed) - taken
        sees = sum(held.records for held in self._seen(base))
        if sees != landed:
            key = f"{hour_folder(self.hour, self.version)}/"
            wrong = f"readers see {sees:,} records of the hour, {landed:,} landed"
            yield Finding.of(FindingKind.VERSION_RECORDS, key, wrong)

    def _seen(self, base: Sequence[Promise]) -> Iterator[Promise | Output]:
        """What the folder that Glue points at should hold."""
        gone = self.superseded
        for promise in base:
            if promise.needed and promise.key.rpartition("/")[2] not in gone:
                yield promise
        if self.version:
            yield from self.versions[self.version].outputs
