"""The seam between the lander and what it reads: a log of numbered records in partitions.

Kafka is the first source, Kinesis the second. A source delivers a partition's records in offset
order, can read a range again exactly, and keeps a hint of how far landing came; the truth of that
is the chain on S3. Where offsets are not the source's own (Kinesis), they count the records that the
chain holds, and the chain keeps the source's own names of the records at the ends of each range.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from datacore.errors import DatacoreError


class Partition(NamedTuple):
    """A partition of a topic."""

    topic: str
    number: int


Headers = Sequence[tuple[str, bytes | None]]
"""A record's headers in their order; a name may come twice."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one partition in columns of equal length, at least one record.

    Columns, because an object a record costs more than all that is done with it.
    """

    offsets: Sequence[int]
    """Strictly ascending; what is left out has no record."""
    timestamps: Sequence[int]
    """Milliseconds since 1970; below 0 where unknown."""
    values: Sequence[bytes | None]
    headers: Sequence[Headers] | None = None
    """None where no record of the batch has any."""
    names: tuple[str, str] | None = None
    """The source's own names of the first and the last record, where offsets are not its own."""

    def __len__(self) -> int:
        return len(self.offsets)

    def within(self, first: int, next_: int) -> "Batch | None":
        """The records of [first, next_), this batch itself where that is all; None for none."""
        offsets = self.offsets
        if offsets[0] >= first and offsets[-1] < next_:
            return self
        kept = slice(bisect_left(offsets, first), bisect_left(offsets, next_))
        if kept.start >= kept.stop:
            return None
        headers = self.headers[kept] if self.headers is not None else None
        return Batch(offsets[kept], self.timestamps[kept], self.values[kept], headers)


NEVER = 2**62
"""An end that is not known yet: no offset reaches it."""


@dataclass(frozen=True)
class Mark:
    """Where a chain goes on: the offset, and the source's own word for it if it has one."""

    offset: int
    after: str | None = None
    """The name of the record before."""
    at: str | None = None
    """The name of the record itself, where records before it were lost."""
    extent_unknown: bool = False
    """Of a place to go on: the source cannot tell how many records were lost before it."""


@dataclass(frozen=True)
class Hint:
    """The last cut that was known to be complete: [first, next) of a generation of the topic."""

    first: int
    next: int
    generation: int = 0
    digest: str = ""
    """Tells this cut's manifest from another one of the same range, in another bucket perhaps."""


class RetentionOutran(DatacoreError):
    """The source dropped records of `partition` before they were read, or ends before them."""

    def __init__(self, partition: Partition) -> None:
        super().__init__(f"{partition.topic}-{partition.number}: records were dropped unread")
        self.partition = partition


class AnotherTopic(DatacoreError):
    """The topic was deleted since `partition` was opened, and perhaps made again."""

    def __init__(self, partition: Partition) -> None:
        super().__init__(f"{partition.topic}-{partition.number}: the topic was deleted")
        self.partition = partition


class Source(Protocol):
    """Where records come from. Every method may raise ServiceUnreachable."""

    def topic_id(self, topic: str) -> str | None:
        """The topic's id now, asked anew: another after the topic was deleted and made again, and
        never an earlier one. None where there is no such topic; empty where the source has no ids.
        """

    def partitions(self) -> tuple[Partition, ...]:
        """All partitions of all topics that are landed, whoever reads them, as of `ends`."""

    def assigned(self) -> frozenset[Partition]:
        """The partitions that this process reads now."""

    def poll(self, seconds: float) -> dict[Partition, Batch]:
        """The next records, waiting up to `seconds`. Raises RetentionOutran."""

    def seek(self, partition: Partition, mark: Mark) -> None:
        """Deliver from `mark` on."""

    def position(self, partition: Partition) -> int:
        """The offset that `poll` delivers next, or later where only markers lie between."""

    def dropped(self, partition: Partition, mark: Mark) -> Mark | None:
        """Where reading can go on if records from `mark` on are held no more; None if all are."""

    def closed(self, partition: Partition) -> bool:
        """Whether all was delivered and nothing can follow, ever."""

    def ends(self) -> dict[Partition, int]:
        """For all partitions the offset after the last record, acknowledged or under way.

        What the source cannot tell before it is read that far is NEVER, and becomes the end then.
        """

    def hint(self, partition: Partition) -> Hint | None:
        """What was acknowledged last. It may be old or wrong."""

    def acknowledge(self, partition: Partition, hint: Hint) -> None:
        """Keep a hint; failing to is no error."""

    def read(
        self, partition: Partition, first: int, next_: int, names: tuple[str, str] | None = None
    ) -> Iterator[Batch]:
        """The records of [first, next_) again, apart from `poll`. Raises RetentionOutran.

        `names` are the range's ends as its batches had them.
        """

    def close(self) -> None:
        """Leave the group and close all connections."""
