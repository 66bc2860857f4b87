"""Kafka as a source: committed records only, partitions by the group or all by oneself.

Comes in: topics. Goes out: records, positions and ends. With a rebalance protocol, landers of one
group split the partitions between them; without, this process reads all of them, whoever else does.
Kafka's committed offsets never decide where landing starts: the lander seeks to the end of its chain.
"""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from enum import Enum

import structlog
from kafka import (
    ConsumerRebalanceListener,
    KafkaAdminClient,
    KafkaConsumer,
    OffsetAndMetadata,
    TopicPartition,
)
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import (
    KafkaError,
    LogTruncationError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)

from datacore.errors import ServiceUnreachable
from datacore.settings import Settings
from ingest import topics as kafka_topics
from ingest.kafka_client import kafka_errors, kafka_settings
from ingest.land.source import Batch, Hint, Mark, Partition, RetentionOutran
from ingest.land.source_fetch import deliver_batches

log = structlog.get_logger()

GROUP = "datacore-land"
READ_PATIENCE_S = 60.0
"""How long a range that is read again may bring nothing before that is an error."""


METADATA_S = 30
"""After so long at the most a group learns of partitions that were added."""


class Rebalance(Enum):
    """How a group's members hand partitions over: all at once, or only those that move."""

    EAGER = RangePartitionAssignor
    COOPERATIVE = CooperativeStickyAssignor


class _Seeker(ConsumerRebalanceListener):
    """Sets a partition that came back to where it was left, before anything of it is fetched.

    Else the consumer would begin at the group's committed offset, which is a hint and may be wrong.
    """

    def __init__(self, consumer: KafkaConsumer, sought: dict[TopicPartition, int]) -> None:
        self._consumer = consumer
        self._sought = sought

    def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """What is held of them stays until the lander sees them gone."""

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        for partition in assigned:
            if partition in self._sought:
                self._consumer.seek(partition, self._sought[partition])


class KafkaSource:
    """Implements `ingest.land.source.Source`. For one thread.

    `share` None reads all partitions without a group.
    """

    def __init__(
        self, settings: Settings, topics: Sequence[kafka_topics.Topic], share: Rebalance | None
    ) -> None:
        self._settings = settings
        self._topics = {topic.name: topic for topic in topics}
        self._shared = share
        self._sought: dict[TopicPartition, int] = {}
        with self._errors():
            self._admin = KafkaAdminClient(**kafka_settings(settings))
            self._consumer = self._make_consumer(GROUP)
            self._again: KafkaConsumer | None = None
            if share is not None:
                listener = _Seeker(self._consumer, self._sought)
                self._consumer.subscribe(list(self._topics), listener=listener)
            else:
                self._assign_all()

    def _assign_all(self) -> None:
        self._consumer.assign([TopicPartition(*p) for p in self.partitions()])

    def _errors(self) -> AbstractContextManager[None]:
        return kafka_errors(self._settings)

    def _make_consumer(self, group: str | None) -> KafkaConsumer:
        consumer = KafkaConsumer(
            **kafka_settings(self._settings),
            group_id=group,
            isolation_level="read_committed",
            auto_offset_reset="none",
            enable_auto_commit=False,
            allow_auto_create_topics=False,
            max_poll_records=1,  # of the batches that it is made to deliver
            metrics_enabled=False,
            fetch_max_bytes=16 * 1024 * 1024,
            max_partition_fetch_bytes=4 * 1024 * 1024,
            fetch_max_wait_ms=250,
            max_poll_interval_ms=600_000,
            session_timeout_ms=15_000,
            metadata_max_age_ms=METADATA_S * 1000,
            partition_assignment_strategy=[(self._shared or Rebalance.EAGER).value],
        )
        deliver_batches(consumer)
        return consumer

    def topic_id(self, topic: str) -> str | None:
        with self._errors():
            found = kafka_topics.describe_known(self._admin, topic)
        return found.id if found else None

    def partitions(self) -> tuple[Partition, ...]:
        return tuple(
            Partition(topic.name, number)
            for topic in self._topics.values()
            for number in topic.partitions
        )

    def assigned(self) -> frozenset[Partition]:
        return frozenset(Partition(*found) for found in self._consumer.assignment())

    def poll(self, seconds: float) -> dict[Partition, Batch]:
        with self._errors():
            try:
                polled = self._consumer.poll(timeout_ms=int(seconds * 1000))
            except NoOffsetForPartitionError:
                self._seek_again()
                return {}
            except OffsetOutOfRangeError as error:
                raise RetentionOutran(Partition(*next(iter(error.args[0])))) from error
            except LogTruncationError as error:
                raise RetentionOutran(Partition(*next(iter(error.divergent_offsets)))) from error
        found = {Partition(*partition): batches[0] for partition, batches in polled.items()}
        for partition, batch in found.items():
            self._sought[TopicPartition(*partition)] = batch.offsets[-1] + 1
        return found

    def _seek_again(self) -> None:
        """A rebalance forgot where we were in partitions that stayed with us."""
        for partition in self._consumer.assignment():
            if partition in self._sought:
                self._consumer.seek(partition, self._sought[partition])

    def seek(self, partition: Partition, mark: Mark) -> None:
        asked = TopicPartition(*partition)
        self._sought[asked] = mark.offset
        if asked in self._consumer.assignment():
            self._consumer.seek(asked, mark.offset)

    def position(self, partition: Partition) -> int:
        asked = TopicPartition(*partition)
        if asked not in self._consumer.assignment():
            return self._sought[asked]
        with self._errors():
            try:
                return int(self._consumer.position(asked))
            except NoOffsetForPartitionError:
                # a partition that just came to us, perhaps another one, has none yet
                return self._sought[asked]

    def dropped(self, partition: Partition, mark: Mark) -> Mark | None:
        asked = TopicPartition(*partition)
        with self._errors():
            begins = int(self._consumer.beginning_offsets([asked])[asked])
        return Mark(begins) if begins > mark.offset else None

    def closed(self, partition: Partition) -> bool:
        return False

    def ends(self) -> dict[Partition, int]:
        with self._errors():
            # partitions may have been added since, and a topic may be gone
            found = kafka_topics.describe(self._admin, self._topics)
            absent = {name: kafka_topics.Topic(name, "", ()) for name in self._topics}
            self._topics = absent | found
            if self._shared is None:
                self._assign_all()
        asked = [TopicPartition(*partition) for partition in self.partitions()]
        with self._errors():
            return {Partition(*p): end for p, end in kafka_topics.ends(self._admin, asked).items()}

    def hint(self, partition: Partition) -> Hint | None:
        with self._errors():
            found = self._consumer.committed(TopicPartition(*partition), metadata=True)
        try:
            held = json.loads(found.metadata)
            return Hint(
                first=int(held["first"]),
                next=int(found.offset),
                generation=int(held["generation"]),
                digest=str(held["digest"]),
            )
        except (AttributeError, ValueError, KeyError, TypeError):
            return None

    def acknowledge(self, partition: Partition, hint: Hint) -> None:
        """Only for a partition that is ours; if it is not any more, Kafka's fencing tells too."""
        asked = TopicPartition(*partition)
        if asked not in self._consumer.assignment():
            return
        metadata = json.dumps(
            {"first": hint.first, "generation": hint.generation, "digest": hint.digest}
        )
        try:
            self._consumer.commit({asked: OffsetAndMetadata(hint.next, metadata, -1)})
        except KafkaError as error:
            log.info(
                "hint_not_kept", topic=partition.topic, partition=partition.number, why=str(error)
            )

    def read(
        self, partition: Partition, first: int, next_: int, names: tuple[str, str] | None = None
    ) -> Iterator[Batch]:
        asked = TopicPartition(*partition)
        with self._errors():
            if self._again is None:
                self._again = self._make_consumer(None)
            reader = self._again
            reader.assign([asked])
            reader.seek(asked, first)
        deadline = time.monotonic() + READ_PATIENCE_S
        while self._position_of(reader, asked) < next_:
            with self._errors():
                try:
                    batches = reader.poll(timeout_ms=500).get(asked, [])
                except OffsetOutOfRangeError as error:
                    raise RetentionOutran(partition) from error
            if batches:
                deadline = time.monotonic() + READ_PATIENCE_S
                batch = batches[0].within(first, next_)
                if batch is not None:
                    yield batch
            elif time.monotonic() > deadline:
                raise ServiceUnreachable(
                    f"Kafka gave nothing of {partition.topic}-{partition.number} for a minute",
                    "check the partition's leader, then try again",
                )

    def _position_of(self, reader: KafkaConsumer, partition: TopicPartition) -> int:
        with self._errors():
            return int(reader.position(partition))

    def close(self) -> None:
        for client in (self._consumer, self._again, self._admin):
            if client is not None:
                client.close()  # type: ignore[no-untyped-call]  # kafka-python is untyped
