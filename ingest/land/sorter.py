"""Sorting: a batch's records to the objects that they belong to. The hot path of the lander.

Comes in: batches. Goes out: `OpenObject`s, landed ones by type and hour, those set aside by hour.
What `Router.route` says of each record alone is done for many at once; that both are the same is a
property that the tests hold.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from ingest.land.aside import set_aside_line, size_of_another, stands_for_another
from ingest.land.event_time import MS_PER_HOUR, hour_of_timestamp
from ingest.land.objects import OpenObject
from ingest.land.route import NOT_PLAIN, Landing, Like, Reason, Rejection, Router
from ingest.land.rules import Rules
from ingest.land.source import Batch, Partition

PIECE = 64 * 1024
"""Bytes of values that are looked at, then sorted, while the processor's first cache holds them."""


class _Turn:
    """What is known while one batch is taken."""

    __slots__ = ("aside", "batch", "decided", "high", "landed", "low")

    def __init__(self, batch: Batch, low: int, high: int) -> None:
        self.batch = batch
        self.low = low
        self.high = high
        """The batch's timestamps lie within both."""
        self.decided: dict[Like, Callable[[bytes], None]] = {}
        """What appends a record to its object, by what the record is like."""
        self.landed: dict[Landing, OpenObject] = {}
        self.aside: dict[int, OpenObject] = {}
        """The objects that lines were appended to."""


class Sorter:
    """Sorts the records of one cut of `partition`."""

    def __init__(self, partition: Partition, rules: Rules) -> None:
        self.landed: dict[Landing, OpenObject] = {}
        self.aside: dict[int, OpenObject] = {}
        """By the hour of Kafka's timestamp."""
        self.reasons: Counter[tuple[str, str | None]] = Counter()
        """Records set aside, by reason and data type."""
        self.bytes = 0
        """Uncompressed."""
        self.held = 0
        """Bytes of memory that the objects hold, about."""
        self._partition = partition
        self._router = Router(rules, partition.topic)
        self._late_ms = MS_PER_HOUR + rules.limits.grace_ms
        """A record is late so long after the beginning of its hour."""

    def take(self, batch: Batch, low: int, high: int) -> None:
        """Sort a batch whose timestamps lie within [low, high]."""
        values: Sequence[bytes | None] = batch.values
        if batch.headers is not None:
            standing = {p for p, found in enumerate(batch.headers) if stands_for_another(found)}
            if standing:
                values = [None if p in standing else value for p, value in enumerate(values)]
        turn = _Turn(batch, low, high)
        sort = self._sort_by_hour if self._router.tells_hours(values[0]) else self._sort_by_fields
        piece = max(8, PIECE * len(values) // max(1, sum(map(len, filter(None, values)))))
        for start in range(0, len(values), piece):
            sort(self._router.sound(values[start : start + piece]), start, turn)
        self._account(turn)

    def _sort_by_hour(self, values: Sequence[bytes | None], start: int, turn: _Turn) -> None:
        """Append each value to its object; the hot path, for event times like `2026-01-02T03:…Z`.

        Records that are alike in what `Router.alike` says share one decision.
        """
        decode, match, clock = self._router.decode, self._router.match, self._router.clock
        decided, check = turn.decided.get, datetime.fromisoformat
        for place, value in enumerate(values, start):
            try:
                record = decode(value)  # type: ignore[arg-type]  # None raises TypeError
                text = clock(record)
                check(text)
                like = (match(record), text[:14], text[-1])
                append = decided(like) or self._decide_alike(record, like, turn)
            except NOT_PLAIN:
                append = None
            if append is None:
                self._add_one(place, turn)
            else:
                append(value)  # type: ignore[arg-type]

    def _sort_by_fields(self, values: Sequence[bytes | None], start: int, turn: _Turn) -> None:
        """The same for every other form of event time, and for none."""
        decode, pick = self._router.decode, self._router.pick
        for place, value in enumerate(values, start):
            try:
                landing = self._steady(pick(decode(value)), turn)  # type: ignore[arg-type]
            except NOT_PLAIN:
                landing = None
            if landing is None:
                self._add_one(place, turn)
            else:
                self._open(landing, turn).lines.append(value)  # type: ignore[arg-type]

    def _decide_alike(self, record: Any, like: Like, turn: _Turn) -> Callable[[bytes], None] | None:
        fields = self._router.pick(record)
        landing = self._steady(fields, turn)
        if landing is None:
            return None
        append = self._open(landing, turn).lines.append
        if self._router.alike(fields, like, landing, turn.low):
            turn.decided[like] = append
        return append

    def _steady(self, fields: tuple[Any, ...], turn: _Turn) -> Landing | None:
        """Where records with these fields land, and they are late all or none; else None."""
        landing = self._router.steady(fields, turn.low, turn.high)
        if landing is None:
            return None
        late_from = landing.hour * MS_PER_HOUR + self._late_ms
        return None if turn.low < late_from <= turn.high else landing

    def _add_one(self, place: int, turn: _Turn) -> None:
        batch = turn.batch
        value, timestamp = batch.values[place], batch.timestamps[place]
        headers = batch.headers[place] if batch.headers is not None else ()
        if stands_for_another(headers):
            target: Landing | Rejection = Rejection(
                Reason.TOO_LARGE, found=size_of_another(headers)
            )
        else:
            target = self._router.route(value, timestamp)
        if isinstance(target, Rejection):
            self.reasons[target.reason, target.data_type] += 1
            line = set_aside_line(
                self._partition, batch.offsets[place], timestamp, headers, value, target
            )
            self._open_aside(hour_of_timestamp(timestamp), turn).lines.append(line)
            return
        assert value is not None
        held = self._open(target, turn)
        held.lines.append(value)
        late_from = target.hour * MS_PER_HOUR + self._late_ms
        if turn.low < late_from <= timestamp:
            held.late += 1  # where all of the turn are late, `_account` counts them

    def _open(self, landing: Landing, turn: _Turn) -> OpenObject:
        held = turn.landed.get(landing)
        if held is None:
            held = self.landed.get(landing)
            if held is None:
                held = self.landed[landing] = OpenObject()
                self.held += held.held
            turn.landed[landing] = held
        return held

    def _open_aside(self, hour: int, turn: _Turn) -> OpenObject:
        held = self.aside.get(hour)
        if held is None:
            held = self.aside[hour] = OpenObject()
            self.held += held.held
        turn.aside[hour] = held
        return held

    def _account(self, turn: _Turn) -> None:
        """Count what the turn appended, and compress what fills blocks."""
        for landing, opened in turn.landed.items():
            count = self._took(opened)
            if turn.low >= landing.hour * MS_PER_HOUR + self._late_ms:
                opened.late += count
        for opened in turn.aside.values():
            self._took(opened)

    def _took(self, opened: OpenObject) -> int:
        held, size = opened.held, opened.size
        count = opened.took()
        self.bytes += opened.size - size
        self.held += opened.held - held
        return count
