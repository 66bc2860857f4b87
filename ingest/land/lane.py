"""A lane: one partition on its way from the source to S3, cut after cut.

Comes in: records. Goes out: cuts, by the protocol of docs/ingest.md: claim the manifest, write the
objects, acknowledge. Where another lander was first, its cut is completed and the lane goes on
behind it. So a lane may be killed, paused or doubled at any point. A lane is of one topic: where
that was deleted and made again, the lane ends, and another one opens the next generation.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog

from datacore.errors import DifferenceFound
from ingest.land.bucket import Bucket
from ingest.land.chain import Chain, hint_of
from ingest.land.cut import Cut, OpenCut
from ingest.land.manifest import Kind, Manifest, Place
from ingest.land.rules import Rules
from ingest.land.source import AnotherTopic, Batch, Mark, Partition, Source
from ingest.meter import LaneState, Meter

log = structlog.get_logger()

UNDER_WAY_S = 10.0
"""How long a cut of a topic that is no more may still be written by who claimed it; then what is
missing of it is lost. Not what correctness rests on: it only spares lines that are still held."""


@dataclass(frozen=True)
class Landed:
    """What one completed cut of this process brought."""

    records: int
    landed: int
    quarantined: int
    unclaimed: int
    objects: int
    manifest: Manifest
    object_bytes: tuple[int, ...]
    """Sizes of the objects as stored."""


@dataclass(frozen=True)
class LanderIdentity:
    """Who writes manifests, and the clock (seconds since 1970)."""

    name: str
    clock: Callable[[], float]

    def now_text(self) -> str:
        """The time as manifests and entries have it."""
        return iso_time(self.clock())


def iso_time(seconds: float) -> str:
    """ISO 8601, UTC, milliseconds."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


class Lane:
    """One open partition. Opening reads the chain, completes its end and seeks there.

    Opening and `cut` raise AnotherTopic where the topic is gone, or is another one by now.
    """

    def __init__(
        self,
        source: Source,
        bucket: Bucket,
        rules: Rules,
        identity: LanderIdentity,
        partition: Partition,
        meter: Meter | None = None,
    ) -> None:
        self.partition = partition
        self._meter = meter or Meter()
        self._source = source
        self._bucket = bucket
        self._rules = rules
        self._identity = identity
        self._chain = Chain(bucket, source, partition)
        self._topic_id = ""
        self._closed = False
        """The chain says that nothing can follow."""
        self.complete_to, mark = self._recover()
        """Below this place every object is on S3."""
        self._begin(self.complete_to, mark)

    def _begin(self, place: Place, mark: Mark) -> None:
        self._mark = mark
        self._open = OpenCut(self.partition, place.offset, self._rules, place.generation)
        self.opened_at = self._identity.clock()
        if not self._closed:
            self._source.seek(self.partition, mark)

    @property
    def records(self) -> int:
        """Records that the open cut holds."""
        return self._open.records

    @property
    def held(self) -> int:
        """Bytes of memory that the open cut holds, about."""
        return self._open.held

    @property
    def bytes(self) -> int:
        """Uncompressed bytes of the open cut."""
        return self._open.bytes

    @property
    def objects(self) -> int:
        """Objects that the open cut would make."""
        return self._open.objects

    def state(self) -> LaneState:
        """How far the lane is, for the meter."""
        waits = self._open.records > 0
        return LaneState(
            partition=self.partition,
            complete_to=self.complete_to.offset,
            read_to=self._open.next,
            held=self.held,
            opened_at=self.opened_at if waits else None,
            oldest_ms=self._open.min_timestamp,
        )

    def add(self, batch: Batch) -> None:
        """Take the records that the source delivered next."""
        if not self._open.records:
            self.opened_at = self._identity.clock()
        self._open.add(batch)

    def position(self) -> int:
        """How far the source was read, markers at the end included."""
        if self._closed:
            return self._open.next
        return max(self._open.next, self._source.position(self.partition))

    def has_read_to(self, end: int) -> bool:
        """Whether the source was read to `end`, or has no more to give."""
        return self._closed or self.position() >= end

    def is_complete_to(self, end: int) -> bool:
        """Whether all below `end` is on S3, or nothing more can come."""
        return self._closed or self.complete_to.offset >= end

    def require_end(self, end: int) -> None:
        """Raise DifferenceFound where the source ends, at `end`, before what was landed."""
        first = self._open.first
        if end < first and not self._is_another(self._source.topic_id(self.partition.topic)):
            raise DifferenceFound(
                f"{self.partition.topic}-{self.partition.number} ends at offset {end}, and "
                f"was landed up to {first}: the topic lost acknowledged records",
                "see docs/ingest.md, “When a cut differs”",
            )

    def cut(self) -> Landed | None:
        """Land what is held; None where there was nothing, or another lander was first.

        The topic's id is asked after everything was polled and before the claim. An id that was
        lost never comes back; so if it is still this lane's, all that is held is of its topic.
        """
        reached = self.position()
        if reached <= self._open.first:
            self._close_if_ended()
            return None
        if self._is_another(self._source.topic_id(self.partition.topic)):
            raise AnotherTopic(self.partition)
        cut = self._open.finish(
            reached, self._topic_id, self._identity.name, self._identity.now_text()
        )
        standing = self._chain.claim(cut.manifest)
        if standing != cut.manifest:
            self._adopt(standing)
            return None
        if not self._bucket.put_bodies(cut.bodies):
            self._complete(standing)
        self._completed(standing)
        self._begin(standing.ends, standing.mark)
        self._close_if_ended()
        return _landed(cut)

    def _close_if_ended(self) -> None:
        """Close the chain of a partition that is landed to its end and takes no more records."""
        if self._closed or not self._source.closed(self.partition):
            return
        closing = self._without_records(self.complete_to, self._mark.offset, Kind.CLOSED)
        standing = self._chain.claim(replace(closing, source_last=self._mark.after))
        self._closed = standing.kind is Kind.CLOSED
        if not self._closed:
            self._adopt(standing)
            return
        log.info("partition_closed", topic=self.partition.topic,
                 partition=self.partition.number, offset=standing.next)  # fmt: skip

    def _is_another(self, topic_id: str | None) -> bool:
        return topic_id is None or bool(topic_id and self._topic_id and topic_id != self._topic_id)

    def _adopt(self, standing: Manifest) -> None:
        if standing.kind is Kind.END or self._is_another(standing.topic_id):
            raise AnotherTopic(self.partition)
        log.info("cut_adopted", key=standing.key, lander=standing.lander, next=standing.next)
        self._meter.adopted(self.partition)
        self._complete(standing)
        self._completed(standing)
        self._closed = standing.kind is Kind.CLOSED
        self._begin(standing.ends, standing.mark)

    def _complete(self, manifest: Manifest) -> None:
        note = self._chain.complete(manifest)
        if note is not None:
            log.error("objects_lost", key=note.key, records=note.records)
            self._meter.lost(self.partition.topic, note.records)

    def _completed(self, manifest: Manifest) -> None:
        self.complete_to = manifest.ends
        self._source.acknowledge(self.partition, hint_of(manifest))

    def _recover(self) -> tuple[Place, Mark]:
        """The end of the chain, its last cut completed and what the source dropped recorded."""
        self._chain.keep_rules(self._rules)
        while True:
            hint = self._source.hint(self.partition)
            last = self._chain.last(hint)
            # Asked after the chain was read: who wrote its end had asked before, so an id that
            # differs is a later one.
            topic_id = self._source.topic_id(self.partition.topic)
            if topic_id is None:
                raise AnotherTopic(self.partition)
            self._topic_id = topic_id
            self._closed = False
            if last is None:
                end = Place(0, 0), Mark(0)
            elif last.kind is not Kind.END and not self._is_another(last.topic_id):
                if hint != hint_of(last):
                    self._complete(last)
                    self._source.acknowledge(self.partition, hint_of(last))
                self._closed = last.kind is Kind.CLOSED
                end = last.ends, last.mark
            else:
                begun = self._begin_generation(last)
                if isinstance(begun, Manifest):
                    continue
                end = begun
            recorded = self._record_lost(*end)
            if recorded is not None:
                return recorded

    def _begin_generation(self, last: Manifest) -> tuple[Place, Mark] | Manifest:
        """Close the chain of a topic that is no more; where the next generation begins."""
        if self._chain.missing(last):
            age = self._identity.clock() - datetime.fromisoformat(last.written_at).timestamp()
            if age < UNDER_WAY_S:
                raise AnotherTopic(self.partition)
            self._complete(last)
        closing = self._without_records(last.ends, last.next, Kind.END)
        begun = self._chain.begin_after(
            last, replace(closing, topic_id=last.topic_id), self._topic_id
        )
        if not isinstance(begun, Manifest):
            log.error("topic_made_again", topic=self.partition.topic, generation=begun[0].generation,
                      partition=self.partition.number, landed_to=last.next)  # fmt: skip
        return begun

    def _record_lost(self, end: Place, mark: Mark) -> tuple[Place, Mark] | None:
        """Record what the source dropped unread; None where the chain must be read anew."""
        while not self._closed and (on := self._source.dropped(self.partition, mark)) is not None:
            standing = self._chain.claim(self._lost(end, mark, on))
            if standing.kind is Kind.END or self._is_another(standing.topic_id):
                return None
            if standing.kind is Kind.LOST:
                log.error("range_lost", topic=self.partition.topic, partition=self.partition.number,
                          first=standing.first, next=standing.next,
                          extent="unknown" if standing.extent_unknown else "known",
                          after=standing.source_first, before=standing.source_last)  # fmt: skip
                self._meter.lost(self.partition.topic, standing.next - standing.first)
            else:
                self._complete(standing)
            self._closed = standing.kind is Kind.CLOSED
            end, mark = standing.ends, standing.mark
        return end, mark

    def _lost(self, end: Place, mark: Mark, on: Mark) -> Manifest:
        return replace(
            self._without_records(end, on.offset, Kind.LOST),
            source_first=mark.after or mark.at,
            source_last=on.at,
            extent_unknown=on.extent_unknown,
        )

    def _without_records(self, place: Place, next_: int, kind: Kind) -> Manifest:
        empty = OpenCut(self.partition, place.offset, self._rules, place.generation)
        name, now = self._identity.name, self._identity.now_text()
        manifest = empty.finish(next_, self._topic_id, name, now).manifest
        return replace(manifest, kind=kind, gaps=())


def _landed(cut: Cut) -> Landed:
    manifest = cut.manifest
    unclaimed = sum(o.records for o in manifest.objects if o.data_type == "unclaimed")
    return Landed(
        records=manifest.records,
        landed=sum(o.records for o in manifest.objects) - unclaimed,
        quarantined=sum(o.records for o in manifest.quarantine),
        unclaimed=unclaimed,
        objects=len(cut.bodies),
        manifest=manifest,
        object_bytes=tuple(len(body.data) for body in cut.bodies.values()),
    )
