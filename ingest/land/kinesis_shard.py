"""One shard, read from a mark in its chain on, with the proof that nothing is passed over.

Comes in: a mark. Goes out: batches whose offsets count lines on from there. Kinesis passes over
records that it has dropped without a word, and its sequence numbers leave gaps anyway. It drops the
oldest first; so as long as the record before the mark is still there, all after it is: that record
is read again each time reading begins anew or is far behind. Where it is gone, either
the chain is known to be whole up to a time within the retention, or records may be lost, and that is
said. Throttling is waited out, expired iterators are made again. For one thread at a time.
"""

import random
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import structlog
from botocore.exceptions import ClientError

from datacore.aws import error_code
from datacore.errors import ServiceUnreachable
from ingest.land.kinesis_range import PATIENCE_S, TOO_MUCH, Span, batch_of, first_held
from ingest.land.source import Batch, Mark, Partition
from ingest.streams import Stream, describe, kinesis_errors, missing_stream, shard_id, shards

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import (
        GetRecordsOutputTypeDef,
        GetShardIteratorInputTypeDef,
        RecordTypeDef,
    )

log = structlog.get_logger()

BUSY_S = 0.2
"""Between two requests while there is more: Kinesis allows five a second and shard."""
IDLE_S = 1.0
"""Between two requests at the shard's tip."""
THROTTLED_S = (1.0, 10.0)
"""First and longest pause after a refusal for too many requests or bytes."""
ANSWER_BYTES = 2 << 20
"""About what one answer should hold: a shard gives 2 MiB a second."""
MOST_RECORDS = 10_000
"""What one answer can hold."""
EMPTY_ANSWERS = 50
"""So many empty answers in a row before the tip: the iterator is stuck in what was dropped."""


class ShardReader:
    """Reads a shard. `known_to` (seconds since 1970): the chain has all that arrived before.

    `whole`: the shard is so young that nothing of it can have been dropped.
    """

    def __init__(
        self,
        client: "KinesisClient",
        stream: Stream,
        partition: Partition,
        known_to: float,
        whole: bool,
        clock: Callable[[], float],
        pause: Callable[[float], None],
    ) -> None:
        self.partition = partition
        self.stream = stream
        self.mark = Mark(-1)
        """Of the next line that is given out."""
        self.batch: Batch | None = None
        """Read, but not given out."""
        self.lost: Mark | None = None
        """Where reading can go on after a loss; until then it stands still."""
        self.at_end = False
        """The shard takes no more records, and all were read."""
        self.seen_to = 0.0
        """What arrived before this time was read, seconds since 1970."""
        self.behind = 0.0
        """Seconds between the last answer and the shard's tip."""
        self.due_at = 0.0
        """Time (monotonic) of the next request."""
        self._client = client
        self._known_to = known_to
        self._whole = whole
        self._clock = clock
        self._pause = pause
        self._limit = 2_000
        self._backoff = 0.0
        self._begin(self.mark)

    def _begin(self, mark: Mark) -> None:
        self.mark = mark
        self.batch = self.lost = None
        self._ahead = mark
        """Of the next line that is read."""
        self._restart()

    def _restart(self, from_horizon: bool = False) -> None:
        self._iterator: str | None = None
        self._anchored = False
        self._from_horizon = from_horizon
        self._empty = 0

    @property
    def sought(self) -> bool:
        """Whether it was told where to begin."""
        return self.mark.offset >= 0

    @property
    def proven(self) -> bool:
        """Whether it is known that reading goes on where the mark is."""
        return self._anchored

    @property
    def read_to(self) -> int:
        """The offset after the last line read, given out or not."""
        return self._ahead.offset

    def seek(self, mark: Mark) -> None:
        """Begin at `mark`; where reading stands there already, nothing changes."""
        if mark != self.mark:
            self._begin(mark)

    def take(self) -> Batch | None:
        """What was read."""
        batch, self.batch = self.batch, None
        if batch is not None:
            self.mark = self._ahead
        return batch

    def prove(self) -> Mark | None:
        """Read until it is known that nothing before the mark's next record is lost.

        Where something may be, the mark to go on. Raises ServiceUnreachable.
        """
        deadline = time.monotonic() + PATIENCE_S
        while not self._anchored and self.lost is None:
            wait = self.due_at - time.monotonic()
            if wait > 0:
                self._pause(wait)
            self.fetch()
            if time.monotonic() > deadline and not self._anchored and self.lost is None:
                raise ServiceUnreachable(
                    f"Kinesis gave nothing of {self.partition.topic}-{self.partition.number} for a minute",
                    "check the stream, and who else reads it, then try again",
                )
        return self.lost

    def fetch(self) -> None:
        """One request. What it brings is in `batch`, `lost`, `at_end` and `seen_to`."""
        asked_at, before = self._clock(), self.behind
        answer = self._ask()
        if answer is None:
            return
        self._iterator = answer.get("NextShardIterator")
        self.behind = answer.get("MillisBehindLatest", 0) / 1000
        ended = self._iterator is None
        records = self._new(answer["Records"])
        if not self._anchored:
            self._anchor(records, at_tip=ended or not self.behind)
        elif records and before > self.stream.retention_s / 2 and not self._holds_last():
            self._may_have_lost(records[0]["SequenceNumber"])
        self.due_at = time.monotonic() + (BUSY_S if self.behind else IDLE_S)
        if not self._anchored:
            return
        if records:
            self._keep(records)
        self.seen_to = max(self.seen_to, asked_at - self.behind)
        self._known_to = max(self._known_to, self.seen_to)
        self.at_end = ended

    def _ask(self) -> "GetRecordsOutputTypeDef | None":
        """Kinesis's answer; None where it has to be asked again."""
        with kinesis_errors():
            try:
                if self._iterator is None:
                    self._iterator = self._new_iterator()
                answer = self._client.get_records(ShardIterator=self._iterator, Limit=self._limit)
            except ClientError as error:
                code = error_code(error)
                if code in TOO_MUCH:
                    self._back_off(code)
                elif code == "ExpiredIteratorException":
                    self._restart(self._from_horizon)
                elif code == "ResourceNotFoundException":
                    self._gone()
                elif code == "InvalidArgumentException" and self._iterator is None:
                    if self._from_horizon:
                        raise
                    self._restart(from_horizon=True)  # it does not know the number any more
                else:
                    raise
                return None
        self._backoff = 0.0
        return answer

    def _new_iterator(self) -> str:
        number = self._ahead.after or self._ahead.at
        asked: GetShardIteratorInputTypeDef = {
            "StreamName": self.stream.name,
            "ShardId": shard_id(self.partition.number),
            "ShardIteratorType": "TRIM_HORIZON",
        }
        if number is not None and not self._from_horizon:
            asked["ShardIteratorType"] = "AT_SEQUENCE_NUMBER"
            asked["StartingSequenceNumber"] = number
        return self._client.get_shard_iterator(**asked)["ShardIterator"]

    def _back_off(self, code: str) -> None:
        first, most = THROTTLED_S
        self._backoff = min(most, max(first, self._backoff * 2))
        self.due_at = time.monotonic() + self._backoff * random.uniform(0.5, 1)  # noqa: S311
        log.info("throttled", topic=self.partition.topic, partition=self.partition.number,
                 seconds=self._backoff, why=code)  # fmt: skip

    def _gone(self) -> None:
        """The shard expired: after a loss nothing more follows; else its end was not read.

        Raises UsageError where it is the stream that is gone.
        """
        if describe(self._client, self.stream.name) is None:
            raise missing_stream(self.stream.name)
        if self.partition.number in shards(self._client, self.stream.name):
            raise ServiceUnreachable(
                f"Kinesis lists {self.partition.topic}-{self.partition.number}, but cannot find it",
                "try again",
            )
        if self._ahead.after is None and self._ahead.at is None and self._ahead.offset:
            self._anchored = self.at_end = True
            self.seen_to = self._clock()
        else:
            self._may_have_lost(None)

    def _new(self, records: "Sequence[RecordTypeDef]") -> "Sequence[RecordTypeDef]":
        """The records from the mark on. The one that the mark names, or an older one, proves it."""
        named = self._ahead.after or self._ahead.at
        if self._anchored or not records or named is None:
            return records
        self._anchored = int(records[0]["SequenceNumber"]) <= int(named)
        least = int(named) + 1 if self._ahead.after else int(named)
        return [record for record in records if int(record["SequenceNumber"]) >= least]

    def _anchor(self, records: "Sequence[RecordTypeDef]", at_tip: bool) -> None:
        """Settle whether reading goes on at the mark, when the record before it is not there."""
        if not records and not at_tip:
            self._empty += 1
            stuck = self._empty >= EMPTY_ANSWERS or self.behind >= self.stream.retention_s - 60
            if stuck and not self._from_horizon:
                self._restart(from_horizon=True)
            return
        named = self._ahead.after or self._ahead.at
        margin = min(3600.0, self.stream.retention_s / 10)
        known = self._known_to > self._clock() - self.stream.retention_s + margin
        if (
            (self._ahead.at is None and known)
            or (named is None and self._whole)
            or (named is None and not records)  # nothing was landed, nothing is there: it begins
        ):
            self._anchored = True
        else:
            self._may_have_lost(records[0]["SequenceNumber"] if records else None)

    def _may_have_lost(self, held: str | None) -> None:
        """Stand still. `held` is the sequence number of the first record that is still there."""
        self._anchored = False
        self._iterator = None
        self.lost = Mark(self._ahead.offset + 1, at=held, extent_unknown=True)

    def _holds_last(self) -> bool:
        """Whether the last record read is still there: then so was all that came after it."""
        last = self._ahead.after
        if last is None:
            return True
        span = Span(self._client, self.stream, self.partition, self._pause)
        return first_held(span, last) == last

    def _keep(self, records: "Sequence[RecordTypeDef]") -> None:
        self.batch = batch_of(records, self._ahead.offset)
        average = sum(len(r["Data"]) for r in records) // len(records) + 1
        self._limit = max(100, min(MOST_RECORDS, ANSWER_BYTES // average))
        self._ahead = Mark(self.batch.offsets[-1] + 1, after=records[-1]["SequenceNumber"])
