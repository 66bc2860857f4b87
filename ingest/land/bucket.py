"""The bucket of the raw logs: objects that are written once and never changed.

Comes in: keys and bodies. Goes out: whether the write was the first. Every write carries
`If-None-Match: *`, so of two writers of a key one wins and the other learns it. Nothing is ever
overwritten; only what a version record names is ever removed (`ingest.versions.remove`), and what
`repair --replace` puts the true object in place of.
"""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from datacore.aws import UNENCRYPTED, UPLOADS, aws_errors, error_code
from datacore.errors import DifferenceFound, ServiceUnreachable, UsageError
from ingest.land.objects import NOTHING, Body

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONFLICTS = 10
"""How often a write is tried again while another write of the same key is under way (409)."""

DELETED = 1_000
"""Objects that S3 removes in one call."""


class Bucket:
    """One bucket. Safe to use from several threads."""

    def __init__(self, client: "S3Client", name: str) -> None:
        self.name = name
        self._client = client
        self._pool = ThreadPoolExecutor(UPLOADS, thread_name_prefix="s3")

    def check(self, allow_unencrypted: bool = False) -> None:
        """Raise UsageError where the bucket is absent or, unless allowed, not encrypted."""
        try:
            with aws_errors("S3", self.name):
                self._client.get_bucket_encryption(Bucket=self.name)
        except ServiceUnreachable as error:
            cause = error.__cause__
            if not isinstance(cause, ClientError) or error_code(cause) not in UNENCRYPTED:
                raise
            if not allow_unencrypted:
                raise UsageError(
                    f"bucket {self.name!r} has no default encryption",
                    "set SSE-KMS as its default, or give --allow-unencrypted",
                ) from error

    def put_new(self, key: str, data: bytes, metadata: Mapping[str, str] | None = None) -> bool:
        """Write an object that is not there yet; False where it is."""
        for _ in range(CONFLICTS):
            with aws_errors("S3", self.name):
                try:
                    self._client.put_object(
                        Bucket=self.name,
                        Key=key,
                        Body=data,
                        IfNoneMatch="*",
                        Metadata=metadata or {},
                        ContentType="application/gzip"
                        if key.endswith(".gz")
                        else "application/json",
                    )
                except ClientError as error:
                    code = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
                    if code == 412:
                        return False
                    if code == 409:
                        continue
                    raise
                return True
        raise ServiceUnreachable(f"S3: {key} stays in conflict with another write", "try again")

    def put_bodies(self, bodies: Mapping[str, Body]) -> bool:
        """Write objects side by side; one that is there already must be the same.

        False where another lander has given one up as lost. Raises DifferenceFound where another
        writer left other lines under a key.
        """
        return all(list(self._pool.map(self._put_body, bodies, bodies.values())))

    def _put_body(self, key: str, body: Body) -> bool:
        if self.put_new(key, body.data, _noted(body)):
            return True
        found = self.checksum(key)
        if found not in (body.sha256, NOTHING.sha256):
            raise DifferenceFound(
                f"s3://{self.name}/{key} holds other lines (sha256 {found}, not {body.sha256})",
                "nothing was overwritten; `datacore audit` shows what its manifest promised",
            )
        return found == body.sha256

    def give_up(self, keys: Iterable[str]) -> None:
        """Put an object without lines under each key that is free, so that none comes there late."""
        for key in keys:
            self.put_new(key, NOTHING.data, _noted(NOTHING))

    def checksum(self, key: str) -> str | None:
        """sha256 of the object's uncompressed lines, as its writer noted it; None if absent."""
        with aws_errors("S3", self.name):
            try:
                head = self._client.head_object(Bucket=self.name, Key=key)
            except ClientError as error:
                if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404:
                    return None
                raise
        return head["Metadata"].get("sha256", "")

    def checksums(self, keys: Iterable[str]) -> dict[str, str | None]:
        """`checksum` of many keys, side by side."""
        listed = list(keys)
        return dict(zip(listed, self._pool.map(self.checksum, listed), strict=True))

    def get(self, key: str) -> bytes | None:
        """The object's bytes; None if absent."""
        found = self.read(key)
        return None if found is None else found[0]

    def read(self, key: str) -> tuple[bytes, Mapping[str, str]] | None:
        """The object's bytes and metadata; None if absent."""
        with aws_errors("S3", self.name):
            try:
                answer = self._client.get_object(Bucket=self.name, Key=key)
                return answer["Body"].read(), answer["Metadata"]
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") == "NoSuchKey":
                    return None
                raise

    def beginning(self, key: str, size: int) -> bytes | None:
        """The object's first `size` bytes, or all where it is smaller; None if absent."""
        with aws_errors("S3", self.name):
            try:
                found = self._client.get_object(
                    Bucket=self.name, Key=key, Range=f"bytes=0-{size - 1}"
                )
                return found["Body"].read()
            except ClientError as error:
                if error_code(error) == "NoSuchKey":
                    return None
                if error_code(error) == "InvalidRange":  # an object without a byte has no first one
                    return b""
                raise

    def copy_all(self, copies: Iterable[tuple[str, str]]) -> int:
        """Copy objects to keys that are free, side by side; how many were copied.

        An object that is gone is passed over. It is read and written, for not every S3 knows
        `If-None-Match` on a copy.
        """
        return sum(self._pool.map(self._copy, copies))

    def _copy(self, copy: tuple[str, str]) -> bool:
        source, target = copy
        found = self.read(source)
        return found is not None and self.put_new(target, *found)

    def get_all(self, keys: Iterable[str]) -> Iterator[bytes]:
        """The bytes of objects that are there, in the order of `keys`, read side by side."""
        for key, data in zip(listed := list(keys), self._pool.map(self.get, listed), strict=True):
            if data is None:
                raise DifferenceFound(f"s3://{self.name}/{key} is gone", "it must not be removed")
            yield data

    def keys(self, prefix: str, start_after: str = "") -> Iterator[str]:
        """Keys under `prefix` in order, after `start_after`.

        Not those that end with a slash: Hive and S3's consoles make them to mark a folder.
        """
        with aws_errors("S3", self.name):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.name, Prefix=prefix, StartAfter=start_after
            )
            for page in pages:
                for found in page.get("Contents", []):
                    if not found["Key"].endswith("/"):
                        yield found["Key"]

    def keys_of(self, prefixes: Iterable[str]) -> list[list[str]]:
        """`keys` of many prefixes, listed side by side."""
        return list(self._pool.map(lambda prefix: list(self.keys(prefix)), prefixes))

    def sizes(self, prefix: str) -> dict[str, int]:
        """Size of every object under `prefix`, by key, in order."""
        found: dict[str, int] = {}
        with aws_errors("S3", self.name):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.name, Prefix=prefix
            )
            for page in pages:
                found |= {
                    held["Key"]: held["Size"]
                    for held in page.get("Contents", [])
                    if not held["Key"].endswith("/")
                }
        return found

    def remove(self, keys: Iterable[str]) -> None:
        """Remove objects. Raises ServiceUnreachable where S3 keeps one."""
        listed = list(keys)
        for start in range(0, len(listed), DELETED):
            some = listed[start : start + DELETED]
            with aws_errors("S3", self.name):
                answer = self._client.delete_objects(
                    Bucket=self.name,
                    Delete={"Objects": [{"Key": key} for key in some], "Quiet": True},
                )
            for failure in answer.get("Errors", []):
                raise ServiceUnreachable(
                    f"S3: {failure.get('Key')} was not removed: {failure.get('Message')}",
                    "check the policy (s3:DeleteObject), then try again",
                )

    def folders(self, prefix: str) -> list[str]:
        """Names of the folders directly under `prefix`, which ends with a slash."""
        names: list[str] = []
        with aws_errors("S3", self.name):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.name, Prefix=prefix, Delimiter="/"
            )
            for page in pages:
                for found in page.get("CommonPrefixes", []):
                    names.append(found["Prefix"].removeprefix(prefix).rstrip("/"))
        return names


def _noted(body: Body) -> dict[str, str]:
    """What an object's metadata say of its lines."""
    return {"sha256": body.sha256, "records": str(body.records)}
