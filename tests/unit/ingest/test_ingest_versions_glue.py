"""Versions on S3 and Glue as moto has them: the calls, what they leave, and what repairs them."""

import gzip
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from memory_bucket import Crash
from memory_source import Log, MemoryRecord, MemorySource
from memory_stage import CLICKS, HOUR, NOW, P0, Counting, click, killed
from moto import mock_aws
from test_ingest_register import CONTRACT

from datacore.errors import DifferenceFound
from ingest.land.bucket import Bucket
from ingest.land.hourlog import Hour
from ingest.land.lander import CutPolicy, Lander
from ingest.land.lane import LanderIdentity
from ingest.land.rules import Rules
from ingest.register.commands import settle_misplaced
from ingest.register.glue import GlueCatalog
from ingest.register.registrar import Registrar
from ingest.register.scan import scan
from ingest.versions.compact import Compactor, Outcome, Policy, sealed_hours
from ingest.versions.record import base_folder, version_folder
from ingest.versions.settle import Settler

VALUES = ["2026-01-02", "01"]


class CrashingBucket(Bucket):
    """Counts what it writes and removes."""

    def __init__(self, client: Any, name: str, step: Counting) -> None:
        super().__init__(client, name)
        self._step = step

    def put_new(self, key: str, data: bytes, metadata: Any = None) -> bool:
        self._step()
        return super().put_new(key, data, metadata)

    def remove(self, keys: Any) -> None:
        self._step()
        super().remove(keys)


class CrashingCatalog(GlueCatalog):
    """Counts what it moves."""

    def __init__(self, client: Any, step: Counting) -> None:
        super().__init__(client)
        self._step = step

    def move_partition(self, *arguments: Any) -> None:
        self._step()
        super().move_partition(*arguments)
        self._step()


class Platform:
    """S3 and Glue, with a sealed hour of three objects."""

    def __init__(self) -> None:
        session = boto3.Session("a", "b", region_name="us-east-1")
        self.s3, self.glue = session.client("s3"), session.client("glue")
        self.s3.create_bucket(Bucket="raw-logs")
        self.log = Log({P0: []})
        self.now = NOW / 1000
        self.identity = LanderIdentity("me", lambda: self.now)
        self.registrar().tables()
        self.land(6)

    def registrar(self, step: Counting | None = None) -> Registrar:
        return Registrar(CrashingCatalog(self.glue, step or Counting()), [CONTRACT], "raw-logs")

    def bucket(self, step: Counting | None = None) -> Bucket:
        return CrashingBucket(self.s3, "raw-logs", step or Counting())

    def land(self, count: int) -> None:
        at = len(self.log.records[P0])
        records = [MemoryRecord(n, NOW, click(0, n)) for n in range(at, at + count)]
        self.log.records[P0] += records
        lander = Lander(
            MemorySource(self.log, step=2), self.bucket(), Rules(CLICKS), self.registrar(),
            self.identity, CutPolicy(bytes=100),
        )  # fmt: skip
        lander.run_until_caught_up(threading.Event())

    def compact(self, step: Counting | None = None, grace_s: float = 3600) -> list[Outcome]:
        bucket = self.bucket(step)
        settler = Settler(bucket, self.registrar(step), self.identity)
        sealed, _ = sealed_hours(bucket)
        return list(Compactor(settler, Policy(grace_s=grace_s)).day("click", "2026-01-02", sealed))

    def register(self) -> int:
        bucket, registrar = self.bucket(), self.registrar()
        found = scan(bucket)
        registrar.hours(found.hours - found.versioned)
        return settle_misplaced(bucket, registrar, found.versioned)

    def partition(self) -> dict[str, Any]:
        found: dict[str, Any] = self.glue.get_partition(
            DatabaseName="raw", TableName="click", PartitionValues=VALUES
        )["Partition"]
        return found

    def folder(self) -> str:
        location: str = self.partition()["StorageDescriptor"]["Location"]
        return location.removeprefix("s3://raw-logs/") + "/"

    def check(self) -> None:
        """Readers see every line once."""
        lines = Counter(
            line
            for key in self.bucket().keys(self.folder())
            for line in gzip.decompress(self.bucket().get(key) or b"").splitlines()
        )
        assert lines == Counter(record.value for record in self.log.records[P0])


@pytest.fixture
def platform() -> Iterator[Platform]:
    with mock_aws():
        yield Platform()


def test_publishing_moves_the_partition_and_keeps_all_else_of_it(platform: Platform) -> None:
    before = platform.partition()
    (outcome,) = platform.compact()
    after = platform.partition()
    assert outcome.version == 1
    assert after["StorageDescriptor"] == {
        **before["StorageDescriptor"],
        "Location": "s3://raw-logs/production-logs/_versioned/click/2026/01/02/01/000001",
    }
    assert after["Parameters"] == {"datacore.published_at": f"{platform.now:.3f}"}
    platform.check()


def test_killed_at_any_write_the_next_run_heals() -> None:
    counting = Counting()
    with mock_aws():
        Platform().compact(counting, grace_s=0)
    assert counting.steps == 5
    for number in range(counting.steps):
        with mock_aws():  # each begins with nothing
            one = Platform()
            with pytest.raises(Crash):
                one.compact(Counting(number, killed), grace_s=0)
            one.check()
            one.compact(grace_s=0)
            assert one.folder() == version_folder(HOUR, 1)
            assert not list(one.bucket().keys(base_folder(HOUR)))
            one.check()


def test_late_data_after_compaction_is_seen_in_the_version(platform: Platform) -> None:
    platform.compact(grace_s=0)
    platform.land(1)
    platform.check()
    platform.compact(grace_s=0)
    assert platform.folder() == version_folder(HOUR, 2)
    platform.check()


def test_registering_restores_the_newest_version_where_glue_lost_the_hour(
    platform: Platform,
) -> None:
    platform.compact(grace_s=0)
    platform.land(1)
    lost = {"DatabaseName": "raw", "TableName": "click", "PartitionValues": VALUES}
    platform.glue.delete_partition(**lost)
    assert platform.register() == 1
    assert platform.folder() == version_folder(HOUR, 1)
    platform.check()
    assert platform.register() == 0


def test_registering_points_a_misplaced_hour_to_its_newest_version(platform: Platform) -> None:
    platform.compact()
    registrar = platform.registrar()
    registrar.publish(HOUR, base_folder(HOUR), platform.now)
    assert platform.folder() == base_folder(HOUR)
    assert platform.register() == 1
    assert platform.folder() == version_folder(HOUR, 1)
    platform.check()


def test_a_lander_that_touches_an_hour_that_glue_lost_makes_it_at_its_version(
    platform: Platform,
) -> None:
    platform.compact(grace_s=0)
    platform.glue.delete_partition(DatabaseName="raw", TableName="click", PartitionValues=VALUES)
    platform.land(1)
    assert platform.folder() == version_folder(HOUR, 1)
    platform.check()


def test_an_hour_that_nobody_published_is_published_with_its_time(platform: Platform) -> None:
    platform.glue.delete_partition(DatabaseName="raw", TableName="click", PartitionValues=VALUES)
    registrar = platform.registrar()
    assert registrar.published(HOUR) is None
    registrar.publish(HOUR, version_folder(HOUR, 1), 12.5)
    seen = registrar.published(HOUR)
    assert seen is not None
    assert (seen.folder, seen.since) == (version_folder(HOUR, 1), 12.5)
    assert registrar.locations("click") == {HOUR: version_folder(HOUR, 1)}


def test_a_copy_keeps_bytes_and_metadata_and_never_overwrites(platform: Platform) -> None:
    bucket = platform.bucket()
    (first, second, _) = bucket.keys(base_folder(HOUR))
    assert bucket.copy_all([(first, "copy"), ("nothing", "copy-of-nothing")]) == 1
    assert bucket.read("copy") == bucket.read(first)
    assert bucket.copy_all([(second, "copy")]) == 0
    assert bucket.read("copy") == bucket.read(first)


def test_an_hour_whose_object_was_changed_is_told_and_the_others_go_on(platform: Platform) -> None:
    key = next(platform.bucket().keys(base_folder(HOUR)))
    platform.s3.put_object(Bucket="raw-logs", Key=key, Body=b"no gzip")
    (outcome,) = platform.compact()
    assert isinstance(outcome.difference, DifferenceFound)
    assert key in outcome.difference.message
    assert platform.folder() == base_folder(HOUR)


def test_the_hours_that_have_versions_are_found_without_their_base_folder(
    platform: Platform,
) -> None:
    platform.compact(grace_s=0)
    found = scan(platform.bucket())
    assert found.hours == set()
    assert found.versioned == {Hour("click", "2026-01-02", "01")}
