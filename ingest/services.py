"""Clients of Kafka and AWS, and their errors in the platform's words.

Comes in: settings. Goes out: clients with bounded retries, and within `kafka_errors` and
`aws_errors` a `DatacoreError` for whatever those raise. Never logs a credential.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
)
from kafka import errors as kafka_error

from datacore.errors import ServiceUnreachable, UsageError
from datacore.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client

KAFKA_PATIENCE_MS = 10_000
"""How long a client tries to reach Kafka before it gives up."""
UPLOADS = 8
"""Requests to S3 at the same time."""

REFUSED = ("AccessDenied", "AccessDeniedException", "InvalidAccessKeyId", "SignatureDoesNotMatch")


def kafka_settings(settings: Settings) -> dict[str, Any]:
    """What every Kafka client of ours is made with."""
    return {
        "bootstrap_servers": settings.kafka.split(","),
        "bootstrap_timeout_ms": KAFKA_PATIENCE_MS,
        "request_timeout_ms": 30_000,
    }


def aws_config(settings: Settings) -> Config:
    """Bounded retries; path-style addresses where the endpoint is not AWS's own."""
    return Config(
        connect_timeout=5,
        read_timeout=30,
        max_pool_connections=2 * UPLOADS,
        retries={"mode": "standard", "total_max_attempts": 5},
        s3={"addressing_style": "path"} if settings.aws_endpoint_url else {},
    )


def s3_client(settings: Settings) -> "S3Client":
    """A client of S3 at the settings' endpoint and region."""
    with aws_errors("S3"):
        return boto3.client(
            "s3",
            endpoint_url=settings.aws_endpoint_url,
            region_name=settings.aws_region,
            config=aws_config(settings),
        )


def glue_client(settings: Settings) -> "GlueClient":
    """A client of Glue at the settings' endpoint and region."""
    with aws_errors("Glue"):
        return boto3.client(
            "glue",
            endpoint_url=settings.aws_endpoint_url,
            region_name=settings.aws_region,
            config=aws_config(settings),
        )


@contextmanager
def aws_errors(service: str, bucket: str = "") -> Iterator[None]:
    """Turn botocore's errors into ours. `bucket` is named where it does not exist.

    Raises UsageError for a wrong bucket or credentials, ServiceUnreachable for the rest: by then
    botocore has tried five times.
    """
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code == "NoSuchBucket":
            raise UsageError(
                f"bucket {bucket!r} does not exist",
                "set DATACORE_BUCKET, or make the bucket (a sandbox makes its own)",
            ) from error
        if code in REFUSED:
            raise UsageError(
                f"{service} refused: {error}", "check the credentials and their IAM policy"
            ) from error
        raise ServiceUnreachable(f"{service}: {error}", "try again") from error
    except (NoCredentialsError, PartialCredentialsError, NoRegionError) as error:
        raise UsageError(f"{service}: {error}", "set AWS_* or run `datacore sandbox up`") from error
    except BotoCoreError as error:
        raise ServiceUnreachable(
            f"{service} cannot be reached: {error}", "check AWS_ENDPOINT_URL, then try again"
        ) from error


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
