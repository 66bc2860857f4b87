"""A lane: one partition on its way from the source to S3, cut after cut.

Comes in: records. Goes out: cuts, by the protocol of docs/ingest.md: claim the manifest, write the
objects, acknowledge. Where another lander was first, its cut is completed and the lane goes on
behind it. So a lane may be killed, paused or doubled at any point.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog

from datacore.errors import UsageError
from ingest.land.bucket import Bucket
from ingest.land.chain import Chain
from ingest.land.cut import Cut, OpenCut
from ingest.land.manifest import Kind, Manifest
from ingest.land.rules import Rules
from ingest.land.source import Batch, Hint, Mark, Partition, Source

log = structlog.get_logger()


@dataclass(frozen=True)
class Landed:
    """What one completed cut of this process brought."""

    records: int
    landed: int
    quarantined: int
    unclaimed: int
    objects: int


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
    """One open partition. Opening reads the chain, completes its end and seeks there."""

    def __init__(
        self,
        source: Source,
        bucket: Bucket,
        rules: Rules,
        identity: LanderIdentity,
        partition: Partition,
    ) -> None:
        self.partition = partition
        self._source = source
        self._bucket = bucket
        self._rules = rules
        self._identity = identity
        self._topic_id = source.topic_id(partition.topic)
        self._chain = Chain(bucket, source, partition)
        self.closed = False
        """The chain says that nothing can follow."""
        mark = self._recover()
        self.complete_to = mark.offset
        """Below this offset every object is on S3."""
        self._begin(mark)

    def _begin(self, mark: Mark) -> None:
        self._mark = mark
        self._open = OpenCut(self.partition, mark.offset, self._rules)
        self.opened_at = self._identity.clock()
        if not self.closed:
            self._source.seek(self.partition, mark)

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

    def add(self, batch: Batch) -> None:
        """Take the records that the source delivered next."""
        if not self._open.records:
            self.opened_at = self._identity.clock()
        self._open.add(batch)

    def position(self) -> int:
        """How far the source was read, markers at the end included."""
        if self.closed:
            return self._open.next
        return max(self._open.next, self._source.position(self.partition))

    def cut(self) -> Landed | None:
        """Land what is held; None where there was nothing, or another lander was first."""
        reached = self.position()
        if reached <= self._open.first:
            self._close_if_ended()
            return None
        cut = self._open.finish(
            reached, self._topic_id, self._identity.name, self._identity.now_text()
        )
        standing = self._chain.claim(cut.manifest)
        if standing != cut.manifest:
            self._adopt(standing)
            return None
        self._bucket.put_bodies(cut.bodies)
        self._completed(standing)
        self._begin(standing.mark)
        self._close_if_ended()
        return _landed(cut)

    def _close_if_ended(self) -> None:
        """Close the chain of a partition that is landed to its end and takes no more records."""
        if self.closed or not self._source.closed(self.partition):
            return
        end = self._empty(self._mark.offset)
        standing = self._chain.claim(replace(end, kind=Kind.CLOSED, source_last=self._mark.after))
        if standing.kind is Kind.CLOSED:
            self.closed = True
            log.info("partition_closed", topic=self.partition.topic,
                     partition=self.partition.number, offset=standing.next)  # fmt: skip
        else:
            self._adopt(standing)

    def _adopt(self, standing: Manifest) -> None:
        log.info("cut_adopted", key=standing.key, lander=standing.lander, next=standing.next)
        self._complete(standing)
        self._completed(standing)
        self.closed = standing.kind is Kind.CLOSED
        self._begin(standing.mark)

    def _complete(self, manifest: Manifest) -> None:
        note = self._chain.complete(manifest)
        if note is not None:
            log.error("objects_lost", key=note.key, records=note.records)

    def _completed(self, manifest: Manifest) -> None:
        self.complete_to = manifest.next
        self._source.acknowledge(self.partition, Hint(manifest.first, manifest.next))

    def _recover(self) -> Mark:
        """The end of the chain, its last cut completed and what the source dropped recorded."""
        self._chain.keep_rules(self._rules)
        hint = self._source.hint(self.partition)
        last = self._chain.last(hint)
        if last is not None:
            self._refuse_another_topic(last)
            if hint is None or hint.next < last.next:
                self._complete(last)
        mark = last.mark if last else Mark(0)
        self.closed = last is not None and last.kind is Kind.CLOSED
        while not self.closed and (on := self._source.dropped(self.partition, mark)) is not None:
            standing = self._chain.claim(self._lost(mark, on))
            if standing.kind is Kind.LOST:
                log.error("range_lost", topic=self.partition.topic, partition=self.partition.number,
                          first=standing.first, next=standing.next,
                          extent="unknown" if standing.extent_unknown else "known",
                          after=standing.source_first, before=standing.source_last)  # fmt: skip
            else:
                self._complete(standing)
            self.closed = standing.kind is Kind.CLOSED
            mark = standing.mark
        return mark

    def _refuse_another_topic(self, last: Manifest) -> None:
        if last.topic_id and self._topic_id and last.topic_id != self._topic_id:
            raise UsageError(
                f"topic {self.partition.topic!r} was deleted and made again: the chain on S3 "
                f"(partition {self.partition.number}, up to offset {last.next}) is of the earlier one",
                "give the new topic another name; its offsets begin at 0 again",
            )

    def _lost(self, mark: Mark, on: Mark) -> Manifest:
        return replace(
            self._empty(mark.offset, on.offset),
            kind=Kind.LOST,
            gaps=(),
            source_first=mark.after or mark.at,
            source_last=on.at,
            extent_unknown=on.extent_unknown,
        )

    def _empty(self, first: int, next_: int | None = None) -> Manifest:
        """A manifest of [first, next_) without records."""
        name, now = self._identity.name, self._identity.now_text()
        empty = OpenCut(self.partition, first, self._rules)
        return empty.finish(first if next_ is None else next_, self._topic_id, name, now).manifest


def _landed(cut: Cut) -> Landed:
    manifest = cut.manifest
    unclaimed = sum(o.records for o in manifest.objects if o.data_type == "unclaimed")
    return Landed(
        records=manifest.records,
        landed=sum(o.records for o in manifest.objects) - unclaimed,
        quarantined=sum(o.records for o in manifest.quarantine),
        unclaimed=unclaimed,
        objects=len(cut.bodies),
    )
