"""Kafka as a source: committed records only, partitions by the group or all by oneself.

Comes in: topics. Goes out: records, positions and ends. With a rebalance protocol, landers of one
group split the partitions between them; without, this process reads all of them, whoever else does.
Kafka's committed offsets never decide where landing starts: the lander seeks to the end of its chain.
"""

import time
from collections.abc import Iterator, Sequence

import structlog
from kafka import (
    ConsumerRebalanceListener,
    KafkaConsumer,
    OffsetAndMetadata,
    TopicPartition,
)
from kafka.errors import (
    KafkaError,
    LogTruncationError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)

from datacore.errors import UsageError
from datacore.settings import Settings
from ingest import topics as kafka_topics
from ingest.kafka_client import kafka_settings
from ingest.land.source import Batch, Hint, Mark, Partition, RetentionOutran, Source
from ingest.land.source_fetch import deliver_batches
from ingest.land.source_group import finish_joining
from ingest.land.source_topics import (
    GROUP,
    METADATA_S,
    READ_PATIENCE_S,
    KafkaTopics,
    Rebalance,
    gave_nothing,
    hint_metadata,
    read_hint,
)

log = structlog.get_logger()


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


class KafkaSource(KafkaTopics):
    """Implements `ingest.land.source.Source` with kafka-python. For one thread.

    `share` None reads all partitions without a group.
    """

    def __init__(
        self, settings: Settings, topics: Sequence[kafka_topics.Topic], share: Rebalance | None
    ) -> None:
        super().__init__(settings, topics)
        self._shared = share
        self._sought: dict[TopicPartition, int] = {}
        with self._errors():
            self._consumer = self._make_consumer(GROUP)
            self._again: KafkaConsumer | None = None
            if share is not None:
                listener = _Seeker(self._consumer, self._sought)
                self._consumer.subscribe(list(self._topics), listener=listener)
            else:
                self._assign_all()

    def _assign_all(self) -> None:
        self._consumer.assign([TopicPartition(*p) for p in self.partitions()])

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
        finish_joining(self._consumer)
        found = {Partition(*partition): batches[0] for partition, batches in polled.items()}
        for partition, batch in found.items():
            self._sought[TopicPartition(*partition)] = batch.offsets[-1] + 1
        return found

    def _seek_again(self) -> None:
        """A rebalance forgot where we were in partitions that stayed with us.

        One that the lander has not sought yet waits, and does not keep the others waiting.
        """
        for partition in self._consumer.assignment():
            if partition in self._sought:
                self._consumer.seek(partition, self._sought[partition])
            else:
                self._consumer.pause(partition)
                self._consumer.seek(partition, 0)

    def seek(self, partition: Partition, mark: Mark) -> None:
        asked = TopicPartition(*partition)
        self._sought[asked] = mark.offset
        if asked in self._consumer.assignment():
            self._consumer.seek(asked, mark.offset)
            self._consumer.resume(asked)

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

    def ends(self) -> dict[Partition, int]:
        found = super().ends()
        if self._shared is None:
            with self._errors():
                self._assign_all()
        return found

    def hint(self, partition: Partition) -> Hint | None:
        with self._errors():
            found = self._consumer.committed(TopicPartition(*partition), metadata=True)
        return read_hint(found.offset, found.metadata) if found else None

    def acknowledge(self, partition: Partition, hint: Hint) -> None:
        """Only for a partition that is ours; if it is not any more, Kafka's fencing tells too."""
        asked = TopicPartition(*partition)
        if asked not in self._consumer.assignment():
            return
        try:
            self._consumer.commit({asked: OffsetAndMetadata(hint.next, hint_metadata(hint), -1)})
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
                raise gave_nothing(partition)

    def _position_of(self, reader: KafkaConsumer, partition: TopicPartition) -> int:
        with self._errors():
            return int(reader.position(partition))

    def close(self) -> None:
        for client in (self._consumer, self._again):
            if client is not None:
                client.close()
        super().close()


def kafka_source(
    settings: Settings, topics: Sequence[kafka_topics.Topic], share: Rebalance | None
) -> Source:
    """The source of the client that the settings name. Raises UsageError where it is absent."""
    if settings.kafka_client == "kafka-python":
        return KafkaSource(settings, topics, share)
    try:
        from ingest.land.source_confluent import ConfluentSource
    except ImportError as error:
        raise UsageError(
            "DATACORE_KAFKA_CLIENT=confluent needs the package confluent-kafka",
            "install the extra `fast`: `uv sync --extra fast`",
        ) from error
    return ConfluentSource(settings, topics, share)
