"""Sequence numbers of producing files: as they come, to the runs that a manifest tells.

Comes in: one number a record. Goes out: a `Producer` of each file, exact.
"""

from collections.abc import Iterable

from ingest.land.manifest import Producer

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
