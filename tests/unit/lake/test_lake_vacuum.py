"""Vacuum: what it removes, what it leaves, and what it does when others are at work."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from datacore.errors import ServiceUnreachable, UsageError
from lake.commands import vacuum
from lake.vacuum import Removal, Vacuum

NOW = datetime(2026, 1, 20, tzinfo=UTC)
OLD, OLDER, YOUNG = "20260102T000000-aa", "20260101T000000-bb", "20260119T230000-cc"
ROOT = "lake/rollup/_v/"


class NotFound(ClientError):
    def __init__(self) -> None:
        super().__init__({"Error": {"Code": "EntityNotFoundException"}}, "GetTable")


class Pages:
    def __init__(self, ask: Callable[..., dict[str, Any]]) -> None:
        self._ask = ask

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        yield self._ask(**asked)


@dataclass
class Glue:
    """Tables with versions, and the locations of one table's partitions."""

    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    days: dict[str, str] = field(default_factory=dict)
    before_update: Callable[[], None] = lambda: None
    after_update: Callable[[], None] = lambda: None

    class exceptions:
        EntityNotFoundException = NotFound

    def get_paginator(self, name: str) -> Pages:
        answers: dict[str, Callable[..., dict[str, Any]]] = {
            "get_tables": lambda DatabaseName: {
                "TableList": [dict(t) for t in self.tables.values()]
            },
            "get_partitions": lambda **asked: {
                "Partitions": [{"StorageDescriptor": {"Location": at}} for at in self.days.values()]
            },
        }
        return Pages(answers[name])

    def get_table(self, DatabaseName: str, Name: str) -> dict[str, Any]:
        if Name not in self.tables:
            raise NotFound
        return {"Table": self.tables[Name]}

    def delete_table(self, DatabaseName: str, Name: str) -> None:
        del self.tables[Name]

    def update_table(self, TableInput: dict[str, Any], VersionId: str, **asked: Any) -> None:
        self.before_update()
        table = self.tables[TableInput["Name"]]
        if VersionId != table["VersionId"]:
            raise ClientError({"Error": {"Code": "ConcurrentModificationException"}}, "UpdateTable")
        table |= {**TableInput, "VersionId": str(int(VersionId) + 1)}
        self.after_update()


@dataclass
class S3:
    """Objects by key, with when they were written."""

    objects: dict[str, datetime] = field(default_factory=dict)
    refuses: bool = False

    def get_paginator(self, name: str) -> Pages:
        return Pages(
            lambda Bucket, Prefix: {
                "Contents": [
                    {"Key": key, "Size": 10, "LastModified": at}
                    for key, at in sorted(self.objects.items())
                    if key.startswith(Prefix)
                ]
            }
        )

    def delete_objects(self, Bucket: str, Delete: Mapping[str, Any]) -> dict[str, Any]:
        if self.refuses:
            return {"Errors": [{"Key": "k", "Message": "no"}]}
        for one in Delete["Objects"]:
            del self.objects[one["Key"]]
        return {}


@dataclass
class Stage:
    glue: Glue = field(default_factory=Glue)
    s3: S3 = field(default_factory=S3)

    def vacuum(self, hours: float = 168, dry_run: bool = False) -> list[Removal]:
        grace = timedelta(hours=hours)
        made = Vacuum(self.glue, self.s3, NOW, grace, dry_run)  # type: ignore[arg-type]
        return list(made.run(["db"]))

    def runs(self) -> set[str]:
        """Run and day of what is left."""
        return {key.removeprefix(ROOT).rpartition("/")[0] for key in self.s3.objects}


def table(name: str, location: str, **parameters: str) -> dict[str, Any]:
    return {
        "Name": name,
        "StorageDescriptor": {"Location": location},
        "Parameters": {f"datacore.{key}": value for key, value in parameters.items()},
        "VersionId": "7",
    }


@pytest.fixture
def stage() -> Stage:
    """A table of two days; an old run of both, of which one day is still in use."""
    made = Stage()
    runs = {f"run.{OLDER}": "2026-01-01 2026-01-02", f"run.{OLD}": "2026-01-01"}
    made.glue.tables["rollup"] = table("rollup", "s3://b/lake/rollup", published=OLD, **runs)
    for run, day in ((OLDER, "2026-01-01"), (OLDER, "2026-01-02"), (OLD, "2026-01-01")):
        made.s3.objects[f"{ROOT}{run}/dt={day}/part.parquet"] = NOW - timedelta(days=15)
    made.glue.days = {
        "2026-01-01": f"s3://b/{ROOT}{OLD}/dt=2026-01-01",
        "2026-01-02": f"s3://b/{ROOT}{OLDER}/dt=2026-01-02",
    }
    return made


def test_what_nothing_points_at_goes_by_day_and_the_table_forgets_it(stage: Stage) -> None:
    assert stage.vacuum(dry_run=True) == [Removal("db.rollup", 1, 1, 10)]
    assert len(stage.runs()) == 3
    assert stage.vacuum() == [Removal("db.rollup", 1, 1, 10)]
    assert stage.runs() == {f"{OLDER}/dt=2026-01-02", f"{OLD}/dt=2026-01-01"}
    parameters = stage.glue.tables["rollup"]["Parameters"]
    assert parameters[f"datacore.run.{OLDER}"] == "2026-01-02"
    assert stage.vacuum() == [Removal("db.rollup")]


def test_what_is_within_the_grace_stays_by_the_runs_start_and_by_its_newest_object(
    stage: Stage,
) -> None:
    stage.s3.objects[f"{ROOT}{YOUNG}/dt=2026-01-01/part.parquet"] = NOW - timedelta(days=15)
    stage.s3.objects[f"{ROOT}{OLDER}/dt=2026-01-01/late.parquet"] = NOW - timedelta(hours=1)
    before = stage.runs()
    assert stage.vacuum() == [Removal("db.rollup", kept=2)]
    assert stage.runs() == before


def test_a_directory_that_no_run_is_called_like_is_never_removed(stage: Stage) -> None:
    stage.s3.objects[f"{ROOT}by-hand/dt=2026-01-01/part.parquet"] = NOW - timedelta(days=90)
    stage.vacuum(hours=0)
    assert "by-hand/dt=2026-01-01" in stage.runs()


def test_a_table_that_another_changed_meanwhile_is_left(stage: Stage) -> None:
    def changed() -> None:
        stage.glue.tables["rollup"]["VersionId"] = "8"

    stage.glue.before_update = changed
    assert stage.vacuum() == [Removal("db.rollup", left="it was changed meanwhile")]
    assert len(stage.runs()) == 3


def test_a_table_that_is_being_published_is_left(stage: Stage) -> None:
    stage.glue.tables["rollup__publishing"] = table("rollup__publishing", "")
    assert stage.vacuum() == [Removal("db.rollup", left="a run publishes it now")]
    assert len(stage.runs()) == 3


def test_what_a_rollback_points_at_in_the_last_moment_stays(stage: Stage) -> None:
    def rolled_back() -> None:
        stage.glue.days["2026-01-01"] = f"s3://b/{ROOT}{OLDER}/dt=2026-01-01"

    stage.glue.after_update = rolled_back
    assert stage.vacuum() == [Removal("db.rollup")]
    assert len(stage.runs()) == 3


def test_a_table_beside_holds_its_directory_until_it_is_older_than_the_grace(stage: Stage) -> None:
    beside = f"rollup__building_{OLDER.lower().replace('-', '_')}"
    location = f"s3://b/{ROOT}{OLDER}"
    stage.glue.tables[beside] = table(beside, location)
    assert stage.vacuum(hours=24 * 365) == [Removal("db.rollup")]
    assert beside in stage.glue.tables
    assert stage.vacuum() == [Removal("db.rollup", 1, 1, 10)]
    assert beside not in stage.glue.tables


def test_a_table_without_days_keeps_the_run_that_it_points_at(stage: Stage) -> None:
    stage.glue.days = {}
    stage.glue.tables["rollup"] = table(
        "rollup", f"s3://b/{ROOT}{OLD}", published=OLD, **{f"run.{r}": "all" for r in (OLD, OLDER)}
    )
    stage.s3.objects = {
        f"{ROOT}{run}/part.parquet": NOW - timedelta(days=15) for run in (OLD, OLDER)
    }
    assert stage.vacuum() == [Removal("db.rollup", 1, 1, 10)]
    assert stage.runs() == {OLD}


def test_other_tables_are_not_touched_and_a_refusal_is_told(stage: Stage) -> None:
    stage.glue.tables["raw"] = table("raw", "s3://b/raw")
    stage.s3.refuses = True
    with pytest.raises(ServiceUnreachable, match="k was not removed: no"):
        stage.vacuum()


def test_another_catalog_than_glue_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATACORE_CATALOG", "hive")
    done = CliRunner().invoke(vacuum, [], standalone_mode=False)
    assert isinstance(done.exception, UsageError)
    assert "DATACORE_CATALOG=hive" in done.exception.message
