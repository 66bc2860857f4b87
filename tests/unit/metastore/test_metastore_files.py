"""Deleting and moving files: what is done, and above all what is not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from metastore.files import Files, FilesFailed, Place, UnsafeLocation, contains


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="lake")
        yield client


def put(s3: Any, *keys: str) -> None:
    for key in keys:
        s3.put_object(Bucket="lake", Key=key, Body=key.encode())


def keys(s3: Any) -> list[str]:
    found = s3.get_paginator("list_objects_v2").paginate(Bucket="lake")
    return [entry["Key"] for page in found for entry in page.get("Contents", ())]


def test_only_a_marked_directory_leaves_an_object_and_it_goes_with_the_rest(s3: Any) -> None:
    files = Files(s3)
    files.make_directory("s3://lake/db/plain")
    files.make_directory("s3://lake/db/hive", marked=True)
    assert keys(s3) == ["db/hive/"]
    put(s3, "db/hive/part-0")
    assert files.delete("s3://lake/db/hive", "s3://lake/db/hive") == 2
    assert keys(s3) == []


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("s3://b/x/y/", Place("s3", "b", ("x", "y"))),
        ("s3a://b/x", Place("s3", "b", ("x",))),
        ("s3://b", Place("s3", "b", ())),
        ("file:/x/y", Place("file", "", ("x", "y"))),
        ("file:///x/y", Place("file", "", ("x", "y"))),
        ("/x/y", Place("file", "", ("x", "y"))),
        ("/x/hour=a%3Ab", Place("file", "", ("x", "hour=a%3Ab"))),
        ("hdfs://n:1/x", Place("hdfs", "n:1", ("x",))),
    ],
)
def test_location_is_taken_apart(location: str, place: Place) -> None:
    assert Place.parse(location) == place


def test_sibling_with_the_same_beginning_is_not_contained() -> None:
    assert contains("s3://b/t", "s3a://b/t/dt=1")
    assert contains("s3://b/t", "s3://b/t/")
    assert not contains("s3://b/t", "s3://b/t2")
    assert not contains("s3://b/t", "s3://c/t/x")
    assert not contains("s3://b/t", "s3://b/t/../u")
    assert not contains("s3://b/t/dt=1", "s3://b/t")


@pytest.mark.parametrize(
    ("location", "within"),
    [
        ("s3://lake", "s3://lake"),
        ("s3://lake/", "s3://lake/"),
        ("s3://lake//", "s3://lake//"),
        ("s3://lake/a/../b", "s3://lake/a"),
        ("s3://lake/b", "s3://lake/a"),
        ("s3://lake/ab", "s3://lake/a"),
        ("s3://lake/a", "s3://lake/a/b"),
        ("s3:///a/b", "s3:///a/b"),
        ("file:/", "file:/"),
        ("file:/home", "file:/home"),
        ("hdfs://n/a/b", "hdfs://n/a/b"),
        ("", ""),
    ],
)
def test_unsafe_location_is_never_deleted(location: str, within: str) -> None:
    with pytest.raises(UnsafeLocation):
        Files(s3=None).delete(location, within)


def test_objects_below_the_location_are_deleted_and_no_other(s3: Any) -> None:
    put(s3, "t/1", "t/dt=1/2", "t2/3", "t", "u/t/4")
    assert Files(s3).delete("s3://lake/t", "s3://lake/t/") == 2
    assert keys(s3) == ["t", "t2/3", "u/t/4"]


def test_more_objects_than_a_batch_are_deleted(s3: Any) -> None:
    put(s3, *(f"t/{number}" for number in range(1003)))
    assert Files(s3).delete("s3://lake/t", "s3://lake/t") == 1003
    assert keys(s3) == []


def test_objects_are_copied_with_their_paths(s3: Any) -> None:
    put(s3, "t/1", "t/dt=1/2", "t2/3")
    Files(s3).copy("s3://lake/t", "s3://lake/u")
    assert keys(s3) == ["t/1", "t/dt=1/2", "t2/3", "u/1", "u/dt=1/2"]


def test_nothing_is_copied_onto_what_is_there(s3: Any) -> None:
    put(s3, "t/1", "u/2")
    with pytest.raises(UnsafeLocation, match="not empty"):
        Files(s3).copy("s3://lake/t", "s3://lake/u")
    with pytest.raises(UnsafeLocation):
        Files(s3).copy("s3://lake/t", "s3://lake/t/u")


def test_missing_bucket_is_a_failure_with_its_reason(s3: Any) -> None:
    with pytest.raises(FilesFailed, match="NoSuchBucket"):
        Files(s3).delete("s3://nowhere/t", "s3://nowhere/t")


def test_local_directory_is_deleted_and_a_link_is_not(tmp_path: Path) -> None:
    files = Files(s3=None)
    files.make_directory(f"file:{tmp_path}/t/dt=1")
    assert files.delete(f"file:{tmp_path}/t", f"file:{tmp_path}/t") == 1
    assert not (tmp_path / "t").exists()
    (tmp_path / "kept").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    assert files.delete(f"file:{tmp_path}/link", f"file:{tmp_path}/link") == 0
    assert (tmp_path / "kept").exists()


def test_directory_with_files_is_not_removed_as_empty(tmp_path: Path) -> None:
    files = Files(s3=None)
    files.make_directory(f"file:{tmp_path}/db/t")
    files.remove_empty_directory(f"file:{tmp_path}/db")
    assert (tmp_path / "db/t").is_dir()
    files.remove_empty_directory(f"file:{tmp_path}/db/t")
    assert not (tmp_path / "db/t").exists()
