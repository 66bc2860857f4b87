"""Clients of S3, Glue, Kinesis and KMS, and their errors in the platform's words.

Comes in: settings. Goes out: clients with bounded retries, and within `aws_errors` a
`DatacoreError` for whatever they raise. Never logs a credential. The clients are botocore's own:
boto3 around them would double the time that a command takes to start.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
)
from botocore.session import get_session

from datacore.errors import ServiceUnreachable, UsageError
from datacore.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client

UPLOADS = 8
"""Requests to S3 at the same time."""

UNENCRYPTED = ("ServerSideEncryptionConfigurationNotFoundError", "NotImplemented")
"""What is answered where a bucket has no default encryption, and where an S3 knows of none."""

REFUSED = ("AccessDenied", "AccessDeniedException", "InvalidAccessKeyId", "SignatureDoesNotMatch")


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
    return cast("S3Client", _client("s3", settings))


def glue_client(settings: Settings) -> "GlueClient":
    """A client of Glue at the settings' endpoint and region."""
    return cast("GlueClient", _client("glue", settings))


def kms_client(settings: Settings) -> "KMSClient":
    """A client of KMS at the settings' endpoint and region."""
    return cast("KMSClient", _client("kms", settings))


def kinesis_client(settings: Settings) -> "KinesisClient":
    """A client of Kinesis Data Streams at the settings' endpoint and region."""
    return cast("KinesisClient", _client("kinesis", settings))


def error_code(error: ClientError) -> str:
    """AWS's name of an error; empty where it has none."""
    return error.response.get("Error", {}).get("Code", "")


def _client(service: str, settings: Settings) -> Any:
    with aws_errors(service):
        return get_session().create_client(
            service,
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
        code = error_code(error)
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
