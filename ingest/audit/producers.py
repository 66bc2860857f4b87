"""Producers end to end: which sequence numbers of a file never arrived, and which came twice.

Comes in: the manifests of a topic, and how far in time each partition has come. Goes out: findings
per host and file. A number that a later line overtook may still be on its way in a partition that
is behind; it counts as lost only when every partition has come past the time of the cut that
brought the later line. Pure.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ingest.audit.facts import Link
from ingest.audit.finding import Finding, FindingKind
from ingest.land.manifest import Kind

SHOWN = 5
"""Ranges that a finding names; the rest is counted."""

File = tuple[str, str]
"""Host and file."""


@dataclass(frozen=True, order=True)
class Run:
    """Sequence numbers [first, last] of a file in one cut; `stamped` is the cut's last timestamp."""

    first: int
    last: int
    stamped: int


@dataclass
class Sequences:
    """What came of one file."""

    runs: list[Run] = field(default_factory=list)
    again: int = 0
    """Records that brought a number which their own cut has already."""


@dataclass(frozen=True)
class Gaps:
    """Ranges [first, last] of one file that did not come, and those that came again."""

    lost: tuple[tuple[int, int], ...]
    on_the_way: tuple[tuple[int, int], ...]
    repeated: tuple[tuple[int, int], ...]
    again: int
    """Numbers that came more than once within a cut, which does not say which they are."""


def sequences_of(links: Iterable[Link]) -> dict[File, Sequences]:
    """The runs of every file in the chains of a topic."""
    found: dict[File, Sequences] = defaultdict(Sequences)
    for link in links:
        manifest = link.manifest
        if manifest is None or manifest.kind is not Kind.CUT:
            continue
        stamped = manifest.max_timestamp or 0
        for producer in manifest.producers:
            held = found[producer.host, producer.file]
            held.runs.extend(Run(first, last, stamped) for first, last in producer.ranges)
            held.again += producer.records - sum(b - a + 1 for a, b in producer.ranges)
    return found


def gaps_of(sequences: Sequences, passed: int | None) -> Gaps:
    """What is missing from 0 to the last number, and what came twice.

    `passed`: every partition of the topic has brought all up to this time, ms; None: unknown.
    """
    lost: list[tuple[int, int]] = []
    on_the_way: list[tuple[int, int]] = []
    repeated: list[tuple[int, int]] = []
    expected = 0
    for run in sorted(sequences.runs):
        if run.first > expected:
            certain = passed is not None and run.stamped <= passed
            (lost if certain else on_the_way).append((expected, run.first - 1))
        elif run.first < expected:
            repeated.append((run.first, min(run.last, expected - 1)))
        expected = max(expected, run.last + 1)
    return Gaps(tuple(lost), tuple(on_the_way), tuple(repeated), sequences.again)


def check_producers(
    topic: str, found: Mapping[File, Sequences], passed: int | None
) -> Iterator[Finding]:
    """Lost and repeated sequence numbers, a finding a file and kind."""
    for (host, file), sequences in sorted(found.items()):
        gaps = gaps_of(sequences, passed)
        name = f"{topic} {host}:{file}"
        if gaps.lost:
            yield Finding.of(
                FindingKind.SEQUENCE_LOST, name, f"{_count(gaps.lost):,} lines: {_words(gaps.lost)}"
            )
        if gaps.repeated or gaps.again:
            which = [_words(gaps.repeated)] if gaps.repeated else []
            if gaps.again:
                which.append(f"{gaps.again:,} within one cut")
            count = _count(gaps.repeated) + gaps.again
            yield Finding.of(
                FindingKind.SEQUENCE_REPEATED,
                name,
                f"{count:,} lines came more than once: {', '.join(which)}",
            )


def on_the_way(found: Mapping[File, Sequences], passed: int | None) -> int:
    """Sequence numbers that may still come."""
    return sum(_count(gaps_of(held, passed).on_the_way) for held in found.values())


def passed_by_all(offsets: Iterable[int], watermarks: Mapping[int, int]) -> int | None:
    """The time that every partition of a log has come past, ms; None where one has brought nothing."""
    marks = [watermarks.get(number) for number in offsets]
    known = [mark for mark in marks if mark is not None]
    return min(known) if known and len(known) == len(marks) else None


def _count(ranges: Iterable[tuple[int, int]]) -> int:
    return sum(last - first + 1 for first, last in ranges)


def _words(ranges: tuple[tuple[int, int], ...]) -> str:
    shown = [f"{a}" if a == b else f"{a} to {b}" for a, b in ranges[:SHOWN]]
    more = len(ranges) - SHOWN
    return ", ".join(shown) + (f" and {more:,} ranges more" if more > 0 else "")
