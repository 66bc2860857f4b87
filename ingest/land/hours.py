"""The hour log on S3: read its end, follow the chains from there, write the next entry.

Comes in: the chains, and Kafka's ends. Goes out: entries, each written once, after Glue has every
hour and block that it names. Several landers may write one log: who finds a number taken reads
what stands there and goes on from it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog

from ingest.land.bucket import Bucket
from ingest.land.chain import manifests_since
from ingest.land.hourlog import (
    BLOCK,
    Entry,
    Hour,
    Ledger,
    block_prefix,
    hour_of,
    log_prefix,
    read_entry,
    totals_key,
)
from ingest.land.manifest import Kind, Manifest
from ingest.land.source import Partition

log = structlog.get_logger()

TRIES = 20
"""How often a number may be taken before the next attempt is left to the next time."""


class Registrar(Protocol):
    """What Glue is to be told before an entry stands; `ingest.register` implements it."""

    def hours(self, hours: set[Hour]) -> int:
        """Raw partitions that hold data; how many were new."""

    def cuts(self, topic: str, partition: int) -> None:
        """A chain that has manifests."""

    def block(self, topic: str, block: int) -> None:
        """A block of the hour log."""

    def quarantine(self, topic: str, dt: str, hour: str) -> None:
        """An hour of a topic that has quarantined records."""


@dataclass(frozen=True)
class Progress:
    """What is known of a topic's partitions when an entry is to be written."""

    complete_to: Mapping[int, int]
    """Offsets up to which this lander itself wrote or checked every object."""
    ends: Mapping[int, int]
    """Kafka's ends, asked at `asked_ms`."""
    asked_ms: int


class HourLog:
    """The hour log of one topic."""

    def __init__(
        self,
        bucket: Bucket,
        registrar: Registrar,
        topic: str,
        grace_ms: int,
        idle_ms: int | None = None,
    ) -> None:
        self.topic = topic
        self._idle_ms = idle_ms
        self._bucket = bucket
        self._registrar = registrar
        self._grace_ms = grace_ms
        self._ledger: Ledger | None = None

    def write(self, progress: Progress, written_at: Callable[[], str]) -> Entry | None:
        """Write an entry for what changed since the last; None where nothing did.

        `progress` names every partition of the topic.
        """
        for _ in range(TRIES):
            ledger = self._follow()
            manifests = {
                number: self._complete(ledger, number, progress) for number in progress.complete_to
            }
            idle = {
                number: progress.asked_ms
                for number, cuts in manifests.items()
                if _reached(cuts, ledger.offsets.get(number, 0)) >= progress.ends[number]
            }
            entry = ledger.next_entry(manifests, idle, self._grace_ms, written_at(), self._idle_ms)
            if entry is None:
                return None
            self._register(entry, manifests)
            if self._put(entry, ledger):
                ledger.apply(entry)
                return entry
        log.warning("hour_log_contended", topic=self.topic)
        return None

    def _complete(self, ledger: Ledger, number: int, progress: Progress) -> list[Manifest]:
        """The manifests after the log's offset whose objects are all on S3.

        One that has a successor is complete by the protocol; the last is asked of this lander's
        own knowledge, else of S3.
        """
        partition = Partition(self.topic, number)
        found = manifests_since(self._bucket, partition, ledger.offsets.get(number, 0))
        if not found or found[-1].next <= progress.complete_to[number]:
            return found
        if found[-1].kind is Kind.LOST_OBJECTS:
            return found
        keys = [held.key for held in found[-1].everything]
        if None in self._bucket.checksums(keys).values():
            return [cut for cut in found if cut.first < found[-1].first]
        return found

    def _register(self, entry: Entry, manifests: Mapping[int, list[Manifest]]) -> None:
        cuts = [cut for found in manifests.values() for cut in found]
        self._registrar.hours({hour_of(landed) for cut in cuts for landed in cut.objects})
        for cut in cuts:
            self._registrar.cuts(self.topic, cut.partition)
            for aside in cut.quarantine:
                self._registrar.quarantine(self.topic, aside.dt, aside.hour)
        self._registrar.block(self.topic, entry.sequence // BLOCK)

    def _put(self, entry: Entry, ledger: Ledger) -> bool:
        if entry.sequence % BLOCK == 0 and entry.sequence:
            key = totals_key(self.topic, entry.sequence // BLOCK)
            self._bucket.put_new(key, ledger.snapshot())
        return self._bucket.put_new(entry.key, entry.to_json())

    def _follow(self) -> Ledger:
        """The ledger as the log on S3 has it now."""
        if self._ledger is None:
            self._ledger = _load(self._bucket, self.topic)
        _follow(self._bucket, self._ledger)
        return self._ledger


def read_ledger(bucket: Bucket, topic: str) -> Ledger:
    """What the log of `topic` says now."""
    ledger = _load(bucket, topic)
    _follow(bucket, ledger)
    return ledger


def _follow(bucket: Bucket, ledger: Ledger) -> None:
    """Apply the entries that were written since."""
    while True:
        block = (ledger.sequence + 1) // BLOCK
        prefix = block_prefix(ledger.topic, block)
        keys = list(bucket.keys(prefix, f"{prefix}{ledger.sequence:020}.json"))
        keys = [key for key in keys if not key.endswith("_totals.json")]
        for key, data in zip(keys, bucket.get_all(keys), strict=True):
            ledger.apply(read_entry(key, data))
        if (ledger.sequence + 1) // BLOCK == block:
            return


def _load(bucket: Bucket, topic: str) -> Ledger:
    """The ledger before the last block."""
    ledger = Ledger(topic)
    blocks = [int(name) for name in bucket.folders(log_prefix(topic))]
    if not blocks or max(blocks) == 0:
        return ledger
    key = totals_key(topic, max(blocks))
    data = next(bucket.get_all([key]))
    before = read_entry(key, data)
    ledger.sequence = before.sequence - 1
    ledger.apply(before)
    return ledger


def _reached(cuts: list[Manifest], before: int) -> int:
    return cuts[-1].next if cuts else before
