"""The equations as types: counts in, lines of a table with their differences out. Pure.

Every count was taken by somebody else than its neighbours: the chain of manifests on S3, the lake's
views, the roll-ups, the loads, and, where there is one, the truth that a producer knows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Sums = Mapping[str, int]
"""Measure to its sum; `rows` is the count."""


@dataclass(frozen=True)
class TypeCounts:
    """One data type on its way. None: nobody counted it."""

    data_type: str
    landed: int
    """Records in the chain's objects."""
    quarantined: int
    """Records set aside that name this type."""
    produced: int | None = None
    """What its producers wrote, by the truth given."""
    staged: int | None = None
    rejected: int | None = None
    duplicates: int | None = None
    in_raw: int | None = None
    """Rows of the raw table, as Spark reads it."""
    rolled_up: Mapping[str, int] = field(default_factory=dict)
    """`table.measure` to its total, for each measure that counts this type."""
    loaded: Mapping[str, int] = field(default_factory=dict)
    truth: Mapping[str, int] = field(default_factory=dict)
    """The producer's own counts: produced, landed, quarantined, staged, rejected, duplicates."""

    def differences(self) -> list[str]:
        """Each equation that does not hold, in words."""
        found = []
        if self.produced is not None and self.produced != self.landed + self.quarantined:
            found.append(
                f"produced {self.produced:,} ≠ landed {self.landed:,} + quarantined {self.quarantined:,}"
            )
        if self.in_raw is not None and self.in_raw != self.landed:
            found.append(f"the raw table has {self.in_raw:,} rows, the chain {self.landed:,}")
        parts = (self.staged, self.rejected, self.duplicates)
        if None not in parts and self.landed != sum(part or 0 for part in parts):
            found.append(
                f"landed {self.landed:,} ≠ staged {self.staged:,} + rejected {self.rejected:,}"
                f" + duplicates {self.duplicates:,}"
            )
        if self.staged is not None:
            for side, totals in (("rolled up", self.rolled_up), ("loaded", self.loaded)):
                found += [
                    f"staged {self.staged:,} ≠ {side} {total:,} ({measure})"
                    for measure, total in totals.items()
                    if total != self.staged
                ]
        for name, expected in self.truth.items():
            actual = getattr(self, name)
            if actual is not None and actual != expected:
                found.append(f"{name} {actual:,}, in truth {expected:,}")
        return found


@dataclass(frozen=True)
class TopicCounts:
    """One topic between its producers and the chain."""

    topic: str
    produced: int
    """By the producers' sequence numbers, and one by one for records without."""
    landed: int
    quarantined: int
    lost: int
    """Offsets that Kafka no longer held when the lander came."""
    truth: Mapping[str, int] = field(default_factory=dict)

    def differences(self) -> list[str]:
        """Each equation that does not hold, in words."""
        found = []
        if self.produced != self.landed + self.quarantined:
            found.append(
                f"produced {self.produced:,} ≠ landed {self.landed:,} + quarantined {self.quarantined:,}"
            )
        if self.lost:
            found.append(f"{self.lost:,} offsets lost: Kafka dropped them before they were landed")
        for name, expected in self.truth.items():
            if getattr(self, name) != expected:
                found.append(f"{name} {getattr(self, name):,}, in truth {expected:,}")
        return found


@dataclass(frozen=True)
class RollUpCounts:
    """One roll-up in the lake, in the warehouse and in truth, by day."""

    table: str
    lake: Mapping[str, Sums]
    """Day to the sums of that day."""
    warehouse: Mapping[str, Sums] | None
    truth: Mapping[str, Sums] | None = None

    def differences(self) -> list[str]:
        """Each day and measure on which the sides differ, in words."""
        found = []
        for side, days in (("loaded", self.warehouse), ("in truth", self.truth)):
            if days is None:
                continue
            for day in sorted({*self.lake, *days}):
                ours, theirs = self.lake.get(day, {}), days.get(day, {})
                for measure in sorted({*ours} & {*theirs} if ours and theirs else {*ours, *theirs}):
                    here, there = ours.get(measure, 0), theirs.get(measure, 0)
                    if here != there:
                        found.append(f"{day} {measure}: rolled up {here:,}, {side} {there:,}")
        return found

    def total(self, measure: str) -> int:
        """Sum of a measure over all days in the lake."""
        return sum(sums.get(measure, 0) for sums in self.lake.values())


@dataclass(frozen=True)
class Reconciliation:
    """Everything that was compared."""

    topics: tuple[TopicCounts, ...]
    types: tuple[TypeCounts, ...]
    rollups: tuple[RollUpCounts, ...]

    def differences(self) -> list[str]:
        """All differences, each with the name of its row."""
        rows: list[tuple[str, list[str]]] = []
        rows += [(f"topic {one.topic}", one.differences()) for one in self.topics]
        rows += [(one.data_type, one.differences()) for one in self.types]
        rows += [(one.table, one.differences()) for one in self.rollups]
        return [f"{name}: {difference}" for name, found in rows for difference in found]

    def to_json(self) -> dict[str, Any]:
        """For machines; the names are those of the types above."""
        return {
            "equal": not self.differences(),
            "topics": [
                {
                    "topic": one.topic,
                    "produced": one.produced,
                    "landed": one.landed,
                    "quarantined": one.quarantined,
                    "lost": one.lost,
                    "differences": one.differences(),
                }
                for one in self.topics
            ],
            "types": [
                {
                    "data_type": one.data_type,
                    "produced": one.produced,
                    "landed": one.landed,
                    "quarantined": one.quarantined,
                    "staged": one.staged,
                    "rejected": one.rejected,
                    "duplicates": one.duplicates,
                    "rolled_up": dict(one.rolled_up),
                    "loaded": dict(one.loaded),
                    "differences": one.differences(),
                }
                for one in self.types
            ],
            "rollups": [
                {
                    "table": one.table,
                    "days": len(one.lake),
                    "rows": one.total("rows"),
                    "differences": one.differences(),
                }
                for one in self.rollups
            ],
        }
