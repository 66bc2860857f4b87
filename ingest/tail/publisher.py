"""Lines and positions into Kafka, in one transaction each time.

Comes in: batches of lines. Goes out: committed messages with the headers `host`, `file` and `seq`
(decimal, from 0), and the position after them in a compacted topic. Either both are there or
neither; so a kill at any moment neither loses nor repeats a line for who reads committed messages.
A transaction that fails is left to the broker: the next producer of the same name, or the
timeout, ends it; asking a broker that is away to abort would wait for ever. While the broker is away
the batches are held and tried again by a new producer, which first asks what became of them.
"""

import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka import errors as kafka_error
from kafka.admin import NewTopic  # type: ignore[attr-defined]  # exported without __all__

from datacore.errors import Locked, ServiceUnreachable
from datacore.settings import Settings
from ingest import topics as kafka_topics
from ingest.headers import FILE, HOST, SEQUENCE, TOO_LARGE
from ingest.kafka_client import kafka_errors, kafka_settings
from ingest.tail.lines import Batch
from ingest.tail.position import Position
from ingest.tail.split import LongLine

log = structlog.get_logger()

POSITIONS = "_datacore_positions"
"""Compacted topic; key `<topic> <host> <file>`, value a Position."""

TRANSACTION_TIMEOUT_MS = 15_000
"""After this the broker aborts what a killed tail left open; readers wait as long at the most."""

PATIENCE_S = 30.0
"""How long the broker may take to acknowledge a transaction's messages, and to commit it."""

AWAY_S = 120.0
"""How long the broker may be away before that is an error."""
PAUSE_S = (1.0, 10.0)
"""First and longest pause between two tries."""

OVERHEAD = 4_096
"""Bytes of a batch around its largest message."""


def prepare(settings: Settings, topic: str) -> int:
    """Check the topic, make the positions' topic if absent; the longest line that `topic` takes.

    Raises UsageError for a missing topic, ServiceUnreachable.
    """
    with kafka_errors(settings):
        admin = KafkaAdminClient(**kafka_settings(settings))
        try:
            if topic not in kafka_topics.describe(admin, [topic]):
                raise kafka_topics.missing_topic(topic)
            if POSITIONS not in kafka_topics.describe(admin, [POSITIONS]):
                _make_positions(admin)
            return kafka_topics.max_message_bytes(admin, topic) - OVERHEAD
        finally:
            admin.close()


def _make_positions(admin: KafkaAdminClient) -> None:
    wanted = NewTopic(
        POSITIONS,
        num_partitions=1,
        replication_factor=-1,
        topic_configs={"cleanup.policy": "compact"},
    )
    try:
        admin.create_topics([wanted])
    except kafka_error.TopicAlreadyExistsError:
        return


def read_positions(settings: Settings, topic: str, host: str) -> dict[str, Position]:
    """The last committed position of every log of `host` in `topic`, by file.

    Waits for open transactions: a commit that a killed tail had asked for must be seen.
    """
    partition = TopicPartition(POSITIONS, 0)
    prefix = f"{topic} {host} ".encode()
    found: dict[str, Position] = {}
    with kafka_errors(settings):
        consumer = KafkaConsumer(
            **kafka_settings(settings),
            isolation_level="read_committed",
            enable_auto_commit=False,
            allow_auto_create_topics=False,
        )
        try:
            consumer.assign([partition])
            consumer.seek_to_beginning(partition)
            end = written_end(settings, partition)
            deadline = time.monotonic() + PATIENCE_S
            while consumer.position(partition) < end:
                if time.monotonic() > deadline:
                    raise kafka_error.KafkaTimeoutError(f"{POSITIONS} is not readable to its end")
                for record in consumer.poll(timeout_ms=500).get(partition, ()):
                    if record.key.startswith(prefix):
                        position = Position.from_json(record.value)
                        found[position.file] = position
        finally:
            consumer.close()
    return found


def written_end(settings: Settings, partition: TopicPartition) -> int:
    """The offset after the last message written, open transactions included."""
    admin = KafkaAdminClient(**kafka_settings(settings))
    try:
        return kafka_topics.ends(admin, [partition])[partition]
    finally:
        admin.close()


class Publisher:
    """Sends batches of one host to one topic. `name` must be the same after a restart.

    `stop` ends the waiting for a broker that is away, and so do `away_s` seconds.
    """

    def __init__(
        self,
        settings: Settings,
        topic: str,
        host: str,
        name: str,
        max_line: int,
        stop: threading.Event,
        away_s: float = AWAY_S,
    ) -> None:
        self._name = name
        self._max_line = max_line
        self._stop = stop
        self._away_s = away_s
        self._settings = settings
        self._topic = topic
        self._host = host
        # not 0: runs that send one batch each would all fill the first partition
        self._turn = zlib.crc32(f"{host} {name}".encode())
        self._connect()

    def _connect(self) -> None:
        """A new producer; whatever the one before had under way is ended then."""
        with _publishing(self._settings):
            self._producer = KafkaProducer(
                **{**kafka_settings(self._settings), "request_timeout_ms": 10_000},
                transactional_id=f"datacore-tail {self._topic} {self._host} {self._name}",
                transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
                compression_type="lz4",
                batch_size=256 * 1024,
                linger_ms=20,
                delivery_timeout_ms=int(PATIENCE_S * 1000),
                max_request_size=self._max_line + OVERHEAD,
                allow_auto_create_topics=False,
            )
            self._producer.init_transactions()
            self._partitions = sorted(self._producer.partitions_for(self._topic))

    def send(self, batches: Sequence[Batch]) -> None:
        """One transaction: all lines of `batches`, and where each log stands after them.

        The lines of a batch share a partition; batches take turns. Raises ServiceUnreachable, when
        the broker was away for too long, and Locked where a later tail of the same files took
        over; then either all of it is visible or nothing.
        """
        try:
            self._send(batches)
        except ServiceUnreachable as error:
            self._send_again(batches, error)

    def _send_again(self, batches: Sequence[Batch], error: ServiceUnreachable) -> None:
        """Until the broker has the batches: in the transaction that failed, or in a new one."""
        deadline = time.monotonic() + self._away_s
        pause, longest = PAUSE_S
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or self._stop.is_set():
                raise error
            log.warning("broker_away", seconds_left=round(left), why=str(error))
            self._stop.wait(min(pause, left))
            pause = min(2 * pause, longest)
            try:
                self.close()
                self._connect()
                if not self._has(batches):
                    self._send(batches)
            except ServiceUnreachable as again:
                error = again
            else:
                log.info("broker_back")
                return

    def _has(self, batches: Sequence[Batch]) -> bool:
        """Whether the broker has the batches: all or none are there, so the last tells of all."""
        last = batches[-1].after
        known = read_positions(self._settings, self._topic, self._host).get(last.file)
        return known is not None and known == last

    def _send(self, batches: Sequence[Batch]) -> None:
        with _publishing(self._settings):
            self._producer.begin_transaction()
            for batch in batches:
                self._send_batch(batch)
            _within(PATIENCE_S, self._producer.commit_transaction)

    def _send_batch(self, batch: Batch) -> None:
        partition = self._partitions[self._turn % len(self._partitions)]
        self._turn += bool(batch.lines)
        host, file = (HOST, self._host.encode()), (FILE, batch.after.file.encode())
        futures = []
        for number, line in enumerate(batch.lines, start=batch.first):
            headers = [host, file, (SEQUENCE, b"%d" % number)]
            if isinstance(line, LongLine):
                headers.append((TOO_LARGE, b"%d" % line.size))
                log.error("line_too_large", file=batch.after.file, line=number + 1, bytes=line.size)
                line = line.head
            futures.append(
                self._producer.send(self._topic, line, partition=partition, headers=headers)
            )
        key = f"{self._topic} {self._host} {batch.after.file}".encode()
        futures.append(self._producer.send(POSITIONS, batch.after.to_json(), key, partition=0))
        self._producer.flush(timeout=PATIENCE_S)
        for future in futures:
            if future.failed():
                raise future.exception

    def close(self) -> None:
        """Close the connection; what is not committed is gone."""
        try:
            self._producer.close(timeout=1)
        except kafka_error.KafkaError as error:
            log.info("closed_without_broker", why=str(error))
            self._producer._closed = True  # else its destructor tries again, with a traceback


def _within(seconds: float, call: Callable[[], None]) -> None:
    """Run `call`, which waits without a limit of its own. Raises KafkaTimeoutError."""
    outcome: list[BaseException | None] = []

    def run() -> None:
        try:
            call()
        except kafka_error.KafkaError as error:
            outcome.append(error)
        else:
            outcome.append(None)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise kafka_error.KafkaTimeoutError(f"no answer within {seconds:.0f} s")
    if outcome[0] is not None:
        raise outcome[0]


@contextmanager
def _publishing(settings: Settings) -> Iterator[None]:
    """`kafka_errors`, and Locked for a producer that was fenced."""
    with kafka_errors(settings):
        try:
            yield
        except kafka_error.ProducerFencedError as error:
            raise Locked(
                "another tail of the same files took over", "let one of them read these files"
            ) from error
