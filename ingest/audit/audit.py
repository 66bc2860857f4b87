"""The audit: sees the ledger and Glue, reads every object, and says what does not hold.

Comes in: the store, Glue, a scope. Goes out: a `Report`. Only reads.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import structlog

from ingest.audit.chain import check_chain, check_rules
from ingest.audit.facts import Promise, Scope, Stored
from ingest.audit.finding import Finding
from ingest.audit.glue import Folder, check_folders, check_hours
from ingest.audit.log import Covered, LogCheck, behind
from ingest.audit.look import Seen, Topic, look
from ingest.audit.objects import check_encryption, check_object, check_unknown, promises_of
from ingest.audit.producers import check_producers, on_the_way, passed_by_all, sequences_of
from ingest.audit.records import HourObject
from ingest.audit.sizes import Sizes, sizes_of
from ingest.audit.store import Store
from ingest.audit.versions import Reading, check_replays, replayed, taken_of
from ingest.land.hourlog import Hour, block_prefix
from ingest.land.lane import iso_time
from ingest.land.manifest import chain_prefix
from ingest.land.objects import ROOT
from ingest.register.catalog import Catalog
from ingest.register.tables import PLATFORM

log = structlog.get_logger()

BEHIND_S = 900.0
"""How long after a cut the hour log may do without it."""
LOOKED_AT_AGAIN = 1_000
"""Missing objects that are looked at once more at the end: a lander may have been writing them."""


@dataclass(frozen=True)
class Report:
    """What an audit saw and found. `bytes` are uncompressed.

    `objects`, `records` and `bytes` are of all that was promised and is there: while an hour is
    written again, its lines are in two folders, of which readers see one, and count twice.
    """

    findings: tuple[Finding, ...]
    sizes: tuple[Sizes, ...]
    manifests: int
    objects: int
    records: int
    bytes: int
    on_the_way: int
    """Sequence numbers that may still come: a partition is behind the lines after them."""


@dataclass(frozen=True)
class Judged:
    """A promised object and what is wrong with it. `stored` None: it is not there."""

    promise: Promise
    stored: Stored | None
    findings: tuple[Finding, ...]


class Audit:
    """One audit. `quick` believes the checksums that objects note of themselves."""

    def __init__(
        self,
        store: Store,
        catalog: Catalog,
        scope: Scope,
        quick: bool,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._scope = scope
        self._examine = store.head if quick else store.examine
        self._clock = clock

    def run(self) -> Report:
        """See everything in the scope and judge it."""
        seen = look(self._store, self._catalog, self._scope)
        findings = dict.fromkeys(seen.findings)
        promises = {promise.key: promise for promise in self.promises(seen)}
        log.info("audit", manifests=sum(1 for _ in seen.links()), objects=len(promises))
        judged = list(self.judged(seen, promises.values()))
        for one in judged:
            findings |= dict.fromkeys(one.findings)
        damaged = {link.place for link in seen.links() if link.manifest is None}
        findings |= dict.fromkeys(check_unknown(seen.listed, promises, damaged))
        findings |= dict.fromkeys(self._check_versions(seen))
        covered: dict[str, Covered] = {}
        incomplete = frozenset(one.promise.by for one in judged if one.stored is None)
        waiting = 0
        for topic in seen.topics.values():
            check = LogCheck(topic.name, topic.chains, topic.replays)
            findings |= dict.fromkeys(self._check_topic(topic, check, incomplete))
            covered[topic.name] = check.covered
            passed = passed_by_all(check.covered.reached, check.covered.watermarks)
            sequences = sequences_of(topic.links())
            findings |= dict.fromkeys(check_producers(topic.name, sequences, passed))
            waiting += on_the_way(sequences, passed)
        findings |= dict.fromkeys(check_rules(seen.links(), seen.documents))
        findings |= dict.fromkeys(self._check_glue(seen, covered))
        contents = [o.stored.content for o in judged if o.stored and o.stored.content]
        return Report(
            findings=tuple(findings),
            sizes=tuple(sizes_of(seen.listed, seen.read)),
            manifests=sum(1 for _ in seen.links()),
            objects=sum(one.stored is not None for one in judged),
            records=sum(content.records for content in contents),
            bytes=sum(content.bytes for content in contents),
            on_the_way=waiting,
        )

    def promises(self, seen: Seen) -> Iterator[Promise]:
        """Every object of the scope that must or may be there."""
        keys = frozenset(held.key for held in seen.listed if "/_versioned/" in held.key)
        for place, base in self._by_hour(seen).items():
            if place is None:
                yield from base
            else:
                yield from self._reading(seen, place).promises(base, keys)

    def _by_hour(self, seen: Seen) -> dict[Hour | None, list[Promise]]:
        """What chains and replays promise in each hour's base folder; None: the quarantine."""
        found: dict[Hour | None, list[Promise]] = defaultdict(list)
        if self._scope.topic is None:
            found.update({hour: [] for hour in seen.versions})
        for topic in seen.topics.values():
            for promise in (*promises_of(topic.links()), *replayed(topic.replays)):
                place = HourObject.parse(promise.key)
                found[place.hour if place else None].append(promise)
        return {
            hour: [p for p in base if self._scope.covers(p.dt)]
            for hour, base in found.items()
            if hour is None or self._scope.covers(hour.dt)
        }

    def _reading(self, seen: Seen, hour: Hour) -> Reading:
        return Reading(hour, seen.read.get(hour), seen.versions.get(hour, {}))

    def judged(self, seen: Seen, promises: Iterable[Promise]) -> Iterator[Judged]:
        """Every promised object against what S3 holds; what seems missing is looked at twice."""
        listed = {held.key for held in seen.listed}
        asked = [p for p in promises if p.needed or p.key in listed]
        keys = (promise.key for promise in asked)
        missing = []
        for promise, stored in zip(
            asked, self._store.side_by_side(self._examine, keys), strict=True
        ):
            if stored is None:
                missing.append(promise)
            else:
                yield self._judge(seen, promise, stored)
        again = len(missing) <= LOOKED_AT_AGAIN
        for promise in missing:
            yield self._judge(seen, promise, self._examine(promise.key) if again else None)

    def _judge(self, seen: Seen, promise: Promise, stored: Stored | None) -> Judged:
        findings = [*check_object(promise, stored)]
        if stored is not None:
            findings += check_encryption(stored, seen.key)
        return Judged(promise, stored, tuple(findings))

    def _check_versions(self, seen: Seen) -> Iterator[Finding]:
        """Versions, where all topics are in the scope: an hour may hold lines of several."""
        if self._scope.topic is not None:
            return
        taken = taken_of(r for topic in seen.topics.values() for r in topic.replays)
        for hour, base in self._by_hour(seen).items():
            if hour is not None:
                yield from self._reading(seen, hour).check(base, taken.get(hour, 0))

    def _check_topic(
        self, topic: Topic, check: LogCheck, incomplete: frozenset[str]
    ) -> Iterator[Finding]:
        for _, links in sorted(topic.chains.items()):
            yield from check_chain(links)
        yield from check_replays(topic.replays)
        yield from check.findings(topic.log)
        before = iso_time(self._clock() - BEHIND_S)
        yield from behind(topic.name, check.covered, topic.chains, incomplete, before)

    def _check_glue(self, seen: Seen, covered: dict[str, Covered]) -> Iterator[Finding]:
        hours = {h for one in covered.values() for h in one.hours if self._scope.covers(h.dt)}
        yield from check_hours(seen.bucket, hours, seen.raw, seen.versions)
        for topic in seen.topics.values():
            folders = folders_of(topic, covered[topic.name], self._scope)
            yield from check_folders(seen.bucket, folders, seen.platform)


def folders_of(topic: Topic, covered: Covered, scope: Scope) -> Iterator[Folder]:
    """The ledger's partitions that must be in Glue, for an entry stands that covers them."""
    name = topic.name
    for block in sorted({held.place.block for held in topic.log}):
        path = block_prefix(name, block).rstrip("/")
        yield Folder(PLATFORM, "hour", (name, str(block)), path)
    if covered.replays:
        yield Folder(PLATFORM, "replay", (name,), f"{ROOT}/_replays/{name}")
    aside: set[tuple[str, str]] = set()
    for number, links in sorted(topic.chains.items()):
        reached = covered.reached.get(number, (0, 0))
        cuts = [
            link.manifest
            for link in links
            if link.manifest and (link.place.generation, link.manifest.next) <= reached
        ]
        if cuts:
            path = chain_prefix(name, number).rstrip("/")
            yield Folder(PLATFORM, "cut", (name, str(number)), path)
        aside |= {(held.dt, held.hour) for cut in cuts for held in cut.quarantine}
    for dt, hour in sorted(aside):
        if scope.covers(dt):
            path = f"{ROOT}/_quarantine/{name}/{dt.replace('-', '/')}/{hour}"
            yield Folder(PLATFORM, "quarantine", (name, dt, hour), path)
