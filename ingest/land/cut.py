"""A cut under way: records of one partition, in offset order, to a manifest and its objects.

Comes in: batches as a source gives them. Goes out: `Cut`. Pure but for memory: the same records
and rules always give the same objects, whoever makes the cut, and when.
"""

import base64
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import repeat

import msgspec

from ingest.headers import FILE, HOST, SEQUENCE, TOO_LARGE
from ingest.land.event_time import MS_PER_HOUR
from ingest.land.manifest import (
    Kind,
    LandedObject,
    Manifest,
    Producer,
    QuarantineObject,
    ReasonCount,
)
from ingest.land.objects import Body, OpenObject, hour_words, quarantine_key, raw_key
from ingest.land.route import Landing, Reason, Rejection, Router
from ingest.land.rules import Rules
from ingest.land.source import Batch, Headers, Partition


@dataclass(frozen=True)
class Cut:
    """A manifest, and the body of each object that it lists."""

    manifest: Manifest
    bodies: dict[str, Body]
    """By key, raw and quarantine objects alike."""


@dataclass(frozen=True)
class SetAside:
    """A quarantined record: everything needed to land it later."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    headers: tuple[tuple[str, str | None], ...]
    """Names and values in base64."""
    reason: str
    data_type: str | None
    field: str | None
    found: str | None
    """The offending field's value, shortened."""
    value: str | None
    """The record's bytes in base64; None for a record without a value."""


SEQUENCE_DIGITS = 18
"""A sequence number of more digits is none: it fits neither a bigint nor a file."""
RUN_BYTES = 160
"""Memory that a finished run of sequence numbers holds, about."""


class Sequences:
    """The sequence numbers of one producing file, as they come: a run under way, and those done."""

    __slots__ = ("done", "first", "next")

    def __init__(self, first: int) -> None:
        self.first = first
        self.next = first + 1
        """The number that goes on with the run."""
        self.done: list[tuple[int, int]] = []
        """Runs [first, last] in order of arrival; they may overlap."""

    def restart(self, number: int) -> None:
        """End the run under way; `number` begins the next."""
        self.done.append((self.first, self.next - 1))
        self.first, self.next = number, number + 1

    def producer(self, host: str, file: str) -> Producer:
        """What came: how many records, and which numbers."""
        runs = sorted([*self.done, (self.first, self.next - 1)])
        return Producer(
            host, file, sum(last - first + 1 for first, last in runs), tuple(merge_runs(runs))
        )


def merge_runs(runs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Runs [first, last], sorted by their first, to runs that neither touch nor overlap."""
    merged: list[tuple[int, int]] = []
    for first, last in runs:
        if merged and first <= merged[-1][1] + 1:
            if last > merged[-1][1]:
                merged[-1] = (merged[-1][0], last)
        else:
            merged.append((first, last))
    return merged


class OpenCut:
    """Takes the records of one partition from offset `first` on."""

    def __init__(self, partition: Partition, first: int, rules: Rules, generation: int = 0) -> None:
        self.partition = partition
        self.generation = generation
        self.first = first
        self.next = first
        """The offset after the last record taken."""
        self.records = 0
        self.bytes = 0
        """Uncompressed."""
        self._rules = rules
        self._route = Router(rules, partition.topic).route
        self._landed: dict[Landing, OpenObject] = {}
        self._aside: dict[int, OpenObject] = {}
        self._reasons: Counter[tuple[str, str | None]] = Counter()
        self._gaps: list[tuple[int, int]] = []
        self._producers: dict[tuple[bytes, bytes], Sequences] = {}
        self._runs_done = 0
        self._min_timestamp: int | None = None
        self._max_timestamp: int | None = None
        self._names: tuple[str, str] | None = None

    @property
    def held(self) -> int:
        """Bytes of memory that the open objects hold, about."""
        return (
            sum(o.held for o in self._landed.values())
            + sum(o.held for o in self._aside.values())
            + self._runs_done * RUN_BYTES
        )

    @property
    def min_timestamp(self) -> int | None:
        """The least of Kafka's timestamps among the records taken; None where there are none."""
        return self._min_timestamp

    @property
    def objects(self) -> int:
        """How many objects are open."""
        return len(self._landed) + len(self._aside)

    def add(self, batch: Batch) -> None:
        """Take records; those before `next` (delivered again) are passed over."""
        if batch.names is not None:
            self._names = ((self._names or batch.names)[0], batch.names[1])
        grace_ms = MS_PER_HOUR + self._rules.limits.grace_ms
        for offset, timestamp, value, headers in zip(
            batch.offsets, batch.timestamps, batch.values, batch.headers or repeat(()), strict=False
        ):
            if offset != self.next:
                if offset < self.next:
                    continue
                self._gaps.append((self.next, offset))
            self.next = offset + 1
            self.records += 1
            if headers:
                self._note_producer(headers)
            if len(headers) > 3 and any(name == TOO_LARGE for name, _ in headers):
                target: Landing | Rejection = Rejection(Reason.TOO_LARGE, found=_size(headers))
            else:
                target = self._route(value, timestamp)
            if isinstance(target, Landing):
                assert value is not None
                self.bytes += len(value) + 1
                held = self._landed.get(target)
                if held is None:
                    held = self._landed[target] = OpenObject()
                held.add(value)
                if timestamp >= target.hour * MS_PER_HOUR + grace_ms:
                    held.late += 1
            else:
                self._set_aside(offset, timestamp, value, headers, target)
            if self._min_timestamp is None or self._max_timestamp is None:
                self._min_timestamp = self._max_timestamp = timestamp
            elif timestamp > self._max_timestamp:
                self._max_timestamp = timestamp
            elif timestamp < self._min_timestamp:
                self._min_timestamp = timestamp

    def _set_aside(
        self,
        offset: int,
        timestamp: int,
        value: bytes | None,
        headers: Headers,
        rejection: Rejection,
    ) -> None:
        self._reasons[rejection.reason, rejection.data_type] += 1
        line = msgspec.json.encode(
            SetAside(
                topic=self.partition.topic,
                partition=self.partition.number,
                offset=offset,
                timestamp=timestamp,
                headers=tuple((name, _base64(held)) for name, held in headers),
                reason=rejection.reason,
                data_type=rejection.data_type,
                field=rejection.field,
                found=rejection.found,
                value=_base64(value),
            )
        )
        self.bytes += len(line) + 1
        hour = max(timestamp, 0) // MS_PER_HOUR
        self._aside.setdefault(hour, OpenObject()).add(line)

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
                    self._reasons.items(), key=lambda item: (item[0][0], item[0][1] or "")
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
        for (data_type, hour), held in sorted(self._landed.items()):
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
        for hour, held in sorted(self._aside.items()):
            key = quarantine_key(topic, hour, number, self.first, self.generation)
            body = bodies[key] = held.finish()
            aside.append(
                QuarantineObject(key, *hour_words(hour), body.records, body.bytes, body.sha256)
            )
        return tuple(landed), tuple(aside), bodies


def _size(headers: Headers) -> str:
    return f"{_text(dict(headers)[TOO_LARGE] or b'?')} bytes"


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _text(value: bytes) -> str:
    return value.decode(errors="replace")
