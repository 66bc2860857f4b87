"""Makes a kafka-python consumer deliver `Batch`es: its fetches are read by `record_batch`.

Comes in: a consumer. Goes out: the same consumer, whose `poll` gives lists of batches where it gave
lists of records. Groups, sessions, positions and retries stay kafka-python's. It has no public
place for this; what is used of its inside is here alone, and held by tests on a real broker.
"""

from typing import Any

from kafka import KafkaConsumer
from kafka.consumer.fetcher import Fetcher

from ingest.land.record_batch import Aborted, RecordBatches
from ingest.land.source import Batch

CHUNK = 512 * 1024
"""Bytes of records that are delivered at once: what they become stays in the processor's cache."""
OLD_RECORDS = 5_000
"""Records of an old format that are delivered at once."""


def deliver_batches(consumer: KafkaConsumer) -> None:
    """Make `consumer.poll` give `Batch`es, one a call if `max_poll_records` is 1."""
    consumer._fetcher.PartitionRecords = FetchedBatches  # type: ignore[assignment]


class FetchedBatches(Fetcher.PartitionRecords):
    """What one fetch brought of one partition."""

    def __init__(self, fetch_offset: int, tp: Any, records: Any, **options: Any) -> None:
        super().__init__(fetch_offset, tp, records, **options)  # type: ignore[no-untyped-call]
        aborted = [Aborted(o.producer_id, o.first_offset) for o in self.aborted_transactions]
        batches = RecordBatches(records._buffer, fetch_offset, aborted)
        self._batches = None if batches.old() else batches

    def take(self, n: int | None = None) -> list[Batch]:
        """The next batch, if there is one."""
        if self._batches is None:
            records = super().take(OLD_RECORDS)  # type: ignore[no-untyped-call]
            return [_batch(records)] if records else []
        batch = self._batches.take(CHUNK)
        self.next_fetch_offset = self._batches.next
        self.leader_epoch = self._batches.leader_epoch
        if self._batches.done:
            self.drain()  # type: ignore[no-untyped-call]
        return [batch] if batch else []


def _batch(records: list[Any]) -> Batch:
    """kafka-python's records in columns."""
    headers = [record.headers for record in records]
    return Batch(
        [record.offset for record in records],
        [record.timestamp for record in records],
        [record.value for record in records],
        headers if any(headers) else None,
    )
