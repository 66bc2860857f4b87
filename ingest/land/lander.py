"""The lander: reads the source, decides when to cut, keeps memory bounded, writes the hour log.

Comes in: a source, a bucket, rules. Goes out: cuts and log entries; at the end a `Summary`. What is
held in memory is bounded by one budget: past it the largest lane is cut at once, and while it is
written nothing more is read. Time is injected.
"""

import threading
from dataclasses import dataclass, field

import structlog

from ingest.land.bucket import Bucket
from ingest.land.hours import HourLog, Progress, Registrar
from ingest.land.lane import LanderIdentity, Lane
from ingest.land.manifest import Place
from ingest.land.rules import Rules
from ingest.land.source import NEVER, AnotherTopic, Partition, RetentionOutran, Source
from ingest.land.surge import SurgeAlarm
from ingest.meter import Meter

log = structlog.get_logger()

MIB = 1024 * 1024
POLL_S = 0.25
METER_S = 1.0
"""How often the meter is told how far the lanes are."""


@dataclass(frozen=True)
class CutPolicy:
    """When a cut is made, and when the hour log is written."""

    bytes: int = 128 * MIB
    """Uncompressed bytes of one partition."""
    seconds: float = 60.0
    """Age of the oldest record held."""
    objects: int = 2_000
    """Open objects of one partition: a backlog in random order opens many."""
    budget: int = 256 * MIB
    """Bytes of memory that all partitions hold together."""
    log_seconds: float = 60.0
    idle_log_seconds: float | None = None
    """How long the log may go without an entry while nothing comes; None: for ever."""


@dataclass
class Summary:
    """What a run brought, for its last line."""

    landed: int = 0
    quarantined: int = 0
    unclaimed: int = 0
    objects: int = 0
    cuts: int = 0
    hours_sealed: int = 0
    started_at: float = field(default=0.0, repr=False)

    def line(self, seconds: float) -> str:
        """The one line on stdout."""
        return (
            f"landed {self.landed} quarantined {self.quarantined} unclaimed {self.unclaimed} "
            f"objects {self.objects} cuts {self.cuts} hours sealed {self.hours_sealed} "
            f"in {seconds:.1f} s"
        )


class Lander:
    """Lands the partitions that its source assigns to it."""

    def __init__(
        self,
        source: Source,
        bucket: Bucket,
        rules: Rules,
        registrar: Registrar,
        identity: LanderIdentity,
        policy: CutPolicy,
        meter: Meter | None = None,
    ) -> None:
        self.summary = Summary(started_at=identity.clock())
        self._source = source
        self._bucket = bucket
        self._rules = rules
        self._identity = identity
        self._policy = policy
        self._lanes: dict[Partition, Lane] = {}
        self._targets: dict[Partition, int] = {}
        topics = {partition.topic for partition in source.partitions()}
        idle_ms = None if policy.idle_log_seconds is None else int(policy.idle_log_seconds * 1000)
        self._logs = [
            HourLog(bucket, registrar, topic, rules.limits.grace_ms, idle_ms)
            for topic in sorted(topics)
        ]
        self._logged_at = identity.clock()
        self._meter = meter or Meter()
        self._meter.budget(policy.budget)
        self._metered_at = 0.0
        self._alarm = SurgeAlarm(bucket, self._meter)

    def run(self, stop: threading.Event) -> None:
        """Land until `stop` is set, then land what is held."""
        while not stop.is_set():
            self._step()
        self._cut_all()
        self._write_log()

    def run_until_caught_up(self, stop: threading.Event) -> None:
        """Land until everything that the source holds now is on S3, and seal what can be."""
        self._targets = self._source.ends()
        while not stop.is_set() and not self._read_to_targets():
            self._step()
        self._cut_all()
        while not stop.is_set() and not self._complete_to_targets():
            self._step()
            self._cut_all()
        self._write_log()

    def _step(self) -> None:
        """Open and close lanes as the assignment has it, read once, cut what is due."""
        self._meter.step()
        self._follow_assignment()
        try:
            polled = self._source.poll(POLL_S)
        except RetentionOutran as outran:
            self._reopen(outran.partition)
            return
        for partition, batch in polled.items():
            lane = self._lanes.get(partition)
            if lane is not None:
                lane.add(batch)
        self._cut_due()
        self._tell_lanes()
        if self._identity.clock() - self._logged_at >= self._policy.log_seconds:
            self._write_log()

    def _tell_lanes(self) -> None:
        now = self._identity.clock()
        if now - self._metered_at >= METER_S:
            self._metered_at = now
            self._meter.lanes(lane.state() for lane in self._lanes.values())

    def _follow_assignment(self) -> None:
        assigned = self._source.assigned()
        for partition in self._lanes.keys() - assigned:
            del self._lanes[partition]
            log.info("partition_left", topic=partition.topic, partition=partition.number)
        for partition in sorted(assigned - self._lanes.keys()):
            self._open(partition)

    def _open(self, partition: Partition) -> None:
        """Open a lane. Where its topic is not there, or not yet, the next step tries again."""
        try:
            lane = Lane(
                self._source, self._bucket, self._rules, self._identity, partition, self._meter
            )
        except AnotherTopic:
            if self._targets.pop(partition, None) is not None:
                self._aim_again(partition)
            return
        self._meter.step()
        self._lanes[partition] = lane
        log.info("partition_opened", topic=partition.topic, partition=partition.number,
                 generation=lane.complete_to.generation, offset=lane.complete_to.offset)  # fmt: skip

    def _reopen(self, partition: Partition) -> None:
        lane = self._lanes.get(partition)
        if lane is not None:
            self._cut(lane)
            self._lanes.pop(partition, None)
            self._open(partition)
        if partition in self._lanes:
            self._lanes[partition].require_end(self._source.ends().get(partition, 0))

    def _drop(self, lane: Lane) -> None:
        """Give up what is held of a topic that is no more: nobody can land it any more."""
        log.error("topic_deleted", topic=lane.partition.topic, partition=lane.partition.number,
                  records_not_landed=lane.records, landed_to=lane.complete_to.offset)  # fmt: skip
        self._lanes.pop(lane.partition, None)
        if self._targets.pop(lane.partition, None) is not None:
            self._aim_again(lane.partition)

    def _aim_again(self, partition: Partition) -> None:
        """The offsets of a topic that was made again are others; one that is gone has none."""
        ends = self._source.ends()
        if partition in ends:
            self._targets[partition] = ends[partition]

    def _cut_due(self) -> None:
        policy, now = self._policy, self._identity.clock()
        for lane in list(self._lanes.values()):
            old = now - lane.opened_at >= policy.seconds
            if old or lane.bytes >= policy.bytes or lane.objects >= policy.objects:
                self._cut(lane)
        while sum(lane.held for lane in self._lanes.values()) > policy.budget:
            self._cut(max(self._lanes.values(), key=lambda lane: lane.held))

    def _cut_all(self) -> None:
        for lane in list(self._lanes.values()):
            self._cut(lane)

    def _cut(self, lane: Lane) -> None:
        began = self._identity.clock()
        try:
            landed = lane.cut()
        except AnotherTopic:
            self._drop(lane)
            return
        if landed is None:
            lane.opened_at = began
            return
        self.summary.cuts += 1
        self.summary.landed += landed.landed
        self.summary.quarantined += landed.quarantined
        self.summary.unclaimed += landed.unclaimed
        self.summary.objects += landed.objects
        self._meter.cut(landed.manifest, landed.object_bytes)
        log.info(
            "cut",
            topic=lane.partition.topic,
            partition=lane.partition.number,
            next=lane.complete_to.offset,
            records=landed.records,
            objects=landed.objects,
            quarantined=landed.quarantined,
            seconds=round(self._identity.clock() - began, 3),
        )
        self._alarm.look(landed.manifest, began)

    def _read_to_targets(self) -> bool:
        """Whether every lane was read to its target."""
        self._follow_assignment()
        return all(
            partition in self._lanes and self._lanes[partition].has_read_to(target)
            for partition, target in self._targets.items()
        )

    def _complete_to_targets(self) -> bool:
        return all(
            partition in self._lanes and self._lanes[partition].is_complete_to(target)
            for partition, target in self._targets.items()
        )

    def _write_log(self) -> None:
        """Write an entry for each topic that changed, after asking how far Kafka goes."""
        self._logged_at = self._identity.clock()
        asked_ms = int(self._logged_at * 1000)
        ends = self._source.ends()
        self._meter.ends({p: end for p, end in ends.items() if end != NEVER})
        for hour_log in self._logs:
            mine = [p for p in ends if p.topic == hour_log.topic]
            if not mine:
                log.warning("topic_missing", topic=hour_log.topic)
                continue
            progress = Progress(
                complete_to={p.number: self._complete_of(p) for p in mine},
                ends={p.number: ends[p] for p in mine},
                asked_ms=asked_ms,
                topic_id=self._source.topic_id(hour_log.topic) or "",
            )
            entry = hour_log.write(progress, self._identity.now_text)
            if entry is not None:
                sealed = sum(hour.sealed for hour in entry.hours)
                self.summary.hours_sealed += sealed
                log.info("hour_log", topic=entry.topic, sequence=entry.sequence,
                         hours=len(entry.hours), sealed=sealed)  # fmt: skip
                self._meter.hour_log(entry.topic, entry.sequence, hour_log.unsealed)

    def _complete_of(self, partition: Partition) -> Place:
        lane = self._lanes.get(partition)
        return lane.complete_to if lane else Place(0, 0)
