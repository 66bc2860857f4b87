"""The files that a metastore owns: deleted when a managed table is dropped, moved when it is renamed.

Comes in: locations from the catalog. Goes out: changes in S3 or on a local disk. Safety is decided
here, from the location alone: nothing is deleted outside `within`, nor at a bucket's root, nor
where a location is not plain. Whether a table is managed is decided by the caller.
On S3 there are no directories: a location is every key under `prefix/`.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

_S3 = frozenset({"s3", "s3a", "s3n"})
_DELETE_BATCH = 1000


class UnsafeLocation(Exception):
    """A location that must not be deleted or moved, and why."""


class FilesFailed(Exception):
    """The file store did not do it, and why."""


@dataclass(frozen=True)
class Place:
    """A location, taken apart. Not percent-decoded: catalogs hold Hadoop's Path.toString()."""

    scheme: str
    """`s3` (for s3a and s3n too), `file`, or whatever else it says."""
    bucket: str
    segments: tuple[str, ...]

    @classmethod
    def parse(cls, location: str) -> "Place":
        """`s3://bucket/a/b`, `file:/a/b`, `file:///a/b` or `/a/b`."""
        scheme, colon, rest = location.partition(":")
        if not colon or "/" in scheme:
            scheme, rest = "file", location
        scheme = "s3" if scheme.lower() in _S3 else scheme.lower()
        bucket = ""
        if rest.startswith("//"):
            bucket, _, path = rest[2:].partition("/")
        else:
            path = rest.removeprefix("/")
        return cls(scheme, bucket, tuple(path.rstrip("/").split("/")) if path.strip("/") else ())

    @property
    def is_plain(self) -> bool:
        """Whether every step of the path is a name: not empty, not `.` or `..`."""
        return not any(segment in ("", ".", "..") for segment in self.segments)

    def contains(self, other: "Place") -> bool:
        """Whether `other` is this place or below it. False where either is not plain."""
        return (
            self.is_plain
            and other.is_plain
            and (self.scheme, self.bucket) == (other.scheme, other.bucket)
            and other.segments[: len(self.segments)] == self.segments
        )

    @property
    def prefix(self) -> str:
        """S3: what every key of this place starts with."""
        return "/".join(self.segments) + "/"

    @property
    def path(self) -> Path:
        """Local: the directory."""
        return Path("/", *self.segments)


def contains(outer: str, inner: str) -> bool:
    """Whether location `inner` is `outer` or below it."""
    return Place.parse(outer).contains(Place.parse(inner))


def check_deletable(location: str, within: str) -> Place:
    """The place, if it may be deleted as a part of `within`. Raises UnsafeLocation."""
    place = Place.parse(location)
    if place.scheme not in ("s3", "file"):
        raise UnsafeLocation(f"{location}: files on {place.scheme}: are not handled")
    if not place.is_plain:
        raise UnsafeLocation(f"{location}: an empty, . or .. step in the path")
    if place.scheme == "s3" and not (place.bucket and place.segments):
        raise UnsafeLocation(f"{location}: it is a bucket's root")
    if place.scheme == "file" and len(place.segments) < 2:
        raise UnsafeLocation(f"{location}: it is too near the disk's root")
    if not Place.parse(within).contains(place):
        raise UnsafeLocation(f"{location}: it lies outside {within}")
    return place


@contextmanager
def _failing_as(what: str) -> Iterator[None]:
    """Errors of the disk and of S3 as FilesFailed."""
    try:
        yield
    except (OSError, shutil.Error, ClientError, BotoCoreError, Boto3Error) as error:
        raise FilesFailed(f"cannot {what}: {error}") from error


class Files:
    """S3 by a boto3 client, and the local disk. Thread-safe."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3

    def make_directory(self, location: str, marked: bool = False) -> None:
        """Make a local directory; on S3 there is nothing to make. Raises FilesFailed.

        `marked`: on S3 an empty object `location/`, as S3A makes one for a directory and as all who
        read S3 as a file system pass over.
        """
        place = Place.parse(location)
        with _failing_as(f"make {location}"):
            if place.scheme == "file":
                place.path.mkdir(parents=True, exist_ok=True)
            elif marked and place.scheme == "s3" and place.is_plain and place.segments:
                self._s3.put_object(Bucket=place.bucket, Key=place.prefix, Body=b"")

    def remove_empty_directory(self, location: str) -> None:
        """Remove a local directory if it is empty; anything else stays. Raises FilesFailed."""
        place = Place.parse(location)
        if place.scheme == "file" and place.path.is_dir() and not any(place.path.iterdir()):
            with _failing_as(f"remove {location}"):
                place.path.rmdir()

    def delete(self, location: str, within: str) -> int:
        """Delete what is at and below `location`; the number of S3 objects, or 1 for a directory.

        Raises UnsafeLocation, FilesFailed.
        """
        place = check_deletable(location, within)
        with _failing_as(f"delete {location}"):
            if place.scheme == "s3":
                return self._delete_objects(place)
            if not place.path.is_dir() or place.path.is_symlink():
                return 0
            shutil.rmtree(place.path)
            return 1

    def is_empty(self, location: str) -> bool:
        """Whether nothing is at or below `location`. Raises FilesFailed."""
        place = Place.parse(location)
        with _failing_as(f"list {location}"):
            if place.scheme == "s3":
                return next(self._objects(place), None) is None
            return not place.path.exists() or not any(place.path.iterdir())

    def copy(self, source: str, target: str) -> None:
        """Make `target` hold what `source` holds. Raises UnsafeLocation, FilesFailed.

        Both are of one kind; `target` must be empty.
        """
        origin = check_deletable(source, source)
        goal = check_deletable(target, target)
        if origin.scheme != goal.scheme or origin.contains(goal) or goal.contains(origin):
            raise UnsafeLocation(f"{source} cannot be moved to {target}")
        if not self.is_empty(target):
            raise UnsafeLocation(f"{target} is not empty")
        with _failing_as(f"copy {source} to {target}"):
            if origin.scheme == "s3":
                self._copy_objects(origin, goal)
            elif origin.path.is_dir():
                shutil.copytree(origin.path, goal.path, dirs_exist_ok=True)

    def _objects(self, place: Place) -> Iterator[str]:
        pages = self._s3.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=place.bucket, Prefix=place.prefix):
            for entry in page.get("Contents") or ():
                yield entry["Key"]

    def _delete_objects(self, place: Place) -> int:
        keys = list(self._objects(place))
        for start in range(0, len(keys), _DELETE_BATCH):
            batch = [{"Key": key} for key in keys[start : start + _DELETE_BATCH]]
            answer = self._s3.delete_objects(
                Bucket=place.bucket, Delete={"Objects": batch, "Quiet": True}
            )
            for error in answer.get("Errors") or ():
                raise FilesFailed(
                    f"s3://{place.bucket}/{error.get('Key')}: {error.get('Code')}: "
                    f"{error.get('Message')}"
                )
        return len(keys)

    def _copy_objects(self, source: Place, target: Place) -> None:
        for key in list(self._objects(source)):
            self._s3.copy(
                {"Bucket": source.bucket, "Key": key},
                target.bucket,
                target.prefix + key.removeprefix(source.prefix),
            )
