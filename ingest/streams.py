"""What Kinesis says about streams: which exist, how long they keep records, and their shards.

Comes in: a client. Goes out: plain facts, and a UsageError that names a missing stream. A shard's
number is the number in its id: `shardId-000000000012` is 12. Never makes a stream.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from datacore.aws import aws_errors, error_code
from datacore.errors import ServiceUnreachable, UsageError

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import ListShardsInputTypeDef, ShardTypeDef

SHARD = "shardId-"
KMS_REFUSED = (
    "KMSAccessDeniedException",
    "KMSDisabledException",
    "KMSInvalidStateException",
    "KMSNotFoundException",
    "KMSOptInRequired",
)


@dataclass(frozen=True)
class Stream:
    """A stream as Kinesis describes it. `id` changes when a stream is deleted and made again."""

    name: str
    id: str
    created_at: float
    """Seconds since 1970."""
    retention_s: float
    """How long a record is kept."""


@dataclass(frozen=True)
class Shard:
    """A shard that is not expired."""

    number: int
    parents: tuple[int, ...]


def shard_id(number: int) -> str:
    """The id of a shard."""
    return f"{SHARD}{number:012}"


def missing_stream(name: str) -> UsageError:
    """The error for a stream that Kinesis does not have."""
    return UsageError(
        f"stream {name!r} does not exist",
        "make it (aws kinesis create-stream), or check the name, AWS_REGION and AWS_ENDPOINT_URL",
    )


def describe(client: "KinesisClient", name: str) -> Stream | None:
    """The stream, or None where there is none of this name."""
    with kinesis_errors():
        try:
            answer = client.describe_stream_summary(StreamName=name)
        except ClientError as error:
            if error_code(error) == "ResourceNotFoundException":
                return None
            raise
    found = answer["StreamDescriptionSummary"]
    if found["StreamStatus"] in ("CREATING", "DELETING"):
        raise ServiceUnreachable(f"stream {name!r} is {found['StreamStatus']}", "try again later")
    created = found["StreamCreationTimestamp"]
    return Stream(
        name=name,
        id=f"{found['StreamARN']} {created.astimezone(UTC).isoformat(timespec='seconds')}",
        created_at=created.timestamp(),
        retention_s=found["RetentionPeriodHours"] * 3600.0,
    )


def shards(client: "KinesisClient", name: str) -> dict[int, Shard]:
    """All shards that hold records or can get some, by number: open ones and closed ones."""
    found: list[ShardTypeDef] = []
    asked: ListShardsInputTypeDef = {"StreamName": name}
    with kinesis_errors():
        while True:
            answer = client.list_shards(**asked)
            found += answer["Shards"]
            if not answer.get("NextToken"):
                break
            asked = {"NextToken": answer["NextToken"]}
    return {shard.number: shard for shard in map(_shard, found)}


def _shard(found: "ShardTypeDef") -> Shard:
    parents = (found.get("ParentShardId"), found.get("AdjacentParentShardId"))
    return Shard(_number(found["ShardId"]), tuple(_number(one) for one in parents if one))


def _number(text: str) -> int:
    return int(text.removeprefix(SHARD))


@contextmanager
def kinesis_errors() -> Iterator[None]:
    """`aws_errors`, and a UsageError where the stream's key may not be used."""
    try:
        with aws_errors("Kinesis"):
            yield
    except ServiceUnreachable as error:
        cause = error.__cause__
        if isinstance(cause, ClientError) and error_code(cause) in KMS_REFUSED:
            raise UsageError(
                f"Kinesis: {cause}", "check the stream's key and the right to kms:Decrypt"
            ) from cause
        raise
