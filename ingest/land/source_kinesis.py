"""Kinesis Data Streams as a source: a stream is a topic, a shard a partition, a line an offset.

Comes in: streams, and what S3 says of their chains. Goes out: batches, marks and ends. Offsets count a
shard's lines as the chain holds them; docs/kinesis.md says why all landers count alike. All landers
read all shards unless each is given its share; they meet at the manifests. Nothing is kept in Kinesis
or anywhere else: hints live as long as the process.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from datacore.errors import UsageError
from ingest import streams as kinesis_streams
from ingest.land.hourlog import CLOSED
from ingest.land.kinesis_range import Span, read_again
from ingest.land.kinesis_shard import ShardReader
from ingest.land.source import NEVER, Batch, Hint, Mark, Partition, RetentionOutran
from ingest.streams import Stream

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

READERS = 8
"""Shards that are asked at the same time."""
NEAR_S = 60.0
"""A shard that is further behind than this cannot be read to its tip at once."""


@dataclass(frozen=True)
class Share:
    """Of `count` landers the one that reads every shard whose number leaves the rest `index`."""

    index: int = 0
    count: int = 1

    def has(self, number: int) -> bool:
        """Whether the shard is its to read."""
        return number % self.count == self.index


@dataclass(frozen=True)
class Known:
    """What S3 says of a topic's chains when a lander starts."""

    watermarks: Mapping[int, int] = field(default_factory=dict)
    """By the hour log: landed is all that arrived before this, ms since 1970."""
    chains: frozenset[int] = frozenset()
    """Shards that have a chain."""


class Ends(dict[Partition, int]):
    """The answer to `KinesisSource.ends`, filled in as the shards are read that far."""

    __slots__ = ("__weakref__", "asked_at")

    def __init__(self, asked_at: float, partitions: Iterable[Partition]) -> None:
        super().__init__(dict.fromkeys(partitions, NEVER))
        self.asked_at = asked_at


class KinesisSource:
    """Implements `ingest.land.source.Source`. For one thread."""

    def __init__(
        self,
        client: "KinesisClient",
        known: Mapping[str, Known],
        share: Share | None = None,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._known = known
        self._share = share or Share()
        self._clock = clock
        self._pause = pause
        self._streams: dict[str, Stream] = {}
        self._readers: dict[Partition, ShardReader] = {}
        self._hints: dict[Partition, Hint] = {}
        self._described_at: dict[str, float] = {}
        self._orphans: set[Partition] = set()
        """Partitions of a stream that is no more, whose lander does not know it yet."""
        self._fetched_at = 0.0
        self._open_ends: WeakValueDictionary[int, Ends] = WeakValueDictionary()
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="kinesis")
        for name in known:
            self._refresh(name)

    def _refresh(self, topic: str) -> None:
        """Ask which shards there are: some may have been split or merged, some expired."""
        asked_at = time.monotonic()
        stream = kinesis_streams.describe(self._client, topic)
        if stream is None:
            raise kinesis_streams.missing_stream(topic)
        self._described_at[topic] = asked_at
        before = self._streams.get(topic)
        first_time = before is None or before.id != stream.id
        if before is not None and first_time:
            self._forget(topic)
        self._streams[topic] = stream
        listed = kinesis_streams.shards(self._client, topic)
        known, now = self._known[topic], self._clock()
        for shard in listed.values():
            # one that came into being while we watch, or whose parent is still listed, is younger
            # than the retention
            whole = (
                not first_time
                or now - stream.created_at < stream.retention_s
                or any(parent in listed for parent in shard.parents)
            )
            self._add(Partition(topic, shard.number), stream, whole)
        if first_time:
            for number in known.chains - listed.keys():
                # it expired while nobody landed: what was lost of it is still to be told
                if known.watermarks.get(number) != CLOSED:
                    self._add(Partition(topic, number), stream, whole=False)

    def _forget(self, topic: str) -> None:
        """The stream was made again: nothing that is known of it holds any more."""
        old = {p for p in self._readers if p.topic == topic}
        self._orphans |= {p for p in old if self._readers[p].sought}
        self._readers = {p: r for p, r in self._readers.items() if p not in old}
        self._known = {**self._known, topic: Known()}

    def _add(self, partition: Partition, stream: Stream, whole: bool) -> None:
        if partition in self._readers:
            self._readers[partition].stream = stream
            return
        mark = self._known[partition.topic].watermarks.get(partition.number, 0)
        self._readers[partition] = ShardReader(
            self._client, stream, partition, mark / 1000, whole, self._clock, self._pause
        )

    def topic_id(self, topic: str) -> str | None:
        """Asked anew where anything was read since it was asked last."""
        if self._described_at[topic] > self._fetched_at:
            return self._streams[topic].id
        asked_at = time.monotonic()
        stream = kinesis_streams.describe(self._client, topic)
        if stream is None:
            return None
        if stream.id != self._streams[topic].id:
            self._refresh(topic)
        self._described_at[topic] = asked_at
        return stream.id

    def partitions(self) -> tuple[Partition, ...]:
        return tuple(sorted(self._readers))

    def assigned(self) -> frozenset[Partition]:
        return frozenset(p for p in self._readers if self._share.has(p.number))

    def poll(self, seconds: float) -> dict[Partition, Batch]:
        deadline = time.monotonic() + seconds
        while self._orphans:
            if (partition := self._orphans.pop()) in self._readers:
                raise RetentionOutran(partition)
        while True:
            now = time.monotonic()
            open_ = [r for r in self._readers.values() if _open(r)]
            due = sorted((r for r in open_ if r.due_at <= now), key=lambda r: r.due_at)
            self._fetch(due[:READERS])
            for partition, reader in self._readers.items():
                if reader.lost is not None:
                    raise RetentionOutran(partition)
            found = {p: batch for p, r in self._readers.items() if (batch := r.take()) is not None}
            until = min((r.due_at for r in open_), default=deadline)
            if found or time.monotonic() >= deadline:
                return found
            self._pause(max(0.0, min(deadline, until) - time.monotonic()))

    def _fetch(self, readers: Sequence[ShardReader]) -> None:
        """Ask these shards at the same time; the first error is raised when all have answered."""
        futures = [self._pool.submit(reader.fetch) for reader in readers]
        wait(futures)
        self._fetched_at = time.monotonic()
        for future in futures:
            future.result()
        for topic in {r.partition.topic for r in readers if r.at_end}:
            self._refresh(topic)  # its children
        self._settle()

    def _settle(self) -> None:
        for ends in list(self._open_ends.values()):
            for partition, end in ends.items():
                reader = self._readers.get(partition)
                if end != NEVER or reader is None or not reader.proven:
                    continue
                if reader.at_end or reader.seen_to >= ends.asked_at:
                    ends[partition] = reader.read_to
            if NEVER not in ends.values():
                del self._open_ends[id(ends)]

    def seek(self, partition: Partition, mark: Mark) -> None:
        self._readers[partition].seek(mark)

    def position(self, partition: Partition) -> int:
        return self._readers[partition].mark.offset

    def dropped(self, partition: Partition, mark: Mark) -> Mark | None:
        reader = self._readers[partition]
        reader.seek(mark)
        try:
            return reader.prove()
        finally:
            self._fetched_at = time.monotonic()

    def closed(self, partition: Partition) -> bool:
        reader = self._readers.get(partition)
        return reader is not None and reader.at_end and reader.batch is None

    def ends(self) -> dict[Partition, int]:
        asked_at = self._clock()
        for topic in self._streams:
            self._refresh(topic)
        ends = Ends(asked_at, self._readers)
        self._open_ends[id(ends)] = ends
        near = [r for r in self._readers.values() if _open(r) and r.behind < NEAR_S]
        for at in range(0, len(near), READERS):
            self._fetch(near[at : at + READERS])
        for partition in self._readers:
            ends.setdefault(partition, NEVER)
        return ends

    def hint(self, partition: Partition) -> Hint | None:
        return self._hints.get(partition)

    def acknowledge(self, partition: Partition, hint: Hint) -> None:
        self._hints[partition] = hint

    def read(
        self, partition: Partition, first: int, next_: int, names: tuple[str, str] | None = None
    ) -> Iterator[Batch]:
        if names is None:
            raise UsageError(
                f"the cut at offset {first} of {partition.topic}-{partition.number} names no "
                "sequence numbers",
                "it is not of a stream; give --source kafka, or the stream another name",
            )
        span = Span(self._client, self._streams[partition.topic], partition, self._pause)
        return read_again(span, first, next_, names)

    def close(self) -> None:
        self._pool.shutdown()
        self._client.close()


def _open(reader: ShardReader) -> bool:
    """Whether there is anything to ask of the shard."""
    return reader.sought and not reader.at_end and reader.batch is None and reader.lost is None
