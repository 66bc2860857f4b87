"""The lake's published tables as Glue and S3 have them: runs, what is in use, what is left over.

Comes in: Glue and S3. Goes out: `Published` tables with their `Leftover`s. Only reads.
docs/publishing.md says how a table is published.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from datacore.aws import aws_errors

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client

PUBLISHED = "datacore.published"
RUN = "datacore.run."
"""Properties of a published table: the last run, and what each run built."""
BUILDING = re.compile(r"(?P<table>.+)__building_(?P<run>\d{8}t\d{6}_.+)")
PUBLISHING = "__publishing"
VERSIONS = "/_v/"


@dataclass(frozen=True)
class Place:
    """A directory on S3; `prefix` ends with a slash."""

    bucket: str
    prefix: str

    @classmethod
    def of(cls, location: str) -> "Place | None":
        """None for what is not on S3."""
        found = re.fullmatch(r"s3[an]?://([^/]+)/(.+?)/*", location)
        return cls(found[1], f"{found[2]}/") if found else None

    def holds(self, other: "Place") -> bool:
        """Whether the other is this or lies in it."""
        return self.bucket == other.bucket and other.prefix.startswith(self.prefix)


@dataclass(frozen=True)
class Leftover:
    """A directory that a run wrote and that nobody reads any more."""

    place: Place
    run: str
    day: str
    """`all` for a table without days."""
    bytes: int
    objects: tuple[str, ...]
    newest: datetime
    """When its newest object was written."""


@dataclass(frozen=True)
class Published:
    """A table that is published by swaps."""

    database: str
    table: Mapping[str, Any]
    """As Glue has it."""
    root: Place
    """Where the directories of its runs lie: `<table>/_v/`."""

    @property
    def name(self) -> str:
        """With its database."""
        return f"{self.database}.{self.table['Name']}"

    @property
    def version(self) -> str:
        """Glue's number of the table's state; empty where it has none."""
        return str(self.table.get("VersionId", ""))


def run_began(run: str) -> datetime | None:
    """When a run began, by its name; None for another name."""
    try:
        return datetime.strptime(run[:15].upper(), "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


class Lake:
    """The databases of a Glue catalog, and the buckets that their tables lie in."""

    def __init__(self, glue: "GlueClient", s3: "S3Client") -> None:
        self._glue = glue
        self._s3 = s3

    def databases(self) -> list[str]:
        """Names of all databases."""
        with aws_errors("Glue"):
            pages = self._glue.get_paginator("get_databases").paginate()
            return [database["Name"] for page in pages for database in page["DatabaseList"]]

    def tables(self, database: str) -> list[Mapping[str, Any]]:
        """All tables of a database, as Glue has them."""
        with aws_errors("Glue"):
            pages = self._glue.get_paginator("get_tables").paginate(DatabaseName=database)
            return [table for page in pages for table in page["TableList"]]

    def published(self, database: str, tables: list[Mapping[str, Any]]) -> Iterator[Published]:
        """Those of the tables that are published by swaps."""
        for table in tables:
            place = Place.of(_location(table))
            if PUBLISHED not in table.get("Parameters", {}) or place is None:
                continue
            directory = f"/{place.prefix}".partition(VERSIONS)[0].strip("/")
            yield Published(database, table, Place(place.bucket, f"{directory}{VERSIONS}"))

    def table(self, database: str, name: str) -> Mapping[str, Any] | None:
        """One table; None where it is not there."""
        with aws_errors("Glue"):
            try:
                return self._glue.get_table(DatabaseName=database, Name=name)["Table"]
            except self._glue.exceptions.EntityNotFoundException:
                return None

    def in_use(self, published: Published, tables: list[Mapping[str, Any]]) -> list[Place]:
        """Every place that a partition of the table, or any table of its database, points at."""
        locations = [_location(table) for table in tables]
        with aws_errors("Glue"):
            pages = self._glue.get_paginator("get_partitions").paginate(
                DatabaseName=published.database,
                TableName=published.table["Name"],
                ExcludeColumnSchema=True,
            )
            for page in pages:
                locations += [
                    partition.get("StorageDescriptor", {}).get("Location", "")
                    for partition in page["Partitions"]
                ]
        return [place for place in map(Place.of, locations) if place is not None]

    def directories(self, published: Published) -> list[Leftover]:
        """What every run wrote, by day, whether or not it is in use."""
        found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        with aws_errors("S3", published.root.bucket):
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=published.root.bucket, Prefix=published.root.prefix
            )
            for page in pages:
                for held in page.get("Contents", []):
                    run, _, rest = held["Key"][len(published.root.prefix) :].partition("/")
                    part = rest.partition("/")[0]
                    day = part[3:] if part.startswith("dt=") else "all"
                    found.setdefault((run, day), []).append(held)
        listed = []
        for (run, day), objects in sorted(found.items()):
            below = "" if day == "all" else f"dt={day}/"
            listed.append(
                Leftover(
                    Place(published.root.bucket, f"{published.root.prefix}{run}/{below}"),
                    run,
                    day,
                    sum(held["Size"] for held in objects),
                    tuple(held["Key"] for held in objects),
                    max(held["LastModified"] for held in objects),
                )
            )
        return listed


def _location(table: Mapping[str, Any]) -> str:
    return str(table.get("StorageDescriptor", {}).get("Location", ""))
