"""A Kinesis stream in memory, on moto's Kinesis as the sandbox has it, with every fault a test wants."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from moto import mock_aws
from moto.kinesis import models

from ingest.land import kinesis_range, kinesis_shard, lander
from ingest.land.source import Partition
from ingest.land.source_kinesis import KinesisSource, Known, Share
from sandbox import kinesis

SESSION = botocore.session.get_session()
"""One for all tests: it keeps what it read of Kinesis's API."""

Fault = Callable[[str, Mapping[str, Any]], Exception | None]
"""Operation and parameters to the error that Kinesis answers with, if it does."""


class FaultyClient:
    """A client of Kinesis; `fault` may answer instead."""

    def __init__(self, client: Any, fault: Fault | None = None) -> None:
        self._client = client
        self.fault = fault
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        ask = getattr(self._client, name)

        def asked(**parameters: Any) -> Any:
            self.calls.append(name)
            error = self.fault and self.fault(name, parameters)
            if error:
                raise error
            return ask(**parameters)

        return asked

    def close(self) -> None: ...


class MemoryStream:
    """One stream."""

    name = "t"

    def __init__(self, client: Any, shards: int) -> None:
        self._client = client
        client.create_stream(StreamName=self.name, ShardCount=shards)

    @property
    def model(self) -> kinesis.Stream:
        """What moto holds of it."""
        backend = models.kinesis_backends["123456789012"]["us-east-1"]
        stream: kinesis.Stream = backend.streams[self.name]
        return stream

    def shard(self, number: int) -> kinesis.Shard:
        return self.model.shards[f"shardId-{number:012}"]

    def put(self, number: int, *values: bytes) -> None:
        """Append to an open shard."""
        key = str(self.shard(number).starting_hash)
        records = [{"Data": v, "PartitionKey": "k", "ExplicitHashKey": key} for v in values]
        for at in range(0, len(records), 500):
            self._client.put_records(StreamName=self.name, Records=records[at : at + 500])

    def split(self, number: int) -> None:
        shard = self.shard(number)
        middle = (shard.starting_hash + shard.ending_hash) // 2
        self._client.split_shard(
            StreamName=self.name, ShardToSplit=shard.shard_id, NewStartingHashKey=str(middle)
        )

    def merge(self, one: int, other: int) -> None:
        self._client.merge_shards(
            StreamName=self.name,
            ShardToMerge=self.shard(one).shard_id,
            AdjacentShardToMerge=self.shard(other).shard_id,
        )

    def drop(self, number: int, count: int) -> None:
        """The retention drops the oldest `count` records of a shard."""
        records = self.shard(number).records
        for key in list(records)[:count]:
            del records[key]

    def expire(self, number: int) -> None:
        """A closed shard's last record was dropped: it is not listed any more."""
        del self.model.shards[self.shard(number).shard_id]

    def open_shards(self) -> list[int]:
        return [shard._shard_id for shard in self.model.shards.values() if shard.is_open]

    def delete(self) -> None:
        self._client.delete_stream(StreamName=self.name)

    def client(self, fault: Fault | None = None) -> FaultyClient:
        return FaultyClient(self._client, fault)

    def source(
        self,
        known: Known | None = None,
        share: Share | None = None,
        clock: Callable[[], float] | None = None,
        client: FaultyClient | None = None,
    ) -> KinesisSource:
        named: dict[str, Any] = {"clock": clock} if clock else {}
        made: Any = client or self.client()
        return KinesisSource(made, {self.name: known or Known()}, share, **named)

    def sequence_numbers(self, number: int) -> list[str]:
        return [str(key) for key in self.shard(number).records]


@contextmanager
def memory_stream(shards: int) -> Iterator[MemoryStream]:
    """A stream whose shards answer as often as they are asked."""
    kinesis.correct()
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(kinesis, "ANSWERS_A_SECOND", 1_000_000)
        patch.setattr(kinesis_shard, "IDLE_S", 0.0)
        patch.setattr(kinesis_shard, "BUSY_S", 0.0)
        patch.setattr(kinesis_range, "PAUSE_S", 0.0)
        patch.setattr(lander, "POLL_S", 0.0)
        client = SESSION.create_client(
            "kinesis",
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}),
        )
        yield MemoryStream(client, shards)


def partitions(numbers: Sequence[int]) -> list[Partition]:
    return [Partition(MemoryStream.name, number) for number in numbers]
