"""S3 as the audit reads it: listings, and objects with their encryption and real content.

Comes in: keys. Goes out: facts. One request an object: the answer to GET carries the encryption
and the metadata beside the content. Only reads. Streams: an object is never held whole.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from isal import igzip, igzip_lib

from datacore.aws import UNENCRYPTED, UPLOADS, aws_errors, error_code
from ingest.audit.facts import BucketKey, Content, Listed, Stored
from ingest.land.bucket import Bucket

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef, HeadObjectOutputTypeDef

CHUNK = 256 * 1024
"""Uncompressed bytes that are counted and hashed at once."""
TRIES = 3
"""How often an object is read anew when its stream breaks off."""
AT_ONCE = 1_000
"""Keys whose answers may wait in memory."""
AWS_MANAGED = "alias/aws/s3"
"""The account's own key, where the bucket names none."""

T = TypeVar("T")
R = TypeVar("R")


class Store:
    """One bucket, read only. Safe to use from several threads."""

    def __init__(self, client: "S3Client", kms: "KMSClient", name: str) -> None:
        self.name = name
        self.folders = Bucket(client, name).folders
        """Names of the folders directly under a prefix."""
        self._client = client
        self._kms = kms
        self._pool = ThreadPoolExecutor(UPLOADS, thread_name_prefix="audit")

    def side_by_side(self, act: Callable[[T], R], asked: Iterable[T]) -> Iterator[R]:
        """`act` on each, in order, some at once."""
        waiting = iter(asked)
        while some := list(islice(waiting, AT_ONCE)):
            yield from self._pool.map(act, some)

    def listed(self, prefix: str, start_after: str = "", last: str = "") -> Iterator[Listed]:
        """Objects under `prefix` in order of their keys, behind `start_after`, up to `last`.

        `last` is the beginning of the last keys that are wanted.
        """
        with aws_errors("S3", self.name):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.name, Prefix=prefix, StartAfter=start_after
            )
            for page in pages:
                for found in page.get("Contents", []):
                    key = found["Key"]
                    if last and key > last and not key.startswith(last):
                        return
                    yield Listed(key, found["Size"])

    def read(self, key: str) -> tuple[Stored, bytes] | None:
        """A small object with its bytes; None if absent."""
        for attempt in range(TRIES):
            with aws_errors("S3", self.name):
                answer = self._get(key)
                if answer is None:
                    return None
                try:
                    return _stored(key, answer, None), answer["Body"].read()
                except BotoCoreError:
                    if attempt == TRIES - 1:
                        raise
        raise AssertionError("the last try returns or raises")

    def examine(self, key: str) -> Stored | None:
        """An object with what its lines really are; None if absent."""
        for attempt in range(TRIES):
            with aws_errors("S3", self.name):
                answer = self._get(key)
                if answer is None:
                    return None
                if not answer["ContentLength"]:
                    nothing = hashlib.sha256().hexdigest()
                    return _stored(key, answer, Content(0, 0, nothing, "it is empty"))
                try:
                    return _stored(key, answer, content_of(answer["Body"]))
                except BotoCoreError:
                    if attempt == TRIES - 1:
                        raise
        raise AssertionError("the last try returns or raises")

    def head(self, key: str) -> Stored | None:
        """An object as its metadata tells it; None if absent."""
        with aws_errors("S3", self.name):
            try:
                answer = self._client.head_object(Bucket=self.name, Key=key)
            except ClientError as error:
                if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404:
                    return None
                raise
        return _stored(key, answer, None)

    def _get(self, key: str) -> "GetObjectOutputTypeDef | None":
        try:
            return self._client.get_object(Bucket=self.name, Key=key)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "NoSuchKey":
                return None
            raise

    def default_key(self) -> BucketKey:
        """The bucket's default encryption, its key by all its names."""
        with aws_errors("S3", self.name):
            try:
                answer = self._client.get_bucket_encryption(Bucket=self.name)
            except ClientError as error:
                if error_code(error) not in UNENCRYPTED:
                    raise
                return BucketKey(None)
        rules = answer["ServerSideEncryptionConfiguration"]["Rules"]
        default = rules[0].get("ApplyServerSideEncryptionByDefault") if rules else None
        if default is None:
            return BucketKey(None)
        algorithm, named = default["SSEAlgorithm"], default.get("KMSMasterKeyID", AWS_MANAGED)
        if not algorithm.startswith("aws:kms"):
            return BucketKey(algorithm)
        if "alias/" not in named:
            return BucketKey(algorithm, frozenset({named}))
        with aws_errors("KMS"):
            arn = self._kms.describe_key(KeyId=named)["KeyMetadata"].get("Arn", "")
        return BucketKey(algorithm, frozenset({named, arn}))


def content_of(body: "StreamingBody") -> Content:
    """Read gzip to its end: how many lines, bytes, and their sha256.

    Raises botocore's errors where the connection fails; another failure is the object's.
    """
    sha256, records, size = hashlib.sha256(), 0, 0
    broken: str | None = None
    stream = igzip.GzipFile(fileobj=body, mode="rb")
    try:
        while block := stream.read(CHUNK):
            sha256.update(block)
            records += block.count(b"\n")
            size += len(block)
    except BotoCoreError:
        raise
    except (EOFError, OSError, igzip_lib.IsalError) as error:  # type: ignore[misc]  # the stub has it as a value
        broken = str(error) or type(error).__name__
    finally:
        body.close()
    return Content(records, size, sha256.hexdigest(), broken)


def _stored(
    key: str,
    answer: "GetObjectOutputTypeDef | HeadObjectOutputTypeDef",
    content: Content | None,
) -> Stored:
    return Stored(
        key=key,
        algorithm=answer.get("ServerSideEncryption"),
        kms_key=answer.get("SSEKMSKeyId"),
        noted_sha256=answer["Metadata"].get("sha256"),
        noted_records=answer["Metadata"].get("records"),
        content=content,
    )
