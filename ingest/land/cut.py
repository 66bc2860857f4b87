"""A cut under way: records of one partition, in offset order, to a manifest and its objects.

Comes in: batches as a source gives them. Goes out: `Cut`. Pure but for memory: the same records
and rules always give the same objects, whoever makes the cut, and when.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.headers import FILE, HOST, SEQUENCE
from ingest.land.manifest import Kind, LandedObject, Manifest, QuarantineObject, ReasonCount
from ingest.land.objects import Body, hour_words, quarantine_key, raw_key
from ingest.land.rules import Rules
from ingest.land.sequences import RUN_BYTES, SEQUENCE_DIGITS, Sequences
from ingest.land.sorter import Sorter
from ingest.land.source import Batch, Headers, Partition


@dataclass(frozen=True)
class Cut:
    """A manifest, and the body of each object that it lists."""

    manifest: Manifest
    bodies: dict[str, Body]
    """By key, raw and quarantine objects alike."""


class OpenCut:
    """Takes the records of one partition from offset `first` on."""

    def __init__(self, partition: Partition, first: int, rules: Rules, generation: int = 0) -> None:
        self.partition = partition
        self.generation = generation
        self.first = first
        self.next = first
        """The offset after the last record taken."""
        self.records = 0
        self._rules = rules
        self._sorter = Sorter(partition, rules)
        self._gaps: list[tuple[int, int]] = []
        self._producers: dict[tuple[bytes, bytes], Sequences] = {}
        self._runs_done = 0
        self._min_timestamp: int | None = None
        self._max_timestamp: int | None = None
        self._names: tuple[str, str] | None = None

    @property
    def min_timestamp(self) -> int | None:
        """The least of Kafka's timestamps among the records taken; None where there are none."""
        return self._min_timestamp

    @property
    def objects(self) -> int:
        """How many objects are open."""
        return len(self._sorter.landed) + len(self._sorter.aside)

    @property
    def bytes(self) -> int:
        """Uncompressed bytes of the open objects."""
        return self._sorter.bytes

    @property
    def held(self) -> int:
        """Bytes of memory that the cut holds, about."""
        return self._sorter.held + self._runs_done * RUN_BYTES

    def add(self, batch: Batch) -> None:
        """Take records; those before `next` (delivered again) are passed over."""
        if batch.names is not None:
            self._names = ((self._names or batch.names)[0], batch.names[1])
        fresh = batch.within(self.next, batch.offsets[-1] + 1)
        if fresh is None:
            return
        self._note_offsets(fresh.offsets)
        low, high = min(fresh.timestamps), max(fresh.timestamps)
        self._note_times(low, high)
        for headers in fresh.headers or ():
            if headers:
                self._note_producer(headers)
        self._sorter.take(fresh, low, high)

    def _note_offsets(self, offsets: Sequence[int]) -> None:
        self.records += len(offsets)
        first, last = offsets[0], offsets[-1]
        if first != self.next or last - first + 1 != len(offsets):
            for offset in offsets:
                if offset != self.next:
                    self._gaps.append((self.next, offset))
                self.next = offset + 1
        self.next = last + 1

    def _note_times(self, low: int, high: int) -> None:
        if self._min_timestamp is None or low < self._min_timestamp:
            self._min_timestamp = low
        if self._max_timestamp is None or high > self._max_timestamp:
            self._max_timestamp = high

    def _note_producer(self, headers: Headers) -> None:
        found = dict(headers)
        host, file, sequence = found.get(HOST), found.get(FILE), found.get(SEQUENCE)
        if host is None or file is None or sequence is None or not sequence.isdigit():
            return
        if len(sequence) > SEQUENCE_DIGITS:
            return
        number = int(sequence)
        seen = self._producers.get((host, file))
        if seen is None:
            self._producers[host, file] = Sequences(number)
        elif number == seen.next:
            seen.next += 1
        else:
            seen.restart(number)
            self._runs_done += 1

    def finish(self, reached: int, topic_id: str, lander: str, written_at: str) -> Cut:
        """End the cut at `reached`, which is `next` or later where only markers follow."""
        if reached > self.next:
            self._gaps.append((self.next, reached))
            self.next = reached
        objects, quarantine, bodies = self._finish_objects()
        manifest = Manifest(
            kind=Kind.CUT,
            topic=self.partition.topic,
            topic_id=topic_id,
            partition=self.partition.number,
            first=self.first,
            next=self.next,
            records=self.records,
            rules=self._rules.hash,
            lander=lander,
            written_at=written_at,
            min_timestamp=self._min_timestamp,
            max_timestamp=self._max_timestamp,
            gaps=tuple(self._gaps),
            generation=self.generation,
            objects=objects,
            quarantine=quarantine,
            source_first=self._names[0] if self._names else None,
            source_last=self._names[1] if self._names else None,
            reasons=tuple(
                ReasonCount(reason, data_type, count)
                for (reason, data_type), count in sorted(
                    self._sorter.reasons.items(), key=lambda item: (item[0][0], item[0][1] or "")
                )
            ),
            producers=tuple(
                self._producers[host, file].producer(_text(host), _text(file))
                for host, file in sorted(self._producers)
            ),
        )
        return Cut(manifest, bodies)

    def _finish_objects(
        self,
    ) -> tuple[tuple[LandedObject, ...], tuple[QuarantineObject, ...], dict[str, Body]]:
        topic, number = self.partition.topic, self.partition.number
        bodies: dict[str, Body] = {}
        landed: list[LandedObject] = []
        for (data_type, hour), held in sorted(self._sorter.landed.items()):
            key = raw_key(data_type, hour, topic, number, self.first, self.generation)
            body = bodies[key] = held.finish()
            landed.append(
                LandedObject(
                    key,
                    data_type,
                    *hour_words(hour),
                    body.records,
                    body.bytes,
                    body.late,
                    body.sha256,
                )
            )
        aside: list[QuarantineObject] = []
        for hour, held in sorted(self._sorter.aside.items()):
            key = quarantine_key(topic, hour, number, self.first, self.generation)
            body = bodies[key] = held.finish()
            aside.append(
                QuarantineObject(key, *hour_words(hour), body.records, body.bytes, body.sha256)
            )
        return tuple(landed), tuple(aside), bodies


def _text(value: bytes) -> str:
    return value.decode(errors="replace")
