"""A source in memory: what Kafka does for the lander, with every fault that a test wants."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ingest.land.source import Batch, Hint, Mark, Partition, RetentionOutran


class MemoryRecord(NamedTuple):
    """One record, a row of a `Batch`."""

    offset: int
    timestamp: int
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


def batch_of(records: Sequence[MemoryRecord]) -> Batch:
    """Records in columns, as a source gives them."""
    headers = [record.headers for record in records]
    return Batch(
        [record.offset for record in records],
        [record.timestamp for record in records],
        [record.value for record in records],
        headers if any(headers) else None,
    )


@dataclass
class Log:
    """The partitions' records, shared by all sources of one test; a gap is an offset left out."""

    records: dict[Partition, list[MemoryRecord]]
    ends: dict[Partition, int] = field(default_factory=dict)
    """Ends beyond the last record: markers."""
    begins: dict[Partition, int] = field(default_factory=dict)
    hints: dict[Partition, Hint] = field(default_factory=dict)
    topic_id: str | None = "id-1"

    def made_again(self, records: dict[Partition, list[MemoryRecord]]) -> None:
        """The topic was deleted and made again, and `records` came. Hints stay: a zombie's may."""
        self.records = records
        self.ends, self.begins = {}, {}
        self.topic_id = f"id-{int((self.topic_id or 'id-0')[3:]) + 1}"

    def end(self, partition: Partition) -> int:
        last = self.records[partition][-1].offset + 1 if self.records[partition] else 0
        return max(last, self.ends.get(partition, 0))


class MemorySource:
    """Reads a `Log`, `step` records of a partition at a time."""

    def __init__(self, log: Log, step: int = 3) -> None:
        self.log = log
        self.step = step
        self.positions: dict[Partition, int] = {}

    def topic_id(self, topic: str) -> str | None:
        return self.log.topic_id

    def partitions(self) -> tuple[Partition, ...]:
        return tuple(sorted(self.log.records))

    def assigned(self) -> frozenset[Partition]:
        return frozenset(self.log.records) if self.log.topic_id else frozenset()

    def poll(self, seconds: float) -> dict[Partition, Batch]:
        found = {}
        mine = sorted(self.assigned() & self.positions.keys())
        for partition in mine:
            if not self.begins(partition) <= self.positions[partition] <= self.log.end(partition):
                raise RetentionOutran(partition)
        for partition in mine:
            at = self.positions[partition]
            records = [r for r in self.log.records[partition] if r.offset >= at][: self.step]
            last = records and records[-1] == self.log.records[partition][-1]
            if records:
                found[partition] = batch_of(records)
                self.positions[partition] = records[-1].offset + 1
            if last or not records:
                self.positions[partition] = max(at, self.log.end(partition))
        return found

    def seek(self, partition: Partition, mark: Mark) -> None:
        self.positions[partition] = mark.offset

    def position(self, partition: Partition) -> int:
        return self.positions[partition]

    def begins(self, partition: Partition) -> int:
        return self.log.begins.get(partition, 0)

    def dropped(self, partition: Partition, mark: Mark) -> Mark | None:
        begins = self.begins(partition)
        return Mark(begins) if begins > mark.offset else None

    def closed(self, partition: Partition) -> bool:
        return False

    def ends(self) -> dict[Partition, int]:
        return {partition: self.log.end(partition) for partition in self.assigned()}

    def hint(self, partition: Partition) -> Hint | None:
        return self.log.hints.get(partition)

    def acknowledge(self, partition: Partition, hint: Hint) -> None:
        self.log.hints[partition] = hint

    def read(
        self, partition: Partition, first: int, next_: int, names: tuple[str, str] | None = None
    ) -> Iterator[Batch]:
        if first < self.begins(partition):
            raise RetentionOutran(partition)
        records = [r for r in self.log.records[partition] if first <= r.offset < next_]
        if records:
            yield batch_of(records)

    def close(self) -> None:
        pass
