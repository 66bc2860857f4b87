"""What landing and tailing tell of their work: one call a step, a batch or a cut, never a record.

Comes in: calls, with facts that the caller has at hand anyway. Goes out: nothing here; this `Meter`
measures nothing, and is what tests and short runs are given. `meter_prometheus` keeps the numbers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingest.land.manifest import Manifest
    from ingest.land.source import Partition
    from ingest.land.surge import Surge


@dataclass(frozen=True)
class LaneState:
    """How far one partition is."""

    partition: "Partition"
    complete_to: int
    """Everything below is on S3."""
    read_to: int
    """The offset after the last record that was read."""
    held: int
    """Bytes of memory that wait for the cut, about."""
    opened_at: float | None
    """When the oldest record that waits was read, seconds since 1970; None where none waits."""
    oldest_ms: int | None
    """The least of Kafka's timestamps among those that wait."""


class Meter:
    """Measures nothing. A meter may be called from one thread only, but for `aws_…` and `library`."""

    def step(self) -> None:
        """The loop came round, or a long step made progress."""

    def budget(self, bytes_: int) -> None:
        """How much memory may wait for cuts."""

    def lanes(self, lanes: Iterable[LaneState]) -> None:
        """All partitions that this process reads now."""

    def ends(self, ends: Mapping["Partition", int]) -> None:
        """The offsets after the last records, of all partitions of the topics."""

    def cut(self, manifest: "Manifest", object_bytes: Iterable[int]) -> None:
        """A cut is on S3; the sizes of its objects as stored, in no order."""

    def adopted(self, partition: "Partition") -> None:
        """Another lander was first; its cut was completed."""

    def lost(self, topic: str, records: int) -> None:
        """So many offsets are lost for good: dropped by Kafka before they were on S3."""

    def hour_log(self, topic: str, sequence: int, unsealed: int) -> None:
        """The log's last number, and how many hours are not sealed yet."""

    def surge(self, surge: "Surge") -> None:
        """Most records of a kind were set aside, or claimed by nobody."""

    def sent(self, lines: int, bytes_: int) -> None:
        """A transaction of a tail is committed."""

    def files(self, open_: int, unread_bytes: int) -> None:
        """The files that a tail follows, and what of them it has not sent yet."""

    def event(self, level: str, event: str) -> None:
        """A structured log event; `event` is one of the names in docs/operations.md."""

    def aws_call(self, service: str, operation: str, outcome: str) -> None:
        """A call of S3 or Glue came to its end: `ok`, or AWS's or botocore's name of the error."""

    def aws_retry(self, service: str, operation: str) -> None:
        """An attempt of a call that was not the first."""

    def library(self, level: str) -> None:
        """Kafka's client library logged a `warning` or an `error`, which it deals with itself."""
