"""A cut under way: records of one partition, in offset order, to a manifest and its objects.

Comes in: batches as a source gives them. Goes out: `Cut`. Pure but for memory: the same records
and rules always give the same objects, whoever makes the cut, and when.
"""

import base64
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
from ingest.land.route import NOT_PLAIN, Landing, Like, Reason, Rejection, Router
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


class _Turn:
    """What is known while one batch is taken."""

    __slots__ = ("aside", "decided", "high", "landed", "low")

    def __init__(self, low: int, high: int) -> None:
        self.low = low
        self.high = high
        """The batch's timestamps lie within both."""
        self.decided: dict[Like, Callable[[bytes], None]] = {}
        """What appends a record to its object, by what the record is like."""
        self.landed: dict[Landing, OpenObject] = {}
        self.aside: dict[int, OpenObject] = {}
        """The objects that lines were appended to."""


class OpenCut:
    """Takes the records of one partition from offset `first` on."""

    def __init__(self, partition: Partition, first: int, rules: Rules) -> None:
        self.partition = partition
        self.first = first
        self.next = first
        """The offset after the last record taken."""
        self.records = 0
        self.bytes = 0
        """Uncompressed."""
        self.held = 0
        """Bytes of memory that the open objects hold, about."""
        self._rules = rules
        self._router = Router(rules, partition.topic)
        self._landed: dict[Landing, OpenObject] = {}
        self._aside: dict[int, OpenObject] = {}
        self._reasons: Counter[tuple[str, str | None]] = Counter()
        self._gaps: list[tuple[int, int]] = []
        self._producers: dict[tuple[bytes, bytes], list[int]] = {}
        self._min_timestamp: int | None = None
        self._max_timestamp: int | None = None

    @property
    def objects(self) -> int:
        """How many objects are open."""
        return len(self._landed) + len(self._aside)

    def add(self, batch: Batch) -> None:
        """Take records; those before `next` (delivered again) are passed over."""
        fresh = batch.within(self.next, batch.offsets[-1] + 1)
        if fresh is None:
            return
        self._note_offsets(fresh.offsets)
        low, high = min(fresh.timestamps), max(fresh.timestamps)
        self._note_times(low, high)
        values = self._router.sound(fresh.values)
        if fresh.headers is not None:
            values = self._read_headers(values, fresh.headers)
        turn = _Turn(low, high)
        by_hour = self._router.tells_hours(values[0])
        (self._sort_by_hour if by_hour else self._sort_by_fields)(fresh, values, turn)
        self._account(turn)

    def _sort_by_hour(self, batch: Batch, values: Sequence[bytes | None], turn: "_Turn") -> None:
        """Append each value to its object; the hot path, for event times like `2026-01-02T03:…Z`.

        Records that are alike in what `Router.alike` says share one decision.
        """
        decode, match, clock = self._router.decode, self._router.match, self._router.clock
        decided, check = turn.decided.get, datetime.fromisoformat
        for place, value in enumerate(values):
            try:
                record = decode(value)  # type: ignore[arg-type]  # None raises TypeError
                text = clock(record)
                check(text)
                like = (match(record), text[:14], text[-1])
                append = decided(like) or self._decide_alike(record, like, turn)
            except NOT_PLAIN:
                append = None
            if append is None:
                self._add_one(batch, place, turn)
            else:
                append(value)  # type: ignore[arg-type]

    def _sort_by_fields(self, batch: Batch, values: Sequence[bytes | None], turn: "_Turn") -> None:
        """The same for every other form of event time, and for none."""
        decode, pick = self._router.decode, self._router.pick
        for place, value in enumerate(values):
            try:
                landing = self._steady(pick(decode(value)), turn)  # type: ignore[arg-type]
            except NOT_PLAIN:
                landing = None
            if landing is None:
                self._add_one(batch, place, turn)
            else:
                self._open(landing, turn).lines.append(value)  # type: ignore[arg-type]

    def _decide_alike(
        self, record: Any, like: Like, turn: "_Turn"
    ) -> Callable[[bytes], None] | None:
        fields = self._router.pick(record)
        landing = self._steady(fields, turn)
        if landing is None:
            return None
        append = self._open(landing, turn).lines.append
        if self._router.alike(fields, like, landing, turn.low):
            turn.decided[like] = append
        return append

    def _steady(self, fields: tuple[Any, ...], turn: "_Turn") -> Landing | None:
        """Where records with these fields land, and they are late all or none; else None."""
        landing = self._router.steady(fields, turn.low, turn.high)
        if landing is None:
            return None
        late_from = (landing.hour + 1) * MS_PER_HOUR + self._rules.limits.grace_ms
        return None if turn.low < late_from <= turn.high else landing

    def _add_one(self, batch: Batch, place: int, turn: "_Turn") -> None:
        value, timestamp = batch.values[place], batch.timestamps[place]
        headers = batch.headers[place] if batch.headers is not None else ()
        if _stands_for_another(headers):
            target: Landing | Rejection = Rejection(Reason.TOO_LARGE, found=_size(headers))
        else:
            target = self._router.route(value, timestamp)
        if isinstance(target, Rejection):
            self._set_aside(batch.offsets[place], timestamp, value, headers, target, turn)
            return
        assert value is not None
        held = self._open(target, turn)
        held.lines.append(value)
        late_from = (target.hour + 1) * MS_PER_HOUR + self._rules.limits.grace_ms
        if turn.low < late_from <= timestamp:
            held.late += 1  # where all of the turn are late, `_account` counts them

    def _open(self, landing: Landing, turn: "_Turn") -> OpenObject:
        held = turn.landed.get(landing)
        if held is None:
            held = self._landed.get(landing)
            if held is None:
                held = self._landed[landing] = OpenObject()
                self.held += held.held
            turn.landed[landing] = held
        return held

    def _account(self, turn: "_Turn") -> None:
        """Count what the turn appended, and compress what fills blocks."""
        grace_ms = MS_PER_HOUR + self._rules.limits.grace_ms
        for landing, opened in turn.landed.items():
            count = self._took(opened)
            if turn.low >= landing.hour * MS_PER_HOUR + grace_ms:
                opened.late += count
        for opened in turn.aside.values():
            self._took(opened)

    def _took(self, opened: OpenObject) -> int:
        held, size = opened.held, opened.size
        count = opened.took()
        self.bytes += opened.size - size
        self.held += opened.held - held
        return count

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

    def _read_headers(
        self, values: Sequence[bytes | None], headers: Sequence[Headers]
    ) -> Sequence[bytes | None]:
        """Note producers; `values` with None for what only stands for a line."""
        standing = []
        for place, found in enumerate(headers):
            if found:
                self._note_producer(found)
                if len(found) > 3 and _stands_for_another(found):
                    standing.append(place)
        if standing:
            values = list(values)
            for place in standing:
                values[place] = None
        return values

    def _set_aside(
        self,
        offset: int,
        timestamp: int,
        value: bytes | None,
        headers: Headers,
        rejection: Rejection,
        turn: "_Turn",
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
        hour = max(timestamp, 0) // MS_PER_HOUR
        opened = self._aside.get(hour)
        if opened is None:
            opened = self._aside[hour] = OpenObject()
            self.held += opened.held
        turn.aside[hour] = opened
        opened.lines.append(line)

    def _note_producer(self, headers: Headers) -> None:
        found = dict(headers)
        host, file, sequence = found.get(HOST), found.get(FILE), found.get(SEQUENCE)
        if host is None or file is None or sequence is None or not sequence.isdigit():
            return
        number = int(sequence)
        seen = self._producers.get((host, file))
        if seen is None:
            self._producers[host, file] = [number, number, 1]
            return
        if number > seen[1]:
            seen[1] = number
        elif number < seen[0]:
            seen[0] = number
        seen[2] += 1

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
            objects=objects,
            quarantine=quarantine,
            reasons=tuple(
                ReasonCount(reason, data_type, count)
                for (reason, data_type), count in sorted(
                    self._reasons.items(), key=lambda item: (item[0][0], item[0][1] or "")
                )
            ),
            producers=tuple(
                Producer(_text(host), _text(file), *numbers)
                for (host, file), numbers in sorted(self._producers.items())
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
            key = raw_key(data_type, hour, topic, number, self.first)
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
            key = quarantine_key(topic, hour, number, self.first)
            body = bodies[key] = held.finish()
            aside.append(
                QuarantineObject(key, *hour_words(hour), body.records, body.bytes, body.sha256)
            )
        return tuple(landed), tuple(aside), bodies


def _stands_for_another(headers: Headers) -> bool:
    return len(headers) > 3 and any(name == TOO_LARGE for name, _ in headers)


def _size(headers: Headers) -> str:
    return f"{_text(dict(headers)[TOO_LARGE] or b'?')} bytes"


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _text(value: bytes) -> str:
    return value.decode(errors="replace")
