"""What the landing protocol takes from S3, on two servers that share no code."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from s3_servers import S3Server
from s3_stage import Stage, settings_at

from datacore.aws import s3_client
from datacore.errors import DifferenceFound, UsageError
from ingest.audit.facts import BucketKey
from ingest.audit.store import Store
from ingest.land.bucket import DELETED, Bucket
from ingest.land.manifest import chain_prefix
from ingest.land.objects import NOTHING, Body, offset_name

PAGE = 1_000
"""Keys that S3 lists in one answer."""


def fill(bucket: Bucket, keys: list[str]) -> None:
    """Write an object under each key."""
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda key: bucket.put_new(key, b"x"), keys))


def test_of_two_writes_of_a_key_the_first_stands_with_its_metadata(stage: Stage) -> None:
    bucket = stage.bucket
    noted = {"sha256": "ab" * 32, "records": "3"}
    assert bucket.put_new("a/b.json", b"first", noted)
    assert not bucket.put_new("a/b.json", b"second", {"sha256": "other"})
    assert bucket.read("a/b.json") == (b"first", noted)
    assert bucket.checksum("a/b.json") == noted["sha256"]
    assert bucket.put_new("a/plain.json", b"")
    assert bucket.checksum("a/plain.json") == ""


def test_of_eight_writers_at_once_exactly_one_is_told_that_it_was_first(stage: Stage) -> None:
    writers, keys = 8, 60
    together = threading.Barrier(writers)
    buckets = [Bucket(stage.s3, stage.place.bucket) for _ in range(writers)]

    def write(number: int) -> list[bool]:
        told = []
        for key in range(keys):
            together.wait(30)
            told.append(
                buckets[number].put_new(f"race/{key}", b"%d" % number * 10_000, {"sha256": "ab"})
            )
            # who is told that it was not first finds the whole object
            assert buckets[number].checksum(f"race/{key}") == "ab"
        return told

    with ThreadPoolExecutor(writers) as pool:
        told = list(pool.map(write, range(writers)))
    for key in range(keys):
        first = [number for number in range(writers) if told[number][key]]
        assert len(first) == 1, f"race/{key}: {first} were told that they were first"
        (winner,) = first
        assert stage.bucket.get(f"race/{key}") == b"%d" % winner * 10_000
    winners = {number for number in range(writers) if any(told[number])}
    assert len(winners) > 1, "they did not run at once"


def test_a_writer_that_is_killed_halfway_leaves_the_key_free(stage: Stage) -> None:
    assert stage.process("put", key="half.json").code() == -9
    assert stage.bucket.get("half.json") is None
    assert list(stage.bucket.keys("")) == []
    assert stage.bucket.put_new("half.json", b"whole")
    assert stage.bucket.get("half.json") == b"whole"


def test_bytes_come_back_as_they_were_gzip_too(stage: Stage) -> None:
    data = random.Random(1).randbytes(5 << 20)
    for key in ("data.json", "data.jsonl.gz"):
        assert stage.bucket.put_new(key, data)
        assert stage.bucket.get(key) == data
        assert stage.bucket.beginning(key, 1_000) == data[:1_000]
        assert stage.bucket.beginning(key, len(data) * 2) == data
    assert list(stage.bucket.get_all(["data.jsonl.gz", "data.json"])) == [data, data]
    with pytest.raises(DifferenceFound):
        list(stage.bucket.get_all(["data.json", "gone.json"]))


def test_a_body_that_is_there_must_be_the_same_unless_it_was_given_up(stage: Stage) -> None:
    bucket = stage.bucket
    bodies = {f"b/{n}.gz": Body(b"gzip %d" % n, n, 10, 0, f"{n:064}") for n in range(20)}
    assert bucket.put_bodies(bodies)
    assert bucket.put_bodies(bodies)
    bucket.give_up(["b/given-up.gz", "b/1.gz"])
    assert bucket.checksums(["b/given-up.gz", "b/1.gz", "b/none.gz"]) == {
        "b/given-up.gz": NOTHING.sha256,
        "b/1.gz": f"{1:064}",
        "b/none.gz": None,
    }
    late = {"b/given-up.gz": bodies["b/2.gz"]}
    assert not bucket.put_bodies(late)
    with pytest.raises(DifferenceFound, match="other lines"):
        bucket.put_bodies({"b/1.gz": bodies["b/2.gz"]})
    assert bucket.get("b/1.gz") == b"gzip 1"


def test_keys_are_listed_in_the_order_of_the_chain_from_where_one_was(stage: Stage) -> None:
    prefix = chain_prefix("t", 0)
    names = [offset_name(g, offset) for g in (0, 1, 2, 10) for offset in (0, 7, 10, 10**12)]
    keys = [prefix + name + end for name in names for end in (".json", ".lost.json")]
    others = [
        chain_prefix("t", 1) + "x.json",
        chain_prefix("t", 10) + "x.json",
        "z",
        "~",
        "A b",
        "→",
    ]
    fill(stage.bucket, random.Random(2).sample([*keys, *others], len(keys) + len(others)))
    assert list(stage.bucket.keys(prefix)) == keys
    for number, key in enumerate(keys):
        assert list(stage.bucket.keys(prefix, key)) == keys[number + 1 :]
        assert list(stage.bucket.keys(prefix, f"{key}~")) == keys[number + 1 :]
    for number, name in enumerate(names):
        # before a manifest, after all that may stand at a smaller offset
        assert list(stage.bucket.keys(prefix, prefix + name)) == keys[2 * number :]
    assert list(stage.bucket.keys(prefix, prefix[:-1])) == keys
    assert list(stage.bucket.keys(prefix, "zzz")) == []
    assert list(stage.bucket.keys("")) == sorted([*keys, *others], key=str.encode)
    assert list(stage.bucket.keys("nothing/")) == []


def test_a_listing_of_more_than_one_page_is_whole_and_removed_whole(stage: Stage) -> None:
    assert PAGE == DELETED
    keys = [f"many/{number // 100:02}/{number:05}" for number in range(PAGE + 50)]
    fill(stage.bucket, random.Random(3).sample(keys, len(keys)))
    fill(stage.bucket, ["many-others"])
    assert list(stage.bucket.keys("many/")) == keys
    assert list(stage.bucket.keys("many/", keys[20])) == keys[21:]
    assert stage.bucket.sizes("many/") == dict.fromkeys(keys, 1)
    assert stage.bucket.folders("many/") == [f"{number:02}" for number in range(11)]
    stage.bucket.remove([*keys, "many/of-nobody"])
    assert list(stage.bucket.keys("")) == ["many-others"]
    assert stage.bucket.put_new(keys[0], b"again")


def test_folders_are_those_directly_under_a_prefix_while_they_hold_something(
    stage: Stage,
) -> None:
    fill(stage.bucket, ["l/b/x/y", "l/a/x", "l/a-b/x", "l/~0001/x", "l/file", "m/x"])
    assert stage.bucket.folders("l/") == ["a-b", "a", "b", "~0001"]
    assert stage.bucket.folders("") == ["l", "m"]
    assert stage.bucket.keys_of(["l/a/", "l/b/", "l/c/"]) == [["l/a/x"], ["l/b/x/y"], []]
    stage.bucket.remove(["l/b/x/y"])
    assert stage.bucket.folders("l/") == ["a-b", "a", "~0001"]
    assert stage.bucket.folders("l/b/") == []


def test_what_is_not_there_is_told_as_absent_whatever_stands_around_it(stage: Stage) -> None:
    fill(stage.bucket, ["a/b/c.json"])
    for key in ("none", "a", "a/", "a/b", "a/b/", "a/b/c", "a/b/c.json/d", "a/b/d/e.json"):
        assert stage.bucket.get(key) is None, key
        assert stage.bucket.checksum(key) is None, key
        assert stage.bucket.beginning(key, 10) is None, key
    assert stage.bucket.put_new("empty", b"")
    assert stage.bucket.get("empty") == b""
    assert stage.bucket.beginning("empty", 10) == b""


def test_copies_keep_bytes_and_metadata_and_overwrite_nothing(stage: Stage) -> None:
    bucket = stage.bucket
    for name in ("one", "two"):
        assert bucket.put_new(f"from/{name}.gz", name.encode(), {"sha256": name, "records": "1"})
    copies = [(f"from/{name}.gz", f"to/{name}.gz") for name in ("one", "two", "gone")]
    assert bucket.put_new("to/two.gz", b"was there")
    assert bucket.copy_all(copies) == 1
    assert bucket.read("to/one.gz") == bucket.read("from/one.gz")
    assert bucket.get("to/two.gz") == b"was there"
    assert bucket.get("to/gone.gz") is None
    assert bucket.copy_all(copies) == 0


def test_a_bucket_that_does_not_exist_is_named(stage: Stage) -> None:
    absent = Bucket(stage.s3, "no-such-bucket")
    for act in (
        lambda: absent.check(),
        lambda: absent.put_new("a", b""),
        lambda: absent.get("a"),
        lambda: list(absent.keys("")),
        lambda: absent.folders(""),
        lambda: absent.remove(["a"]),
    ):
        with pytest.raises(UsageError, match="bucket 'no-such-bucket' does not exist"):
            act()


def test_wrong_credentials_are_a_users_mistake_where_the_server_looks_at_them(
    stage: Stage, server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    bucket = Bucket(s3_client(settings_at(server.endpoint)), stage.place.bucket)
    if server.refuses:
        with pytest.raises(UsageError, match="refused"):
            bucket.put_new("a", b"")
    assert stage.bucket.get("a") is None


def test_a_bucket_that_is_not_encrypted_is_taken_only_where_it_is_allowed(
    stage: Stage, server: S3Server
) -> None:
    stage.s3.create_bucket(Bucket="plain")
    plain = Bucket(stage.s3, "plain")
    with pytest.raises(UsageError, match="'plain' has no default encryption"):
        plain.check()
    plain.check(allow_unencrypted=True)
    assert Store(stage.s3, stage.kms, "plain").default_key() == BucketKey(None)
    stage.s3.delete_bucket(Bucket="plain")

    stage.bucket.put_new("a", b"")
    stored = Store(stage.s3, stage.kms, stage.place.bucket).head("a")
    assert stored is not None
    assert stored.algorithm == ("aws:kms" if server.encrypts else None)
    if server.encrypts:
        stage.bucket.check()
