"""Compaction: the many small objects of a sealed hour to few, the lines unchanged.

Comes in: days. Goes out: an `Outcome` an hour. An hour is compacted when every topic's hour log
calls it sealed, for then little comes after; that it is whole for readers at all times rests on the
order of writes and looks alone (docs/compaction.md), never on the seal and never on a clock.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from datacore.errors import DatacoreError, DifferenceFound, UsageError
from ingest.land.bucket import Bucket
from ingest.land.hourlog import Hour
from ingest.land.hours import read_ledger
from ingest.land.objects import ROOT, Body
from ingest.land.route import UNCLAIMED
from ingest.versions.record import (
    History,
    Output,
    Version,
    Why,
    base_folder,
    group,
    merged_name,
    place_of,
    version_folder,
)
from ingest.versions.remove import remove_superseded
from ingest.versions.settle import Settler

MIB = 1024 * 1024
HELD = 256 * MIB
"""Compressed bytes of outputs that are kept until the record stands; beyond, they are made twice."""


@dataclass(frozen=True)
class Policy:
    """What is compacted, and when what is superseded goes."""

    target: int = 64 * MIB
    """Compressed bytes of an object. A gzip file cannot be split, so an object is one task of an
    engine: 64 MiB are about 350 MiB of lines, some ten seconds of a core."""
    least: int = 2
    """Objects that an hour has at least."""
    grace_s: float = 3600.0
    """How long superseded objects stay for those who still read them."""
    dry_run: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of an hour."""

    hour: Hour
    before: tuple[int, ...] = ()
    """Compressed sizes of the objects that readers found."""
    after: tuple[int, ...] = ()
    version: int = 0
    """The newest; 0 where there is none."""
    removed: int = 0
    """Superseded objects."""
    left: str = ""
    """Why it was left as it was."""
    difference: DifferenceFound | None = None
    """What was found wrong."""


@dataclass
class Listed:
    """An hour as the listings of its day tell it: sizes by key."""

    base: dict[str, int] = field(default_factory=dict)
    versioned: dict[str, int] = field(default_factory=dict)
    versions: int = 0

    def current(self, hour: Hour) -> dict[str, int]:
        """What the newest version, or else the base folder, holds."""
        if not self.versions:
            return self.base
        folder = version_folder(hour, self.versions)
        return {key: size for key, size in self.versioned.items() if key.startswith(folder)}

    def at_rest(self, hour: Hour) -> bool:
        """Whether all that is there is the newest version."""
        return not self.base and len(self.current(hour)) == len(self.versioned) > 0


def sealed_hours(bucket: Bucket) -> tuple[set[Hour], dict[str, DatacoreError]]:
    """Hours that every topic which has data of them calls sealed; what is wrong with a topic's log,
    where it cannot be read."""
    sealed: set[Hour] = set()
    opened: set[Hour] = set()
    damaged: dict[str, DatacoreError] = {}
    for topic in bucket.folders(f"{ROOT}/_hours/"):
        try:
            ledger = read_ledger(bucket, topic)
        except (UsageError, DifferenceFound) as error:
            damaged[topic] = error
            continue
        for hour, totals in ledger.hours.items():
            (sealed if totals.sealed else opened).add(hour)
    return sealed - opened, damaged


class Compactor:
    """Compacts hours, settles what other runs left, and removes what is superseded."""

    def __init__(self, settler: Settler, policy: Policy) -> None:
        self._settler = settler
        self._bucket = settler.bucket
        self._policy = policy

    def day(self, data_type: str, dt: str, sealed: set[Hour]) -> Iterator[Outcome]:
        """Every hour of a day in which there is something to do."""
        for hour, listed in sorted(self._list(data_type, dt).items()):
            try:
                outcome = self._hour(hour, listed, hour in sealed)
            except DifferenceFound as error:
                outcome = Outcome(hour, difference=error)
            if outcome is not None:
                yield outcome

    def _list(self, data_type: str, dt: str) -> dict[Hour, Listed]:
        day = f"{data_type}/{dt.replace('-', '/')}/"
        found: dict[Hour, Listed] = {}
        for place in ("", "_versioned/", "_versions/"):
            for key, size in self._bucket.sizes(f"{ROOT}/{place}{day}").items():
                at = place_of(key)
                if at is None:
                    continue
                listed = found.setdefault(at[0], Listed())
                if place == "_versions/":
                    listed.versions += 1
                elif place == "_versioned/":
                    listed.versioned[key] = size
                else:
                    listed.base[key] = size
        return found

    def _hour(self, hour: Hour, listed: Listed, sealed: bool) -> Outcome | None:
        # an object of `unclaimed` stays as it is, for its name tells a replay where its lines are of
        worth = sealed and hour.data_type != UNCLAIMED and self._worth(listed.current(hour))
        if self._policy.dry_run:
            return self._planned(hour, listed) if worth else None
        known = None
        if listed.versions and (worth or not listed.at_rest(hour)):
            known = self._settler.settle(hour)
        outcome = self._compact(hour, known) if worth else None
        if outcome is not None and not outcome.left:
            known = self._settler.settle(hour)
        removed = remove_superseded(self._settler, known, self._policy.grace_s) if known else 0
        if outcome is None:
            return Outcome(hour, version=listed.versions, removed=removed) if removed else None
        after = outcome.after or tuple(self._current(hour, known).values())
        return Outcome(hour, outcome.before, after, outcome.version, removed, outcome.left)

    def _worth(self, current: Mapping[str, int]) -> bool:
        """Whether compaction makes fewer objects of these."""
        if len(current) < self._policy.least:
            return False
        return len(group(current.items(), self._policy.target)) < len(current)

    def _planned(self, hour: Hour, listed: Listed) -> Outcome:
        current = listed.current(hour)
        after = tuple(
            sum(current[key] for key in keys)
            for keys in group(current.items(), self._policy.target)
        )
        return Outcome(hour, tuple(current.values()), after, listed.versions + 1)

    def _current(self, hour: Hour, known: History | None) -> dict[str, int]:
        return self._bucket.sizes(known.newest.folder if known else base_folder(hour))

    def _compact(self, hour: Hour, known: History | None) -> Outcome | None:
        """Claim the next version and write it; None where it would not make fewer objects."""
        current = self._current(hour, known)
        if not self._worth(current):
            return None
        groups = group(current.items(), self._policy.target)
        past = known or History(hour, ())
        number = len(past.versions) + 1
        outputs: list[Output] = []
        bodies: dict[str, Body] = {}
        held = 0
        for part, keys in enumerate(groups):
            body = self._settler.outputs.merged(past, keys)
            key = version_folder(hour, number) + merged_name(number, part)
            outputs.append(Output(key, body.records, body.bytes, body.sha256, len(keys)))
            if held + len(body.data) <= HELD:
                bodies[key] = body
                held += len(body.data)
        version = Version(
            *hour,
            version=number,
            why=Why.COMPACT,
            writer=self._settler.identity.name,
            written_at=self._settler.identity.now_text(),
            inputs=tuple(key for keys in groups for key in keys),
            outputs=tuple(outputs),
        )
        before = tuple(current.values())
        if not self._settler.claim(version, bodies):
            left = f"another run writes version {number}"
            return Outcome(hour, before, before, number, left=left)
        return Outcome(hour, before, version=number)
