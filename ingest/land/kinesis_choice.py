"""Which streams and shards a lander reads, out of its options and settings.

Comes in: what was asked for, and what S3 has of the chains. Goes out: a `KinesisSource`.
"""

from typing import TYPE_CHECKING

import structlog

from datacore.errors import UsageError
from ingest import streams as kinesis_streams
from ingest.land.bucket import Bucket
from ingest.land.hours import read_ledger
from ingest.land.manifest import chains_prefix
from ingest.land.rules import Rules
from ingest.land.source_kinesis import KinesisSource, Known, Share

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

log = structlog.get_logger()


def reads_kinesis(source: str, share: Share | None, until_caught_up: bool) -> bool:
    """Whether Kinesis is read. Raises UsageError where shards were given that cannot be shared."""
    if share is not None and (until_caught_up or source != "kinesis"):
        raise UsageError(
            "--shards goes with --source kinesis, and not with --until-caught-up",
            "Kafka shares its partitions by itself; catching up reads all shards",
        )
    return source == "kinesis"


def idle_log_seconds(share: Share | None) -> float:
    """How long a stream's hour log may be silent.

    It proves that an idle shard was read to its end: more often than records are dropped. Of shares it
    also tells each lander how far the others' idle shards have come.
    """
    return 4 * 3600.0 if share is None else 600.0


def read_share(text: str | None) -> Share | None:
    """`2/3` to a Share. Raises UsageError."""
    if text is None:
        return None
    index, _, count = text.partition("/")
    if not (index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
        raise UsageError(f"--shards {text}: not I/N", "of three landers give 1/3, 2/3 and 3/3")
    return Share(int(index) - 1, int(count))


def kinesis_source(
    client: "KinesisClient",
    rules: Rules,
    asked: tuple[str, ...],
    bucket: Bucket,
    share: Share | None,
) -> KinesisSource:
    """The streams to land: those asked for, all of which must exist, or the contracts' topics."""
    wanted = asked or rules.topics()
    found = [name for name in wanted if kinesis_streams.describe(client, name) is not None]
    for name in wanted:
        if name not in found:
            if asked:
                raise kinesis_streams.missing_stream(name)
            log.warning("stream_missing", stream=name)
    if not found:
        raise UsageError(
            f"none of the contracts' topics exists as a stream: {', '.join(wanted)}",
            "make them, or check AWS_REGION and AWS_ENDPOINT_URL",
        )
    known = {
        name: Known(
            read_ledger(bucket, name).watermarks,
            frozenset(map(int, bucket.folders(chains_prefix(name)))),
        )
        for name in found
    }
    return KinesisSource(client, known, share)
