"""What every Kafka client of ours is made with, and its errors in the platform's words.

Comes in: settings. Goes out: a client's arguments, and within `kafka_errors` a `DatacoreError` for
whatever kafka-python raises.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka import errors as kafka_error

from datacore.errors import ServiceUnreachable, UsageError
from datacore.settings import Settings

KAFKA_PATIENCE_MS = 10_000
"""How long a client tries to reach Kafka before it gives up."""


def kafka_settings(settings: Settings) -> dict[str, Any]:
    """What every Kafka client of ours is made with."""
    return {
        "bootstrap_servers": settings.kafka.split(","),
        "bootstrap_timeout_ms": KAFKA_PATIENCE_MS,
        "request_timeout_ms": 30_000,
    }


@contextmanager
def kafka_errors(settings: Settings) -> Iterator[None]:
    """Turn kafka-python's errors into ours: what a retry cannot mend is a UsageError."""
    try:
        yield
    except (
        kafka_error.AuthorizationError,
        kafka_error.SaslAuthenticationFailedError,
        kafka_error.InvalidTopicError,
    ) as error:
        raise UsageError(f"Kafka refused: {error}", "check the client's rights") from error
    except kafka_error.KafkaError as error:
        raise ServiceUnreachable(
            f"Kafka at {settings.kafka} cannot be reached: {error}",
            "check DATACORE_KAFKA and that the broker runs, then try again",
        ) from error
