"""What every source of the lander keeps, checked the same way on each of them.

Comes in: a `Subject`, a topic with two empty partitions. A test calls one `check_…` on it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ingest.land.source import Batch, Mark, Partition, Source

LIMIT = 200
"""Polls that a check waits for records."""

Row = tuple[int, int, bytes | None]
"""Offset, timestamp and value of a record."""


@dataclass(frozen=True)
class Subject:
    """A topic with the partitions 0 and 1, the means to append to them, and to make sources of it."""

    topic: str
    put: Callable[[int, list[bytes]], None]
    source: Callable[[], Source]

    def partitions(self) -> list[Partition]:
        return [Partition(self.topic, number) for number in (0, 1)]


def rows(batch: Batch) -> list[Row]:
    """The records of a batch."""
    return list(zip(batch.offsets, batch.timestamps, batch.values, strict=True))


def mark_after(batch: Batch) -> Mark:
    """Where reading goes on behind a batch."""
    return Mark(batch.offsets[-1] + 1, after=batch.names[1] if batch.names else None)


def opened(subject: Subject) -> Source:
    """A source at the beginning of every partition."""
    source = subject.source()
    for partition in subject.partitions():
        assert source.dropped(partition, Mark(0)) is None
        source.seek(partition, Mark(0))
    return source


def drain(source: Source, count: int) -> dict[Partition, list[Batch]]:
    """`count` records, as they come."""
    found: dict[Partition, list[Batch]] = {}
    for _ in range(LIMIT):
        if sum(len(batch) for batches in found.values() for batch in batches) >= count:
            return found
        for partition, batch in source.poll(0.25).items():
            assert len(batch)
            found.setdefault(partition, []).append(batch)
    raise AssertionError(f"{count} records did not come")


LINES = {0: [b'{"n":%d}' % n for n in range(40)], 1: [b"", b"\xff\x00", b'{"a":1}']}


def check_order(subject: Subject) -> None:
    """All records come, once, as they were put, with ascending offsets and times."""
    for number, lines in LINES.items():
        subject.put(number, lines)
    source = opened(subject)
    assert sorted(source.partitions()) == subject.partitions() == sorted(source.assigned())
    found = drain(source, 43)
    for number, lines in LINES.items():
        got = [row for batch in found[Partition(subject.topic, number)] for row in rows(batch)]
        assert [value for _, _, value in got] == lines
        offsets = [offset for offset, _, _ in got]
        assert offsets == sorted(set(offsets))
        assert source.position(Partition(subject.topic, number)) > offsets[-1]
        assert all(timestamp > 1_600_000_000_000 for _, timestamp, _ in got)
    assert source.poll(0.1) == {}
    source.close()


def check_reading_again(subject: Subject) -> None:
    """A batch's range, read again by another source, is the same; so is what follows a mark."""
    for _ in range(3):
        subject.put(0, LINES[0])
    source, other = opened(subject), opened(subject)
    zero = Partition(subject.topic, 0)
    batches = drain(source, 120)[zero]
    for batch in batches:
        first, next_ = batch.offsets[0], batch.offsets[-1] + 1
        again = [r for b in other.read(zero, first, next_, batch.names) for r in rows(b)]
        assert again == rows(batch)
    subject.put(0, LINES[1])
    rest = [r for batch in batches[1:] for r in rows(batch)]
    rest += [r for batch in drain(source, 3)[zero] for r in rows(batch)]
    mark = mark_after(batches[0])
    assert other.dropped(zero, mark) is None
    other.seek(zero, mark)
    assert [r for batch in drain(other, len(rest))[zero] for r in rows(batch)] == rest
    source.close()
    other.close()


def check_ends(subject: Subject) -> None:
    """An end is where a partition that was read to it stands, and beyond it when more has come."""
    subject.put(0, LINES[0])
    source = opened(subject)
    zero, one = subject.partitions()
    asked = source.ends()
    drain(source, 40)
    for _ in range(LIMIT):
        if source.position(zero) >= asked[zero]:
            break
        assert source.poll(0.25) == {}
    assert source.position(zero) >= asked[zero] == source.ends()[zero]
    assert source.position(one) >= source.ends()[one] == 0
    subject.put(0, LINES[0])
    assert source.ends()[zero] > source.position(zero)
    assert not source.closed(zero)
    assert source.topic_id(subject.topic) == opened(subject).topic_id(subject.topic) != ""
    source.close()
