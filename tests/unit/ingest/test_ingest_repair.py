"""Repair on S3 (moto) that the real lander filled: what is lost comes back, what is there stays."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

import pytest
from landed_store import NOW, P0, LandedStore, log_of
from memory_source import Log, MemoryRecord, MemorySource
from moto import mock_aws

from ingest.audit.audit import Audit
from ingest.audit.facts import Scope
from ingest.audit.look import look
from ingest.land.source import Source
from ingest.repair.repair import Action, Means, Outcome, Repair


@pytest.fixture
def landed() -> Iterator[LandedStore]:
    with mock_aws():
        store = LandedStore()
        store.land(log_of())
        yield store


def repaired(
    store: LandedStore, log: Log | None, replace: bool = False, dry_run: bool = False
) -> list[Action]:
    """What `datacore repair` does; `log` None: Kafka has no such topic."""
    source: Source | None = MemorySource(log) if log else None
    means = Means(
        bucket=store.bucket,
        source=lambda topic: source,
        examine=store.store.examine,
        replace=replace,
        dry_run=dry_run,
    )
    audit = Audit(store.store, store.catalog, Scope(), False, lambda: store.clock)
    seen = look(store.store, store.catalog, Scope())
    return list(Repair(seen, means).run(audit.judged(seen, audit.promises(seen))))


def outcomes(actions: list[Action]) -> list[tuple[Outcome, str]]:
    return [(action.outcome, action.key) for action in actions]


def test_a_whole_store_needs_nothing(landed: LandedStore) -> None:
    assert repaired(landed, log_of(), replace=True) == []


def test_removed_objects_come_back_as_they_were(landed: LandedStore) -> None:
    keys = [landed.keys("click/")[0], landed.keys("click/")[-1], landed.keys("_quarantine/")[2]]
    before = {key: landed.get(key) for key in keys}
    for key in keys:
        landed.remove(key)
    would = repaired(landed, log_of(), dry_run=True)
    assert sorted(outcomes(would)) == sorted((Outcome.WOULD_RESTORE, key) for key in keys)
    assert not set(keys) & set(landed.keys())
    done = repaired(landed, log_of())
    assert sorted(outcomes(done)) == sorted((Outcome.RESTORED, key) for key in keys)
    assert not any(action.is_open for action in done)
    assert {key: landed.get(key) for key in keys} == before
    assert landed.audit().findings == ()


@pytest.mark.parametrize("spoil", [lambda data: data[:-9], lambda _: gzip.compress(b"{}\n")])
def test_an_edited_object_is_replaced_only_if_asked_for(landed: LandedStore, spoil) -> None:  # type: ignore[no-untyped-def]
    key = landed.keys("click/")[0]
    true, wrong = landed.get(key), spoil(landed.get(key))
    landed.put(key, wrong)
    (left,) = repaired(landed, log_of())
    assert (left.outcome, left.key) == (Outcome.LEFT, key)
    assert left.is_open
    assert "--replace" in left.why
    assert outcomes(repaired(landed, log_of(), replace=True, dry_run=True)) == [
        (Outcome.WOULD_REPLACE, key)
    ]
    assert landed.get(key) == wrong
    assert outcomes(repaired(landed, log_of(), replace=True)) == [(Outcome.REPLACED, key)]
    assert landed.get(key) == true
    assert landed.audit().findings == ()


def no_longer(log: Log) -> Log:
    log.begins[P0] = 3
    return log


def shorter(log: Log) -> Log:
    log.records[P0] = log.records[P0][:4]
    return log


def made_again(log: Log) -> Log:
    return replace(log, topic_id="id-2")


def other_lines(log: Log) -> Log:
    log.records[P0][1] = MemoryRecord(1, NOW, b'{"at":"2026-01-02T00:10:00Z","other":1}')
    return log


@pytest.mark.parametrize(
    ("log", "why"),
    [
        (None, "Kafka has no topic t"),
        (no_longer(log_of()), "Kafka no longer holds the offsets [0, 6) of partition 0"),
        (shorter(log_of()), "Kafka does not reach the offsets [0, 6)"),
        (made_again(log_of()), "t was made again since"),
        (other_lines(log_of()), "other lines than the manifest promised"),
    ],
)
def test_what_kafka_cannot_give_back_is_told_and_nothing_is_removed(
    landed: LandedStore, log: Log | None, why: str
) -> None:
    missing, edited = (key for key in landed.keys("click/") if "+0+" + "0" * 20 in key)
    landed.remove(missing)
    landed.put(edited, gzip.compress(b"{}\n"))
    before = {key: landed.get(key) for key in landed.keys("")}
    actions = repaired(landed, log, replace=True)
    assert sorted(outcomes(actions)) == [
        (Outcome.NOT_RESTORED, missing),
        (Outcome.NOT_RESTORED, edited),
    ]
    assert all(action.is_open and why in action.why for action in actions)
    assert {key: landed.get(key) for key in landed.keys("")} == before, "nor is a note written"


def test_without_its_rules_a_cut_cannot_be_made_again(landed: LandedStore) -> None:
    landed.remove(landed.keys("click/")[0])
    (rules,) = landed.keys("_contracts/")
    for spoil in (lambda: landed.put(rules, b"{}"), lambda: landed.remove(rules)):
        spoil()
        (action,) = repaired(landed, log_of())
        assert action.outcome is Outcome.NOT_RESTORED
        assert f"its rules {rules} are missing or changed" in action.why


def test_a_copy_in_a_versions_folder_is_made_of_its_original(landed: LandedStore) -> None:
    """An hour was compacted; an object that came later was copied into the version's folder."""
    folder = "production-logs/_versioned/click/2026/01/02/01/000001"
    late, *merged = landed.keys("click/2026/01/02/01/")
    lines = b"".join(gzip.decompress(landed.get(key)) for key in merged)
    output, version = f"{folder}/000001+00000.jsonl.gz", {
        "inputs": merged,
        "outputs": [output_of(f"{folder}/000001+00000.jsonl.gz", lines)],
    }  # fmt: skip
    landed.put(
        output,
        gzip.compress(lines),
        Metadata={name: str(version["outputs"][0][name]) for name in ("sha256", "records")},
    )
    landed.put(
        "production-logs/_versions/click/2026/01/02/01/000001.json", json.dumps(version).encode()
    )
    copy = f"{folder}/{late.rpartition('/')[2]}"
    noted = landed.s3.head_object(Bucket=landed.bucket.name, Key=late)["Metadata"]
    landed.put(copy, landed.get(late), Metadata=noted)
    publish(landed, folder)
    assert landed.audit().findings == ()
    landed.remove(merged[0])
    assert landed.audit().findings == (), "what the version stands for may be gone"

    landed.remove(copy)
    landed.remove(late)
    assert outcomes(repaired(landed, log_of())) == [
        (Outcome.RESTORED, late),
        (Outcome.RESTORED, copy),
    ]
    assert landed.audit().findings == ()
    landed.remove(output)
    (action,) = repaired(landed, log_of())
    assert (action.outcome, action.key) == (Outcome.NOT_RESTORED, output)
    assert "run `datacore compact` again" in action.why


def output_of(key: str, lines: bytes) -> dict[str, object]:
    """A version's output, as its record has it."""
    return {
        "key": key,
        "records": lines.count(b"\n"),
        "bytes": len(lines),
        "sha256": sha256(lines).hexdigest(),
    }


def publish(store: LandedStore, folder: str) -> None:
    """Point Glue's partition of click 2026-01-02 01 at `folder`."""
    name = {"DatabaseName": "raw", "TableName": "click"}
    values = ["2026-01-02", "01"]
    held = store.glue.get_partition(**name, PartitionValues=values)["Partition"]
    location = f"s3://{store.bucket.name}/{folder}/"
    descriptor = {**held["StorageDescriptor"], "Location": location}
    store.glue.update_partition(
        **name,
        PartitionValueList=values,
        PartitionInput={"Values": values, "StorageDescriptor": descriptor},
    )
