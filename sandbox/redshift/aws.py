"""Clients of S3 and Glue, and how their failures look to a Redshift client.

Comes in: the environment (AWS_ENDPOINT_URL, region, credentials: boto3 reads them). Goes out: one
client each for the life of the process; boto3's clients may be used from several threads.
"""

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from sandbox.redshift.errors import LoadError, RedshiftError

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client

CONFIGURATION = Config(
    connect_timeout=5,
    read_timeout=60,
    retries={"max_attempts": 3},
    max_pool_connections=16,
    s3={"addressing_style": "path"},
)


@dataclass(frozen=True)
class S3Object:
    """An object on S3. `etag` changes with its bytes."""

    bucket: str
    key: str
    size: int
    etag: str = ""

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def _region() -> str:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"


@functools.cache
def s3() -> "S3Client":
    """The client of S3."""
    return boto3.client("s3", region_name=_region(), config=CONFIGURATION)


@functools.cache
def glue() -> "GlueClient":
    """The client of the Glue Data Catalog."""
    return boto3.client("glue", region_name=_region(), config=CONFIGURATION)


def split_url(url: str) -> tuple[str, str]:
    """`s3://bucket/key` (also s3a, s3n) to bucket and key. Raises RedshiftError for others."""
    scheme, separator, rest = url.partition("://")
    bucket, _, key = rest.partition("/")
    if not separator or scheme not in ("s3", "s3a", "s3n") or not bucket:
        raise RedshiftError(f"'{url}' is not an S3 location", "42601")
    return bucket, key


def list_objects(bucket: str, prefix: str) -> list[S3Object]:
    """The objects below `prefix` that hold data: not empty, name not hidden by _ or a dot."""
    pages = s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [
        S3Object(bucket, item["Key"], item["Size"], item.get("ETag", ""))
        for page in pages
        for item in page.get("Contents", [])
        if item["Size"] > 0 and not item["Key"].rpartition("/")[2].startswith(("_", "."))
    ]


def read_object(url: str) -> bytes:
    """The bytes of an object."""
    bucket, key = split_url(url)
    return s3().get_object(Bucket=bucket, Key=key)["Body"].read()


@contextmanager
def s3_errors(what: str) -> Iterator[None]:
    """Failures of S3 as the LoadError that Redshift raises; `what` was being done."""
    try:
        yield
    except ClientError as error:
        text = error.response.get("Error", {}).get("Message", str(error))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        raise LoadError(f"S3ServiceException:{text},Status {status}", 8001, what) from error
    except BotoCoreError as error:
        raise LoadError(f"S3ServiceException:{error}", 8001, what) from error


@contextmanager
def glue_errors(what: str) -> Iterator[None]:
    """Failures of Glue as a RedshiftError; `what` was being done."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise RedshiftError(f"Glue Data Catalog: {what}: {error}", "XX000") from error
