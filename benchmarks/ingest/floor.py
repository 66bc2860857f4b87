"""The floor: a consumer that reads a topic to its end and does nothing with it.

`python -m benchmarks.ingest.floor CLIENT TOPIC`, CLIENT being kafka-python or confluent.
"""

import os
import sys
from collections.abc import Iterator
from typing import Any


def messages(client: str, topic: str) -> Iterator[list[Any]]:
    """The topic's messages in the client's own objects, in the lists that it gives."""
    broker = os.environ["DATACORE_KAFKA"]
    return (_confluent if client == "confluent" else _kafka_python)(broker, topic)


def _kafka_python(broker: str, topic: str) -> Iterator[list[Any]]:
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(
        bootstrap_servers=broker,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        fetch_max_bytes=16 * 1024 * 1024,
        max_partition_fetch_bytes=4 * 1024 * 1024,
        max_poll_records=5_000,
    )
    partitions = [TopicPartition(topic, n) for n in sorted(consumer.partitions_for_topic(topic))]
    consumer.assign(partitions)
    left = sum(consumer.end_offsets(partitions).values())
    while left:
        for records in consumer.poll(timeout_ms=500).values():
            left -= len(records)
            yield records


def _confluent(broker: str, topic: str) -> Iterator[list[Any]]:
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer(
        {
            "bootstrap.servers": broker,
            "group.id": "floor",
            "enable.auto.commit": False,
            "queued.max.messages.kbytes": 8192,
            "fetch.queue.backoff.ms": 20,
        }
    )
    numbers = sorted(consumer.list_topics(topic).topics[topic].partitions)
    left = sum(consumer.get_watermark_offsets(TopicPartition(topic, n))[1] for n in numbers)
    consumer.assign([TopicPartition(topic, number, 0) for number in numbers])
    while left:
        found = consumer.consume(1_000, 0.25)
        left -= len(found)
        yield found


if __name__ == "__main__":
    for _ in messages(*sys.argv[1:]):
        pass
