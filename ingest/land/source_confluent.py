"""Kafka as a source by confluent-kafka (librdkafka), which the extra `fast` installs.

Comes in: topics. Goes out: what `KafkaSource` gives, by the same rules: committed records only, and
never from an offset that the lander did not ask for. A partition is paused until it is sought.
"""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import compress
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from datacore.errors import DatacoreError, ServiceUnreachable, UsageError
from datacore.settings import Settings
from ingest import topics as kafka_topics
from ingest.kafka_diagnosis import diagnose
from ingest.kafka_security import read_security
from ingest.land.source import Batch, Hint, Mark, Partition, RetentionOutran
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

PATIENCE_S = 30.0
"""How long a request may take."""
CHUNK = 512 * 1024
"""Bytes of values that are taken at once, about."""
FEWEST_RECORDS, MOST_RECORDS = 50, 2_000
QUEUED_KIB = 32 * 1024
"""What librdkafka may hold of records not yet taken, over all partitions."""

STRATEGY = {Rebalance.EAGER: "range", Rebalance.COOPERATIVE: "cooperative-sticky"}
OUTRAN = frozenset(
    {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._LOG_TRUNCATION}
)
REFUSED = frozenset(
    {
        KafkaError._AUTHENTICATION,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    }
)


class ConfluentSource(KafkaTopics):
    """Implements `ingest.land.source.Source` with confluent-kafka. For one thread.

    `share` None reads all partitions without a group.
    """

    def __init__(
        self, settings: Settings, topics: Sequence[kafka_topics.Topic], share: Rebalance | None
    ) -> None:
        super().__init__(settings, topics)
        self._shared = share
        self._positions: dict[Partition, int] = {}
        """Where each partition goes on, from the lander's first `seek` of it on."""
        self._assigned: set[Partition] = set()
        self._cooperative = share is Rebalance.COOPERATIVE
        self._take = 500
        """Records to take at once."""
        self._stopped: set[Partition] = set()
        """What librdkafka gave up, for Kafka does not hold its offset: it takes no `seek` any more."""
        self._waiting: DatacoreError | None = None
        """An error that came together with records."""
        self._again: Consumer | None = None
        with self._client_errors():
            self._consumer = self._make_consumer(GROUP)
            if share is None:
                self._assign_new()
            else:
                self._consumer.subscribe(
                    list(self._topics), on_assign=self._on_assign, on_revoke=self._on_revoke,
                    on_lost=self._on_revoke,
                )  # fmt: skip

    def _make_consumer(self, group: str) -> Consumer:
        partitions = max(1, len(self.partitions()))
        return Consumer(
            {
                "bootstrap.servers": self._settings.kafka,
                **read_security(self._settings).for_librdkafka(),
                "group.id": group,
                "isolation.level": "read_committed",
                "auto.offset.reset": "error",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,  # tells how far it read where only markers follow
                "allow.auto.create.topics": False,
                "check.crcs": True,
                "fetch.max.bytes": 16 * 1024 * 1024,
                "max.partition.fetch.bytes": 4 * 1024 * 1024,
                "fetch.wait.max.ms": 250,
                "queued.min.messages": 10_000,
                "fetch.queue.backoff.ms": 20,  # its default, a second, would starve a small queue
                "queued.max.messages.kbytes": max(1024, QUEUED_KIB // partitions),
                "receive.message.max.bytes": 128 * 1024 * 1024,
                "max.poll.interval.ms": 600_000,
                "session.timeout.ms": 15_000,
                "topic.metadata.refresh.interval.ms": METADATA_S * 1000,
                "partition.assignment.strategy": STRATEGY[self._shared or Rebalance.EAGER],
            },
            logger=logging.getLogger("kafka.librdkafka"),
        )

    @contextmanager
    def _client_errors(self) -> Iterator[None]:
        """Turn librdkafka's errors into ours, as `kafka_errors` does kafka-python's."""
        try:
            yield
        except KafkaException as error:
            raise self._error(error.args[0]) from error

    def _error(self, error: KafkaError) -> UsageError | ServiceUnreachable:
        if error.code() in REFUSED:
            return UsageError(f"Kafka refused: {error.str()}", "check the client's rights")
        found = diagnose(self._settings.kafka, read_security(self._settings))
        return found or ServiceUnreachable(
            f"Kafka at {self._settings.kafka} cannot be reached: {error.str()}",
            "check DATACORE_KAFKA, DATACORE_KAFKA_SECURITY and that the broker runs, then try again",
        )

    def _assign_new(self) -> None:
        """Take what is new of all partitions, and leave what is gone."""
        wanted = set(self.partitions())
        if new := wanted - self._assigned:
            self._begin(self._consumer, sorted(new), incremental=True)
        if gone := self._assigned - wanted:
            self._consumer.incremental_unassign([TopicPartition(*p) for p in gone])
            self._assigned -= gone

    def _begin(self, consumer: Consumer, new: Sequence[Partition], incremental: bool) -> None:
        """Assign partitions where they were left; one that was never sought waits for that."""
        there = [TopicPartition(*p, self._positions.get(p, 0)) for p in new]
        if incremental:
            consumer.incremental_assign(there)
        else:
            consumer.assign(there)
        if unsought := [TopicPartition(*p) for p in new if p not in self._positions]:
            consumer.pause(unsought)
        self._assigned |= set(new)
        self._stopped -= set(new)

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        new = [Partition(p.topic, p.partition) for p in partitions]
        self._begin(consumer, new, self._cooperative)

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._assigned -= {Partition(p.topic, p.partition) for p in partitions}
        if self._cooperative:
            consumer.incremental_unassign(partitions)
        else:
            consumer.unassign()

    def assigned(self) -> frozenset[Partition]:
        return frozenset(self._assigned)

    def poll(self, seconds: float) -> dict[Partition, Batch]:
        self._raise_waiting()
        with self._client_errors():
            messages = self._consumer.consume(self._take, seconds)
        found = self._batches(messages, self._positions)
        self._aim(found.values())
        return {p: batch for p, batch in found.items() if p in self._assigned}

    def _aim(self, came: Iterable[Batch]) -> None:
        """Take as many records at once as `CHUNK` bytes were, going by the first few that came."""
        seen = [value for batch in came for value in batch.values[:20] if value is not None]
        if seen:
            fit = CHUNK * len(seen) // max(1, sum(map(len, seen)))
            self._take = max(FEWEST_RECORDS, min(MOST_RECORDS, fit))

    def _raise_waiting(self) -> None:
        if self._waiting is not None:
            error, self._waiting = self._waiting, None
            raise error

    def _batches(
        self, messages: list[Message], positions: dict[Partition, int]
    ) -> dict[Partition, Batch]:
        """Messages in columns by partition; `positions` go on.

        Raises what an event among them says if no record came with it; else that waits.
        """
        events: list[Message] = []
        if any(map(Message.error, messages)):
            events = [message for message in messages if message.error() is not None]
            messages = [message for message in messages if message.error() is None]
        found: dict[Partition, Batch] = {}
        for partition, mine in _by_partition(messages):
            found[partition] = batch = _batch(mine)
            positions[partition] = batch.offsets[-1] + 1
        for event in events:
            error = self._heed(event, positions)
            if error is not None and found:
                self._waiting = error  # what came before it is landed first
            elif error is not None:
                raise error
        return found

    def _heed(self, event: Message, positions: dict[Partition, int]) -> DatacoreError | None:
        """What comes in place of a record: an end of a partition, or an error."""
        error, topic, number = event.error(), event.topic(), event.partition()
        assert error is not None
        if topic is None or number is None:
            return self._error(error)
        partition = Partition(topic, number)
        if error.code() == KafkaError._PARTITION_EOF:
            reached = event.offset()
            if reached is not None and partition in positions:
                positions[partition] = max(reached, positions[partition])
        elif error.code() in OUTRAN:
            self._stopped.add(partition)
            return RetentionOutran(partition)
        elif error.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:  # the lander asks for the topic's id
            return self._error(error)
        return None

    def seek(self, partition: Partition, mark: Mark) -> None:
        before, offset = self._positions.get(partition), mark.offset
        self._positions[partition] = offset
        if partition not in self._assigned:
            return
        if before == offset and partition not in self._stopped:
            return
        with self._client_errors():
            if partition in self._stopped:
                self._assign_again(partition)
            else:
                self._seek_when_fetching(TopicPartition(*partition, offset))
                if before is None:
                    self._consumer.resume([TopicPartition(*partition)])

    def _seek_when_fetching(self, there: TopicPartition) -> None:
        """A partition that was assigned just now takes no `seek` before its fetcher stands."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                self._consumer.seek(there)
            except KafkaException as error:
                if error.args[0].code() != KafkaError._STATE or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return

    def _assign_again(self, partition: Partition) -> None:
        if self._shared is Rebalance.EAGER:
            self._begin(self._consumer, sorted(self._assigned), incremental=False)
        else:
            self._consumer.incremental_unassign([TopicPartition(*partition)])
            self._begin(self._consumer, [partition], incremental=True)

    def position(self, partition: Partition) -> int:
        return self._positions[partition]

    def dropped(self, partition: Partition, mark: Mark) -> Mark | None:
        with self._client_errors():
            low, _ = self._consumer.get_watermark_offsets(
                TopicPartition(*partition), timeout=PATIENCE_S
            )
        return Mark(int(low)) if low > mark.offset else None

    def ends(self) -> dict[Partition, int]:
        found = super().ends()
        if self._shared is None:
            with self._client_errors():
                self._assign_new()
        return found

    def hint(self, partition: Partition) -> Hint | None:
        with self._client_errors():
            (found,) = self._consumer.committed([TopicPartition(*partition)], timeout=PATIENCE_S)
        return read_hint(found.offset, found.metadata)

    def acknowledge(self, partition: Partition, hint: Hint) -> None:
        """Only for a partition that is ours; if it is not any more, Kafka's fencing tells too."""
        if partition not in self._assigned:
            return
        kept = TopicPartition(*partition, hint.next, hint_metadata(hint))
        try:
            self._consumer.commit(offsets=[kept], asynchronous=False)
        except KafkaException as error:
            log.info(
                "hint_not_kept",
                topic=partition.topic, partition=partition.number, why=str(error.args[0]),
            )  # fmt: skip

    def read(
        self, partition: Partition, first: int, next_: int, names: tuple[str, str] | None = None
    ) -> Iterator[Batch]:
        positions = {partition: first}
        with self._client_errors():
            if self._again is None:
                self._again = self._make_consumer(f"{GROUP}-again")
            reader = self._again
            reader.assign([TopicPartition(*partition, first)])
        deadline = time.monotonic() + READ_PATIENCE_S
        while positions[partition] < next_:
            self._raise_waiting()
            with self._client_errors():
                messages = reader.consume(self._take, 0.5)
            batch = self._batches(messages, positions).get(partition)
            if batch is not None:
                deadline = time.monotonic() + READ_PATIENCE_S
                within = batch.within(first, next_)
                if within is not None:
                    yield within
            elif time.monotonic() > deadline:
                raise gave_nothing(partition)
        with self._client_errors():
            reader.unassign()

    def close(self) -> None:
        for client in (self._consumer, self._again):
            if client is not None:
                client.close()
        super().close()


def _by_partition(messages: list[Message]) -> Iterator[tuple[Partition, list[Message]]]:
    """The messages of each partition in their order. Mostly all are of one, or of one topic."""
    topics = set(map(Message.topic, messages))
    numbers = list(map(Message.partition, messages))
    for topic in topics:
        assert topic is not None
        for number in set(numbers):
            assert number is not None
            mine = messages
            if len(set(numbers)) > 1:
                mine = list(compress(messages, map(number.__eq__, numbers)))
            if len(topics) > 1:
                mine = [message for message in mine if message.topic() == topic]
            if mine:
                yield Partition(topic, number), mine


def _batch(messages: list[Message]) -> Batch:
    """Messages of one partition in columns. `map` of a method costs half of a call of it."""
    offsets: list[Any] = list(map(Message.offset, messages))
    headers: list[Any] = list(map(Message.headers, messages))
    return Batch(
        offsets,
        [ms if kind else -1 for kind, ms in map(Message.timestamp, messages)],
        list(map(Message.value, messages)),
        [found or () for found in headers] if any(headers) else None,
    )
