"""What reading Kafka has in common whichever client reads: topics, partitions, ends, hints.

Comes in: topics. Goes out: what `ingest.land.source.Source` asks of them. No records. The admin
client is kafka-python's always: a client that reads fast is not needed for it.
"""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from enum import Enum

from kafka import KafkaAdminClient, TopicPartition
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor

from datacore.errors import ServiceUnreachable
from datacore.settings import Settings
from ingest import topics as kafka_topics
from ingest.kafka_client import kafka_errors, kafka_settings
from ingest.land.source import Hint, Partition

GROUP = "datacore-land"
READ_PATIENCE_S = 60.0
"""How long a range that is read again may bring nothing before that is an error."""
METADATA_S = 30
"""After so long at the most a group learns of partitions that were added."""


class Rebalance(Enum):
    """How a group's members hand partitions over: all at once, or only those that move."""

    EAGER = RangePartitionAssignor
    COOPERATIVE = CooperativeStickyAssignor


class KafkaTopics:
    """The topics that are landed, as Kafka describes them."""

    def __init__(self, settings: Settings, topics: Sequence[kafka_topics.Topic]) -> None:
        self._settings = settings
        self._topics = {topic.name: topic for topic in topics}
        with self._errors():
            self._admin = KafkaAdminClient(**kafka_settings(settings))

    def _errors(self) -> AbstractContextManager[None]:
        return kafka_errors(self._settings)

    def topic_id(self, topic: str) -> str | None:
        """The topic's id now; None where there is no such topic."""
        with self._errors():
            found = kafka_topics.describe_known(self._admin, topic)
        return found.id if found else None

    def partitions(self) -> tuple[Partition, ...]:
        """All partitions of all topics, as of `ends`."""
        return tuple(
            Partition(topic.name, number)
            for topic in self._topics.values()
            for number in topic.partitions
        )

    def ends(self) -> dict[Partition, int]:
        """For all partitions the offset after the last record, open transactions included."""
        with self._errors():
            # partitions may have been added since, and a topic may be gone
            found = kafka_topics.describe(self._admin, self._topics)
            absent = {name: kafka_topics.Topic(name, "", ()) for name in self._topics}
            self._topics = absent | found
        asked = [TopicPartition(*partition) for partition in self.partitions()]
        with self._errors():
            return {Partition(*p): end for p, end in kafka_topics.ends(self._admin, asked).items()}

    def closed(self, partition: Partition) -> bool:
        """Never: a partition of Kafka takes records as long as it is there."""
        return False

    def close(self) -> None:
        """Close the admin client."""
        self._admin.close()


def hint_metadata(hint: Hint) -> str:
    """What is committed with an offset: the rest of the hint."""
    return json.dumps({"first": hint.first, "generation": hint.generation, "digest": hint.digest})


def read_hint(offset: int, metadata: str | None) -> Hint | None:
    """A hint as it was committed; None for what another program left there."""
    try:
        held = json.loads(metadata or "")
        return Hint(
            first=int(held["first"]),
            next=int(offset),
            generation=int(held["generation"]),
            digest=str(held["digest"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


def gave_nothing(partition: Partition) -> ServiceUnreachable:
    """The error where a range that is there does not come."""
    return ServiceUnreachable(
        f"Kafka gave nothing of {partition.topic}-{partition.number} for a minute",
        "check the partition's leader, then try again",
    )
