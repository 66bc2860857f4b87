"""Requests of one key are answered in turn, however slow moto is between looking and writing."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.s3 import models, responses

from sandbox import s3

SLOW_S = 0.3
BUCKET = "taking-turns"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, aws_client: Callable[[str], Any]) -> Any:
    """S3 of a server in this process that is slow to write, and slower to write metadata."""
    put, note = models.S3Backend.put_object, models.FakeKey.set_metadata

    def put_late(*arguments: Any, **named: Any) -> Any:
        time.sleep(SLOW_S)
        return put(*arguments, **named)

    def note_late(*arguments: Any, **named: Any) -> None:
        time.sleep(SLOW_S)
        note(*arguments, **named)

    monkeypatch.setattr(models.S3Backend, "put_object", put_late)
    monkeypatch.setattr(models.FakeKey, "set_metadata", note_late)
    monkeypatch.setattr(responses.S3Response, "_key_response", responses.S3Response._key_response)
    made = aws_client("s3")
    made.create_bucket(Bucket=BUCKET)
    return made


def noted(client: Any, key: str) -> dict[str, str] | None:
    """An object's metadata; None where it is not there."""
    try:
        found: dict[str, str] = client.head_object(Bucket=BUCKET, Key=key)["Metadata"]
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
        return None
    return found


def status_of_put(client: Any, key: str) -> int:
    try:
        answer = client.put_object(
            Bucket=BUCKET, Key=key, Body=b"x", IfNoneMatch="*", Metadata={"sha256": "ab"}
        )
    except ClientError as error:
        answer = error.response
    status: int = answer["ResponseMetadata"]["HTTPStatusCode"]
    return status


def race(client: Any, key: str) -> list[int]:
    """What two writers of a key are told."""
    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(lambda _: status_of_put(client, key), range(2)))


def test_of_two_writers_one_is_told_that_it_was_first(client: Any) -> None:
    # the second overwrites the first, which is told that, or that something broke
    assert race(client, "a/b.json") != [200, 412], "moto answers in turn itself: drop sandbox/s3.py"
    s3.correct()
    assert race(client, "a/c.json") == [200, 412]


def test_an_object_is_found_with_its_metadata_or_not_at_all(client: Any) -> None:
    s3.correct()
    found = []
    with ThreadPoolExecutor(1) as pool:
        put = pool.submit(status_of_put, client, "a/d.json")
        while not put.done():
            found.append(noted(client, "a/d.json"))
    assert put.result() == 200
    assert {} not in found
    assert noted(client, "a/d.json") == {"sha256": "ab"}


def test_different_keys_do_not_wait_for_each_other(client: Any) -> None:
    s3.correct()
    locks = {s3.lock_of(BUCKET, f"a/{number}.json"): number for number in range(8)}
    began = time.monotonic()
    with ThreadPoolExecutor(len(locks)) as pool:
        told = list(pool.map(lambda n: status_of_put(client, f"a/{n}.json"), locks.values()))
    assert set(told) == {200}
    assert len(locks) > 2
    assert time.monotonic() - began < 2 * SLOW_S * len(locks)
