"""Vacuum: removes what runs wrote and nothing points at any more, once it is past a grace.

Comes in: published tables and a grace. Goes out: a `Removal` for each table. The order is what
makes it safe beside builds and rollbacks: first the table forgets the run (a compare-and-set, so
a table that was changed meanwhile is left for the next time), so that no rollback goes back to it;
then it is looked at once more whether anything points there or a run publishes; then objects go.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from datacore.aws import aws_errors
from datacore.errors import ServiceUnreachable
from lake.published import BUILDING, PUBLISHING, RUN, Lake, Leftover, Published, run_began

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client

DELETED = 1_000
"""Objects that S3 deletes in one request."""
INPUT = (
    "Name", "Description", "Owner", "LastAccessTime", "LastAnalyzedTime", "Retention",
    "StorageDescriptor", "PartitionKeys", "ViewOriginalText", "ViewExpandedText", "TableType",
    "Parameters", "TargetTable",
)  # fmt: skip
"""What Glue takes of a table that it gave."""


@dataclass(frozen=True)
class Removal:
    """What became of a table's leftovers."""

    name: str
    directories: int = 0
    objects: int = 0
    bytes: int = 0
    kept: int = 0
    """Directories that nothing points at and that are younger than the grace."""
    left: str = ""
    """Why nothing was removed although there was something to remove."""


class Vacuum:
    """Removes leftovers older than `grace` before `now`."""

    def __init__(
        self, glue: "GlueClient", s3: "S3Client", now: datetime, grace: timedelta, dry_run: bool
    ) -> None:
        self._glue = glue
        self._s3 = s3
        self._lake = Lake(glue, s3)
        self._before = now - grace
        self._dry_run = dry_run

    def run(self, databases: Iterable[str]) -> Iterator[Removal]:
        """Every published table of the databases."""
        for database in databases:
            tables = self._lake.tables(database)
            self._drop_building(database, tables)
            for published in self._lake.published(database, tables):
                yield self._table(published, tables)

    def _drop_building(self, database: str, tables: list[Mapping[str, Any]]) -> None:
        """Drop tables of builds that were killed longer ago than the grace; their files follow."""
        for table in list(tables):
            found = BUILDING.fullmatch(table["Name"])
            began = run_began(found["run"]) if found else None
            if began is None or began >= self._before or self._dry_run:
                continue
            with aws_errors("Glue"):
                self._glue.delete_table(DatabaseName=database, Name=table["Name"])
            tables.remove(table)

    def _table(self, published: Published, tables: list[Mapping[str, Any]]) -> Removal:
        unused = self._unused(published, tables)
        old = [one for one in unused if self._is_old(one)]
        kept = len(unused) - len(old)
        if not old:
            return Removal(published.name, kept=kept)
        if not self._dry_run:
            if not self._forget(published, old):
                return Removal(published.name, kept=kept, left="it was changed meanwhile")
            lock = published.table["Name"] + PUBLISHING
            if self._lake.table(published.database, lock) is not None:
                return Removal(published.name, kept=kept, left="a run publishes it now")
            still = {
                one.place for one in self._unused(published, self._lake.tables(published.database))
            }
            old = [one for one in old if one.place in still]
            self._delete(published.root.bucket, [key for one in old for key in one.objects])
        return Removal(
            published.name,
            len(old),
            sum(len(one.objects) for one in old),
            sum(one.bytes for one in old),
            kept,
        )

    def _unused(self, published: Published, tables: list[Mapping[str, Any]]) -> list[Leftover]:
        """Directories that nothing points into and that lie in nothing that is pointed at."""
        in_use = [
            place for place in self._lake.in_use(published, tables) if published.root.holds(place)
        ]
        return [
            one
            for one in self._lake.directories(published)
            if not any(place.holds(one.place) or one.place.holds(place) for place in in_use)
        ]

    def _is_old(self, one: Leftover) -> bool:
        """Whether a run began, and wrote last, before the grace; a run that is at work did not."""
        began = run_began(one.run)
        return began is not None and began < self._before and one.newest < self._before

    def _forget(self, published: Published, old: list[Leftover]) -> bool:
        """Take the days out of the table's runs; False where another changed the table first."""
        gone: dict[str, set[str]] = {}
        for one in old:
            gone.setdefault(RUN + one.run, set()).add(one.day)
        parameters: dict[str, str] = {}
        for name, value in published.table["Parameters"].items():
            days = [day for day in value.split() if day not in gone.get(name, ())]
            if name not in gone:
                parameters[name] = value
            elif days:
                parameters[name] = " ".join(days)
        if parameters == published.table["Parameters"]:
            return True
        changed: Any = {key: published.table[key] for key in INPUT if key in published.table}
        changed["Parameters"] = parameters
        more: Any = {"VersionId": published.version} if published.version else {}
        with aws_errors("Glue"):
            try:
                self._glue.update_table(
                    DatabaseName=published.database,
                    TableInput=changed,
                    SkipArchive=True,
                    **more,
                )
            except ClientError as error:
                code = error.response.get("Error", {}).get("Code")
                if code in ("ConcurrentModificationException", "EntityNotFoundException"):
                    return False
                raise
        return True

    def _delete(self, bucket: str, keys: list[str]) -> None:
        for start in range(0, len(keys), DELETED):
            some = keys[start : start + DELETED]
            with aws_errors("S3", bucket):
                answer = self._s3.delete_objects(
                    Bucket=bucket,
                    Delete={"Objects": [{"Key": key} for key in some], "Quiet": True},
                )
            for failure in answer.get("Errors", []):
                raise ServiceUnreachable(
                    f"S3: {failure.get('Key')} was not removed: {failure.get('Message')}",
                    "check the policy (s3:DeleteObject), then run it again",
                )
