"""Kafka and Kinesis keep one contract: the lander cannot tell which it reads."""

from collections.abc import Callable

import pytest
from ingest_stage import Stage
from kafka import KafkaProducer
from kinesis_stage import KinesisStage

from datacore.aws import kinesis_client
from datacore.settings import load_settings
from ingest import topics
from ingest.land.source_kafka import KafkaSource
from ingest.land.source_kinesis import KinesisSource, Known
from tests import source_contract
from tests.source_contract import Subject

pytestmark = pytest.mark.sandbox

Check = Callable[[Subject], None]
CHECKS = [
    source_contract.check_order,
    source_contract.check_reading_again,
    source_contract.check_ends,
]


@pytest.mark.parametrize("check", CHECKS)
def test_kafka_keeps_the_sources_contract(stage: Stage, check: Check) -> None:
    settings = load_settings(stage.sandbox.env)
    found = topics.describe(stage.admin, [stage.topic])[stage.topic]
    two = [topics.Topic(found.name, found.id, (0, 1))]
    producer = KafkaProducer(bootstrap_servers=settings.kafka, linger_ms=5)

    def put(number: int, lines: list[bytes]) -> None:
        for line in lines:
            producer.send(stage.topic, line, partition=number)
        producer.flush()

    class TwoPartitions(KafkaSource):
        """`ends` asks Kafka for all partitions again; the contract has two."""

        def partitions(self):  # type: ignore[no-untyped-def]
            return tuple(p for p in super().partitions() if p.number < 2)

    check(Subject(stage.topic, put, lambda: TwoPartitions(settings, two, share=None)))
    producer.close()


@pytest.mark.parametrize("check", CHECKS)
def test_kinesis_keeps_the_sources_contract(
    stream_stage: KinesisStage, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = stream_stage
    for name, value in stage.sandbox.env.items():
        monkeypatch.setenv(name, value)
    settings = load_settings(stage.sandbox.env)
    stage.kinesis.delete_stream(StreamName=stage.topic)
    stage.kinesis.create_stream(StreamName=stage.topic, ShardCount=2)

    def source() -> KinesisSource:
        return KinesisSource(kinesis_client(settings), {stage.topic: Known()})

    check(Subject(stage.topic, lambda number, lines: stage.put(lines, shard=number), source))
