"""A stream of its own for a test, the lander on it, and what came of it on S3."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ingest_stage import Stage, wait_until

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

SHARDS = 3
LAST_KEY = 2**128 - 1


@dataclass
class KinesisStage(Stage):
    """A stage whose topic is a stream."""

    @cached_property
    def kinesis(self) -> "KinesisClient":
        return self.sandbox.kinesis

    def land_arguments(self, *more: str) -> tuple[str, ...]:
        asked = ("--contracts", str(self.contracts), "--topic", self.topic)
        return ("land", "--source", "kinesis", *asked, *more)

    def put(self, lines: Iterable[bytes], shard: int | None = None) -> None:
        """Append lines, spread over the open shards or all to one."""
        found = self.shards()
        open_ = [shard] if shard is not None else [n for n in found if not _closed(found[n])]
        records: list[Any] = [
            {
                "Data": line,
                "PartitionKey": "key",
                "ExplicitHashKey": found[open_[n % len(open_)]]["HashKeyRange"]["StartingHashKey"],
            }
            for n, line in enumerate(lines)
        ]
        for at in range(0, len(records), 500):
            done = self.kinesis.put_records(StreamName=self.topic, Records=records[at : at + 500])
            assert done["FailedRecordCount"] == 0

    def shards(self) -> dict[int, Any]:
        """Open and closed shards by number."""
        found = self.kinesis.list_shards(StreamName=self.topic)["Shards"]
        return {int(one["ShardId"].removeprefix("shardId-")): one for one in found}

    def split(self, number: int) -> None:
        keys = self.shards()[number]["HashKeyRange"]
        middle = (int(keys["StartingHashKey"]) + int(keys["EndingHashKey"])) // 2
        self.kinesis.split_shard(
            StreamName=self.topic, ShardToSplit=_id(number), NewStartingHashKey=str(middle)
        )

    def merge(self, one: int, other: int) -> None:
        self.kinesis.merge_shards(
            StreamName=self.topic, ShardToMerge=_id(one), AdjacentShardToMerge=_id(other)
        )

    def held(self, number: int) -> list[tuple[str, bytes]]:
        """Sequence numbers and data that Kinesis holds of a shard."""
        found: list[tuple[str, bytes]] = []
        iterator: str | None = self.kinesis.get_shard_iterator(
            StreamName=self.topic, ShardId=_id(number), ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while iterator:
            try:
                answer = self.kinesis.get_records(ShardIterator=iterator)
            except self.kinesis.exceptions.ProvisionedThroughputExceededException:
                time.sleep(0.3)  # five a second
                continue
            found += [(r["SequenceNumber"], r["Data"]) for r in answer["Records"]]
            if not answer["MillisBehindLatest"]:
                break
            iterator = answer.get("NextShardIterator")
        return found

    def drop_all_held(self) -> None:
        """Kinesis's retention takes everything that the stream holds now."""
        self._keep_for(1)
        wait_until(lambda: not any(self.held(number) for number in self.shards()), "the retention")
        self._keep_for(60)

    def _keep_for(self, seconds: int) -> None:
        tags = {"sandbox:retention-seconds": str(seconds)}
        self.kinesis.add_tags_to_stream(StreamName=self.topic, Tags=tags)

    def check_sequence_numbers(self) -> None:
        """Each shard's chain names the sequence numbers that Kinesis holds, each once, in order."""
        for number in self.shards():
            numbers = [sequence for sequence, _ in self.held(number)]
            at = 0
            for cut in (m for m in self.manifests() if m["partition"] == number):
                if cut["kind"] == "cut":
                    assert cut["source_first"] == numbers[at]
                    at += cut["records"]
                    assert cut["source_last"] == numbers[at - 1]
            assert at == len(numbers)


def _id(number: int) -> str:
    return f"shardId-{number:012}"


def _closed(shard: Any) -> bool:
    return "EndingSequenceNumber" in shard["SequenceNumberRange"]
