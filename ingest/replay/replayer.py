"""The replayer: takes records that were set aside and lands them where a contract claims them now.

Comes in: a topic, rules, and a choice of records. Goes out: replays in the topic's log, their
objects, and an entry of the hour log. Order: the entry (its number claimed with `If-None-Match`),
the hours in Glue, the objects, the hours of `unclaimed`, the hour log. Who finds a number taken
completes that replay, and looks again at what is left to take; so no record is taken twice, and a
killed run is completed by the next.
"""

from collections import Counter
from dataclasses import dataclass, field

import structlog

from datacore.errors import DifferenceFound
from ingest.land.chain import rules_key
from ingest.land.event_time import MS_PER_HOUR
from ingest.land.hourlog import BEGINNING, NEVER, hour_of
from ingest.land.hours import HourLog, Progress, Registrar
from ingest.land.manifest import LandedObject, ReasonCount
from ingest.land.objects import ROOT, Body, OpenObject, hour_path, hour_words
from ingest.land.route import UNCLAIMED, Landing, Rejection, Router
from ingest.land.rules import Rule, Rules, read_rules
from ingest.replay.entry import Replay, Replays, Taken, ranges, replayed_name
from ingest.replay.log import replays_since
from ingest.replay.sources import Source, Sources, Waiting
from ingest.replay.unclaimed import leave_out
from ingest.versions.arrivals import follow_versions, landed_checksums
from ingest.versions.history import histories
from ingest.versions.settle import Settler

log = structlog.get_logger()


@dataclass(frozen=True)
class Choice:
    """Which records are replayed."""

    reason: str | None = None
    """Set aside for this reason."""
    data_type: str | None = None
    """Claimed by this contract now."""
    unclaimed: bool = False
    """Those of `unclaimed` too, and not quarantined ones alone."""


@dataclass
class Summary:
    """What a run brought."""

    replayed: int = 0
    objects: int = 0
    replays: int = 0
    stay: Counter[str] = field(default_factory=Counter)
    """Records that were looked at and stay, by why."""

    def line(self) -> str:
        """The one line on stdout."""
        why = ", ".join(f"{reason} {count}" for reason, count in self.stay.most_common())
        return (
            f"replayed {self.replayed} objects {self.objects} replays {self.replays} "
            f"stay {self.stay.total()}{f' ({why})' if why else ''}"
        )


@dataclass(frozen=True)
class Limit:
    """What one replay takes at most, at the next source's end."""

    bytes: int = 128 * 1024 * 1024
    objects: int = 2_000


class Batch:
    """A replay under way: records to open objects."""

    def __init__(self, topic: str, rules: Rules) -> None:
        self.bytes = 0
        self.sources: list[Taken] = []
        self._topic = topic
        self._rules = rules
        self._router = Router(rules, topic)
        self._reasons: Counter[tuple[str, str | None]] = Counter()
        self._landed: dict[Landing, OpenObject] = {}

    @property
    def objects(self) -> int:
        """How many objects are open."""
        return len(self._landed)

    def route(self, record: Waiting) -> Landing | Rejection:
        """Where the rules send a record."""
        return self._router.route(record.value, record.timestamp)

    def add(self, record: Waiting, landing: Landing) -> None:
        """Land a record."""
        held = self._landed.setdefault(landing, OpenObject())
        held.add(record.value)
        grace_ms = MS_PER_HOUR + self._rules.limits.grace_ms
        held.late += record.timestamp >= landing.hour * MS_PER_HOUR + grace_ms
        self.bytes += record.bytes
        if record.reason is not None:
            self._reasons[record.reason, record.data_type] += 1

    def finish(self, sequence: int, writer: str, written_at: str) -> tuple[Replay, dict[str, Body]]:
        """The replay with this number, and its objects."""
        name = replayed_name(self._topic, sequence)
        bodies: dict[str, Body] = {}
        objects: list[LandedObject] = []
        for (data_type, hour), held in sorted(self._landed.items()):
            key = f"{ROOT}/{data_type}/{hour_path(hour)}/{name}"
            body = bodies[key] = held.finish()
            words = hour_words(hour)
            counts = (body.records, body.bytes, body.late)
            objects.append(LandedObject(key, data_type, *words, *counts, body.sha256))
        replay = Replay(
            topic=self._topic,
            sequence=sequence,
            rules=self._rules.hash,
            writer=writer,
            written_at=written_at,
            sources=tuple(self.sources),
            objects=tuple(objects),
            reasons=tuple(
                ReasonCount(reason, data_type, count)
                for (reason, data_type), count in sorted(
                    self._reasons.items(), key=lambda item: (item[0][0], item[0][1] or "")
                )
            ),
        )
        return replay, bodies


class Replayer:
    """Replays one topic."""

    def __init__(
        self,
        settler: Settler,
        registrar: Registrar,
        topic: str,
        claims: tuple[Rule, ...],
        limit: Limit | None = None,
    ) -> None:
        self._settler = settler
        self._bucket = settler.bucket
        self._registrar = registrar
        self._topic = topic
        self._rules = Rules(claims)
        self._limit = limit or Limit()
        self._sources = Sources(settler, topic)
        # it reads nothing of Kafka, so it seals nothing: the next lander's entry does
        self._hour_log = HourLog(self._bucket, registrar, topic, NEVER)

    def run(self, choice: Choice, summary: Summary) -> None:
        """Replay what is chosen. Raises DifferenceFound where a source is not as it was landed."""
        replays = Replays(replays_since(self._bucket, self._topic, 0))
        if replays.entries:
            self._complete(replays.entries[-1], replays, {})
        sources = self._sources.quarantined()
        if choice.unclaimed:
            sources += self._sources.unclaimed()
        if sources:
            self._rules = Rules(self._rules.claims, self._sources.limits(sources))
            self._bucket.put_new(rules_key(self._rules.hash), self._rules.document)
        at = 0
        while at < len(sources):
            at = self._next(sources, at, choice, replays, summary)
        # counts what another run left complete, too
        nothing_asked = Progress({}, {}, BEGINNING)
        self._hour_log.write(nothing_asked, self._settler.identity.now_text)

    def _next(
        self,
        sources: list[Source],
        at: int,
        choice: Choice,
        replays: Replays,
        summary: Summary,
    ) -> int:
        """Make a replay of the sources from `at` on; where the next begins.

        `replays` are all that stand, and are so after it.
        """
        while True:
            batch, stay = Batch(self._topic, self._rules), Counter[str]()
            upto = at
            while upto < len(sources) and not self._full(batch):
                self._take(sources[upto], choice, batch, replays, stay)
                upto += 1
            if not batch.sources:
                summary.stay += stay
                return upto
            identity = self._settler.identity
            replay, bodies = batch.finish(len(replays), identity.name, identity.now_text())
            if self._bucket.put_new(replay.key, replay.to_json()):
                replays.extend([replay])
                self._complete(replay, replays, bodies)
                summary.stay += stay
                summary.replays += 1
                summary.replayed += sum(taken.records for taken in replay.sources)
                summary.objects += len(replay.objects)
                log.info("replay", topic=self._topic, sequence=replay.sequence,
                         objects=len(replay.objects), sources=len(replay.sources))  # fmt: skip
                return upto
            others = replays_since(self._bucket, self._topic, len(replays))
            log.info("replay_overtaken", topic=self._topic, by=others[-1].writer)
            replays.extend(others)
            self._complete(replays.entries[-1], replays, {})

    def _full(self, batch: Batch) -> bool:
        return batch.bytes >= self._limit.bytes or batch.objects >= self._limit.objects

    def _take(
        self,
        source: Source,
        choice: Choice,
        batch: Batch,
        replays: Replays,
        stay: Counter[str],
    ) -> None:
        """Take the chosen records of one source that are claimed now."""
        taken: list[int] = []
        size = 0
        for record in self._sources.waiting(source, replays):
            if choice.reason is not None and record.reason != choice.reason:
                continue
            target = batch.route(record)
            if isinstance(target, Rejection):
                if choice.data_type in (None, target.data_type):
                    stay[str(target.reason)] += 1
            elif target.data_type == UNCLAIMED:
                stay[UNCLAIMED] += 1
            elif choice.data_type in (None, target.data_type):
                batch.add(record, target)
                taken.append(record.number)
                size += record.bytes
        if taken:
            data_type = UNCLAIMED if source.unclaimed else None
            numbers = ranges(taken)
            batch.sources.append(
                Taken(source.key, source.dt, source.hour, data_type, len(taken), size, numbers)
            )

    def _complete(self, replay: Replay, replays: Replays, bodies: dict[str, Body]) -> None:
        """Write what is missing of a replay. `bodies` are those at hand."""
        hours = {hour_of(held) for held in replay.objects}
        known = histories(self._bucket, hours)
        self._registrar.hours(hours - known.keys())
        self._registrar.replays(self._topic)
        found = landed_checksums(self._bucket, replay.objects)
        missing = {held.key: held.sha256 for held in replay.objects if found[held.key] is None}
        if missing.keys() - bodies.keys():
            bodies = self._again(replay, replays)
        for key, sha256 in missing.items():
            if bodies[key].sha256 != sha256:
                raise DifferenceFound(
                    f"{replay.key}: its sources give other lines than it promised for {key}",
                    "a source was changed; restore it from the bucket's earlier versions",
                )
        self._bucket.put_bodies({key: bodies[key] for key in missing})
        follow_versions(self._bucket, replay.objects)
        leave_out(self._settler, replay)
        self._sources.forget()

    def _again(self, replay: Replay, replays: Replays) -> dict[str, Body]:
        """A replay's objects once more, by its own rules."""
        (document,) = self._bucket.get_all([rules_key(replay.rules)])
        batch = Batch(self._topic, read_rules(document))
        for taken in replay.sources:
            for record in self._sources.taken(taken, replays):
                target = batch.route(record)
                if isinstance(target, Landing):
                    batch.add(record, target)
        return batch.finish(replay.sequence, replay.writer, replay.written_at)[1]
