"""The hour log on S3: read its end, follow the chains from there, write the next entry.

Comes in: the chains, and Kafka's ends. Goes out: entries, each written once, after Glue has every
hour and block that it names, and every version of these hours has the objects. Several landers may
write one log: who finds a number taken reads what stands there and goes on from it.
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
from ingest.land.manifest import Kind, LandedObject, Manifest, Place
from ingest.land.objects import ROOT
from ingest.land.source import Partition
from ingest.replay.entry import Replay
from ingest.replay.log import complete_since
from ingest.versions.arrivals import follow_versions, landed_checksums, whole_folder

log = structlog.get_logger()

TRIES = 20
"""How often a number may be taken before the next attempt is left to the next time."""


class Registrar(Protocol):
    """What Glue is to be told before an entry stands; `ingest.register` implements it."""

    def hours(self, hours: set[Hour]) -> int:
        """Raw partitions that hold data; how many were new."""

    def cuts(self, topic: str, partition: int) -> None:
        """A chain that has manifests."""

    def versions(self, folders: Mapping[Hour, str]) -> int:
        """Raw partitions of hours that have versions, with their folders; how many were new."""

    def replays(self, topic: str) -> None:
        """A topic that has replays."""

    def block(self, topic: str, block: int) -> None:
        """A block of the hour log."""

    def quarantine(self, topic: str, dt: str, hour: str) -> None:
        """An hour of a topic that has quarantined records."""


@dataclass(frozen=True)
class Progress:
    """What is known of a topic's partitions when an entry is to be written."""

    complete_to: Mapping[int, Place]
    """Places up to which this lander itself wrote or checked every object."""
    ends: Mapping[int, int]
    """Kafka's ends, asked at `asked_ms`."""
    asked_ms: int
    topic_id: str = ""
    """The topic's id, asked after `ends`; empty where the source has none."""


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

    @property
    def unsealed(self) -> int:
        """How many hours are not sealed yet, as far as the log was read."""
        return len(self._ledger.unsealed) if self._ledger else 0

    def write(self, progress: Progress, written_at: Callable[[], str]) -> Entry | None:
        """Write an entry for what changed since the last; None where nothing did.

        `progress` names every partition of the topic. One that only the log names was of a topic
        that was made again with fewer: nothing more comes there.
        """
        for _ in range(TRIES):
            ledger = self._follow()
            manifests = {
                number: self._complete(ledger, number, progress)
                for number in sorted(progress.complete_to.keys() | ledger.open())
            }
            idle = {
                number
                for number, cuts in manifests.items()
                if number not in progress.ends or _read_to_end(ledger, number, cuts, progress)
            }
            replays = complete_since(self._bucket, self.topic, ledger.replays)
            entry = ledger.next_entry(
                manifests,
                idle,
                progress.asked_ms,
                self._grace_ms,
                written_at(),
                replays,
                self._idle_ms,
            )
            if entry is None:
                return None
            self._register(entry, manifests, replays)
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
        partition, known = Partition(self.topic, number), ledger.place(number)
        found = manifests_since(self._bucket, partition, known.offset, known.generation)
        if not found or found[-1].ends <= progress.complete_to.get(number, Place(0, 0)):
            return found
        if found[-1].kind is Kind.LOST_OBJECTS:
            return found
        promised = {held.key: held.sha256 for held in found[-1].everything}
        written = landed_checksums(self._bucket, found[-1].everything)
        return found if written == promised else found[:-1]

    def _register(
        self, entry: Entry, manifests: Mapping[int, list[Manifest]], replays: list[Replay]
    ) -> None:
        cuts = [cut for found in manifests.values() for cut in found]
        landed = [held for cut in cuts for held in cut.objects]
        self._register_hours(landed + [held for replay in replays for held in replay.objects])
        if replays:
            self._registrar.replays(self.topic)
        for cut in cuts:
            self._registrar.cuts(self.topic, cut.partition)
            for aside in cut.quarantine:
                self._registrar.quarantine(self.topic, aside.dt, aside.hour)
        self._registrar.block(self.topic, entry.sequence // BLOCK)

    def _register_hours(self, landed: list[LandedObject]) -> None:
        """Let readers find the hours of objects that were just written, in all their versions."""
        hours = {hour_of(held) for held in landed}
        known = follow_versions(self._bucket, landed)
        self._registrar.hours(hours - known.keys())
        if known:
            folders = {hour: whole_folder(self._bucket, past) for hour, past in known.items()}
            self._registrar.versions(folders)

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
    """What a topic's log says now. Reads one block."""
    ledger = _load(bucket, topic)
    _follow(bucket, ledger)
    return ledger


def uncounted(bucket: Bucket, ledger: Ledger) -> list[Manifest]:
    """The manifests after what the log covers, of all partitions that have a chain."""
    numbers = sorted(map(int, bucket.folders(f"{ROOT}/_cuts/{ledger.topic}/")))
    places = {number: ledger.place(number) for number in numbers}
    return [
        cut
        for number, place in places.items()
        for cut in manifests_since(
            bucket, Partition(ledger.topic, number), place.offset, place.generation
        )
    ]


def _follow(bucket: Bucket, ledger: Ledger) -> None:
    """Take the entries that were written since."""
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


def _read_to_end(ledger: Ledger, number: int, cuts: list[Manifest], progress: Progress) -> bool:
    """Whether the chain has all that Kafka held of a partition, of the topic as it is now."""
    reached, topic_id = ledger.offsets.get(number, 0), ledger.topic_ids.get(number, "")
    if cuts:
        reached, topic_id = cuts[-1].next, cuts[-1].topic_id
    if topic_id and progress.topic_id and topic_id != progress.topic_id:
        reached = 0
    return reached >= progress.ends[number]
