"""The lander's floor: its own reader reads a topic to its end, and nothing is done with the columns.

`python -m benchmarks.ingest.columns CLIENT TOPIC`, CLIENT being kafka-python or confluent.
"""

import os
import sys
from dataclasses import replace

from kafka import KafkaAdminClient

from datacore.settings import load_settings
from ingest import topics
from ingest.kafka_client import kafka_errors, kafka_settings
from ingest.land.source import Mark
from ingest.land.source_kafka import kafka_source


def main(client: str, topic: str) -> None:
    """Read the topic to its end."""
    settings = replace(load_settings(), kafka_client=client)
    with kafka_errors(settings):
        admin = KafkaAdminClient(**kafka_settings(settings))
        found = topics.describe(admin, [topic])
    source = kafka_source(settings, list(found.values()), None)
    left = sum(source.ends().values())
    for partition in source.partitions():
        source.seek(partition, Mark(0))
    while left:
        left -= sum(map(len, source.poll(0.25).values()))
    os._exit(0)  # not to measure how each client takes its leave


if __name__ == "__main__":
    main(*sys.argv[1:])
