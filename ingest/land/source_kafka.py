"""Kafka as a source: committed records only, partitions by the group or all by oneself.

Comes in: topics. Goes out: records, positions and ends. With `share`, landers of one group split
the partitions between them; without, this process reads all of them, whoever else does. Kafka's
committed offsets never decide where landing starts: the lander seeks to the end of its chain.
"""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

import structlog
from kafka import KafkaAdminClient, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from datacore.errors import ServiceUnreachable
from datacore.settings import Settings
from ingest import topics as kafka_topics
from ingest.kafka_client import kafka_errors, kafka_settings
from ingest.land.source import Batch, Hint, Partition, RetentionOutran
from ingest.land.source_fetch import deliver_batches

log = structlog.get_logger()

GROUP = "datacore-land"
READ_PATIENCE_S = 60.0
"""How long a range that is read again may bring nothing before that is an error."""


class KafkaSource:
    """Implements `ingest.land.source.Source`. For one thread."""

    def __init__(
        self, settings: Settings, topics: Sequence[kafka_topics.Topic], share: bool
    ) -> None:
        self._settings = settings
        self._topics = {topic.name: topic for topic in topics}
        self._sought: dict[TopicPartition, int] = {}
        with self._errors():
            self._admin = KafkaAdminClient(**kafka_settings(settings))
            self._consumer = self._make_consumer(GROUP)
            self._again: KafkaConsumer | None = None
            if share:
                self._consumer.subscribe(list(self._topics))
            else:
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
        )
        deliver_batches(consumer)
        return consumer

    def topic_id(self, topic: str) -> str:
        return self._topics[topic].id

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
        found = {Partition(*partition): batches[0] for partition, batches in polled.items()}
        for partition, batch in found.items():
            self._sought[TopicPartition(*partition)] = batch.offsets[-1] + 1
        return found

    def _seek_again(self) -> None:
        """A rebalance forgot where we were in partitions that stayed with us."""
        for partition in self._consumer.assignment():
            if partition in self._sought:
                self._consumer.seek(partition, self._sought[partition])

    def seek(self, partition: Partition, offset: int) -> None:
        asked = TopicPartition(*partition)
        self._sought[asked] = offset
        if asked in self._consumer.assignment():
            self._consumer.seek(asked, offset)

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

    def begins(self, partition: Partition) -> int:
        asked = TopicPartition(*partition)
        with self._errors():
            return int(self._consumer.beginning_offsets([asked])[asked])

    def ends(self) -> dict[Partition, int]:
        with self._errors():
            # partitions may have been added since
            self._topics |= kafka_topics.describe(self._admin, self._topics)
        asked = [TopicPartition(*partition) for partition in self.partitions()]
        with self._errors():
            return {Partition(*p): end for p, end in kafka_topics.ends(self._admin, asked).items()}

    def hint(self, partition: Partition) -> Hint | None:
        with self._errors():
            found = self._consumer.committed(TopicPartition(*partition), metadata=True)
        try:
            return Hint(first=int(json.loads(found.metadata)["first"]), next=int(found.offset))
        except (AttributeError, ValueError, KeyError, TypeError):
            return None

    def acknowledge(self, partition: Partition, hint: Hint) -> None:
        metadata = json.dumps({"first": hint.first})
        try:
            self._consumer.commit(
                {TopicPartition(*partition): OffsetAndMetadata(hint.next, metadata, -1)}
            )
        except KafkaError as error:
            log.info(
                "hint_not_kept", topic=partition.topic, partition=partition.number, why=str(error)
            )

    def read(self, partition: Partition, first: int, next_: int) -> Iterator[Batch]:
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
