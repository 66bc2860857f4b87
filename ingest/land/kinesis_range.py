"""Records of a shard from a sequence number on, read again and apart from everything else.

Comes in: where, and a sequence number. Goes out: batches that are exactly the range that a manifest
names, or RetentionOutran. Throttling is waited out, up to a limit.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from datacore.aws import error_code
from datacore.errors import ServiceUnreachable
from ingest.land.aggregation import lines_of
from ingest.land.source import Batch, Partition, RetentionOutran
from ingest.streams import Stream, kinesis_errors, shard_id

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import RecordTypeDef

PATIENCE_S = 60.0
"""How long a shard may bring nothing before that is an error, where its answer is waited for."""
PAUSE_S = 0.25
"""Between two requests: Kinesis allows five a second and shard."""

TOO_MUCH = (
    "ProvisionedThroughputExceededException",
    "LimitExceededException",
    "KMSThrottlingException",
    "ThrottlingException",
)
DROPPED = ("InvalidArgumentException", "ResourceNotFoundException")
"""What Kinesis may say of a sequence number, or a shard, that it does not hold any more."""


@dataclass(frozen=True)
class Span:
    """A shard, and the means to read it."""

    client: "KinesisClient"
    stream: Stream
    partition: Partition
    pause: Callable[[float], None]


def read_again(span: Span, first: int, next_: int, names: tuple[str, str]) -> Iterator[Batch]:
    """The lines of [first, next_), which lie in the records from names[0] to names[1].

    Raises RetentionOutran where Kinesis no longer holds all of them.
    """
    offset = first
    for records in _answers(span, names[0], 2_000):
        wanted = [r for r in records if int(r["SequenceNumber"]) <= int(names[1])]
        if offset == first and (not wanted or wanted[0]["SequenceNumber"] != names[0]):
            raise RetentionOutran(span.partition)
        if wanted:
            batch = batch_of(wanted, offset)
            offset += len(batch)
            if offset > next_:
                break
            yield batch
        if offset == next_ or len(wanted) < len(records):
            break
    if offset != next_:
        raise RetentionOutran(span.partition)


def first_held(span: Span, number: str) -> str | None:
    """The sequence number of the first record at `number` or after it that is still held."""
    return next((records[0]["SequenceNumber"] for records in _answers(span, number, 1)), None)


def _answers(span: Span, number: str, limit: int) -> "Iterator[Sequence[RecordTypeDef]]":
    """Answers that hold records, from `number` on to the shard's tip or end."""
    iterator: str | None = None
    deadline = time.monotonic() + PATIENCE_S
    after = False
    while True:
        if time.monotonic() > deadline:
            raise ServiceUnreachable(
                f"Kinesis gave nothing of {span.partition.topic}-{span.partition.number} for a minute",
                "check the stream, and who else reads it, then try again",
            )
        with kinesis_errors():
            try:
                if iterator is None:
                    iterator = span.client.get_shard_iterator(
                        StreamName=span.stream.name,
                        ShardId=shard_id(span.partition.number),
                        ShardIteratorType="AFTER_SEQUENCE_NUMBER"
                        if after
                        else "AT_SEQUENCE_NUMBER",
                        StartingSequenceNumber=number,
                    )["ShardIterator"]
                answer = span.client.get_records(ShardIterator=iterator, Limit=limit)
            except ClientError as error:
                code = error_code(error)
                if code in DROPPED:
                    return
                if code == "ExpiredIteratorException":
                    iterator = None
                elif code in TOO_MUCH:
                    span.pause(4 * PAUSE_S)
                else:
                    raise
                continue
        iterator = answer.get("NextShardIterator")
        if answer["Records"]:
            deadline = time.monotonic() + PATIENCE_S
            number, after = answer["Records"][-1]["SequenceNumber"], True
            yield answer["Records"]
        if iterator is None or not answer.get("MillisBehindLatest"):
            return
        span.pause(PAUSE_S)


def batch_of(records: "Sequence[RecordTypeDef]", first: int) -> Batch:
    """The lines of records, numbered from `first` on."""
    timestamps: list[int] = []
    values: list[bytes] = []
    for record in records:
        lines = lines_of(record["Data"])
        values += lines
        arrived = round(record["ApproximateArrivalTimestamp"].timestamp() * 1000)
        timestamps += [arrived] * len(lines)
    return Batch(
        range(first, first + len(values)),
        timestamps,
        values,
        names=(records[0]["SequenceNumber"], records[-1]["SequenceNumber"]),
    )
