"""What every Kafka client of ours is made with, and its errors in the platform's words.

Comes in: settings. Goes out: a client's arguments, and within `kafka_errors` a `DatacoreError` for
whatever kafka-python raises, with the reason that it keeps to itself where one can be found.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka import errors as kafka_error

from datacore.errors import ServiceUnreachable
from datacore.settings import Settings
from ingest.kafka_diagnosis import diagnose, refused
from ingest.kafka_security import read_security

KAFKA_PATIENCE_MS = 10_000
"""How long a client tries to reach Kafka before it gives up."""


def kafka_settings(settings: Settings) -> dict[str, Any]:
    """What every client of kafka-python is made with. Raises UsageError for wrong settings.

    A client of librdkafka takes `read_security(settings).for_librdkafka()` instead.
    """
    return {
        "bootstrap_servers": settings.kafka.split(","),
        "bootstrap_timeout_ms": KAFKA_PATIENCE_MS,
        "request_timeout_ms": 30_000,
        **read_security(settings).for_kafka_python(),
    }


@contextmanager
def kafka_errors(settings: Settings) -> Iterator[None]:
    """Turn kafka-python's errors into ours: what a retry cannot mend is a UsageError."""
    try:
        yield
    except kafka_error.KafkaError as error:
        known = refused(error)
        if known is None and isinstance(error, kafka_error.RetriableError):
            known = diagnose(settings.kafka, read_security(settings))
        if known is not None:
            raise known from error
        raise ServiceUnreachable(
            f"Kafka at {settings.kafka} cannot be reached: {error}",
            "check DATACORE_KAFKA, DATACORE_KAFKA_SECURITY and that the broker runs, then try again",
        ) from error
