"""The audit on S3 and Glue (moto) that the real lander filled, and that somebody then touched."""

import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from landed_store import BUCKET, NOW, P0, LandedStore, log_of, produced, value
from memory_source import MemoryRecord
from moto import mock_aws

from datacore.settings import ROOT
from ingest.audit.audit import Audit
from ingest.audit.facts import Scope
from ingest.audit.finding import FindingKind as Kind
from ingest.land.rules import Rules

CUT = "_cuts/t/0/"
BLOCK = 3
"""Entries of a block, where a test fills one."""


@pytest.fixture
def landed() -> Iterator[LandedStore]:
    with mock_aws():
        store = LandedStore()
        store.land(log_of())
        yield store


@pytest.fixture
def logged_twice(landed: LandedStore) -> LandedStore:
    """Two entries in the hour log."""
    log = log_of()
    for partition, records in log.records.items():
        records.extend(
            MemoryRecord(n, NOW + n, value(partition, n), produced(2 * n + partition.number))
            for n in range(40, 50)
        )
    landed.land(log)
    return landed


def raw(store: LandedStore, place: int = 0) -> str:
    return store.keys("click/")[place]


def one(store: LandedStore, kind: Kind, key: str, wrong: str, **how: Any) -> None:
    """The audit finds this and nothing else."""
    (finding,) = store.audit(**how).findings
    assert (finding.kind, finding.key) == (kind, key)
    assert wrong in finding.wrong
    assert finding.next


@pytest.mark.parametrize("quick", [False, True], ids=["whole", "quick"])
def test_what_a_lander_left_is_clean(logged_twice: LandedStore, quick: bool) -> None:
    report = logged_twice.audit(quick=quick, later=3600)
    assert report.findings == ()
    assert report.objects == len(logged_twice.keys("click/")) + len(
        logged_twice.keys("_quarantine/")
    )
    assert report.records == (0 if quick else 100)
    assert report.on_the_way == 0
    (sizes,) = report.sizes
    listed = [held.size for held in logged_twice.store.listed("production-logs/click/")]
    assert (sizes.data_type, sizes.objects, sizes.bytes) == ("click", len(listed), sum(listed))
    assert sizes.below_small == 1.0


def test_a_removed_object_is_missing(landed: LandedStore) -> None:
    key = raw(landed)
    landed.remove(key)
    for quick in (False, True):
        one(landed, Kind.OBJECT_MISSING, key, "_cuts/t/0/00000000000000000000.json", quick=quick)


def test_a_truncated_object_is_damaged(landed: LandedStore) -> None:
    key = raw(landed)
    landed.put(key, landed.get(key)[:-12])
    one(landed, Kind.OBJECT_DAMAGED, key, "end-of-stream")
    landed.put(key, b"")
    one(landed, Kind.OBJECT_DAMAGED, key, "it is empty")
    landed.put(key, b"lines as they came, not compressed\n")
    one(landed, Kind.OBJECT_DAMAGED, key, "Not a gzipped file")


def test_an_edited_object_is_told_by_its_content_not_its_metadata(landed: LandedStore) -> None:
    key = raw(landed)
    lines = gzip.decompress(landed.get(key))
    landed.put(key, gzip.compress(lines.replace(b"2026", b"2025")))
    one(landed, Kind.OBJECT_EDITED, key, "promised")
    assert landed.audit(quick=True).findings == (), "--quick believes what is noted"
    landed.put(key, gzip.compress(lines + lines))
    one(landed, Kind.OBJECT_EDITED, key, f"holds {2 * lines.count(b'%c' % 10)} records")
    landed.put(key, gzip.compress(b"other"), Metadata={"sha256": "0" * 64, "records": "1"})
    one(landed, Kind.OBJECT_EDITED, key, "0" * 64, quick=True)


def test_another_gzip_of_the_same_lines_is_the_same_object(landed: LandedStore) -> None:
    key = raw(landed)
    landed.put(key, gzip.compress(gzip.decompress(landed.get(key)), 9))
    assert landed.audit().findings == ()


def test_true_lines_without_their_checksum_are_told(landed: LandedStore) -> None:
    key = raw(landed)
    landed.put(key, landed.get(key), Metadata={})
    for quick in (False, True):
        one(landed, Kind.OBJECT_UNNOTED, key, "None", quick=quick)


def test_an_object_that_nothing_speaks_of_is_named(landed: LandedStore) -> None:
    foreign = {
        "click/2026/01/02/05/t+0+00000000000000000999.jsonl.gz",
        "click/2026/01/02/05/part-0001.json",
        "click/_SUCCESS",
        "_cuts/t/0/notes.txt",
        "_hours/t/1/00000000000000000000.json",
        "_spark_metadata/0",
        "readme.txt",
    }
    for key in foreign:
        landed.put(f"production-logs/{key}", b"x")
    wanted = {(Kind.OBJECT_UNKNOWN, f"production-logs/{key}") for key in foreign}
    assert landed.found() == wanted


def test_an_object_outside_of_the_buckets_encryption_is_named(landed: LandedStore) -> None:
    keys = [
        raw(landed),
        *landed.keys(CUT)[:1],
        *landed.keys("_hours/"),
        *landed.keys("_contracts/"),
    ]
    for key in keys:
        landed.put(key, landed.get(key), ServerSideEncryption="AES256")
    assert landed.found() == {(Kind.UNENCRYPTED, key) for key in keys}
    for key in keys:
        landed.put(key, landed.get(key), ServerSideEncryption="aws:kms", SSEKMSKeyId="arn:other")
    assert landed.found() == {(Kind.OTHER_KEY, key) for key in keys}


def test_an_alias_names_the_buckets_key(landed: LandedStore) -> None:
    landed.kms.create_alias(AliasName="alias/logs", TargetKeyId=landed.key)
    landed.encrypt_by("alias/logs")
    assert landed.audit().findings == ()
    landed.encrypt_by(landed.key.rpartition("/")[2])
    assert landed.audit().findings == ()


def test_a_bucket_that_encrypts_nothing_is_told(landed: LandedStore) -> None:
    landed.s3.delete_bucket_encryption(Bucket=BUCKET)
    one(landed, Kind.BUCKET_UNENCRYPTED, f"s3://{BUCKET}", "none")


def test_a_removed_manifest_is_a_gap_and_its_objects_are_unknown(landed: LandedStore) -> None:
    removed, after = landed.keys(CUT)[1:3]
    orphans = {o["key"] for o in json.loads(landed.get(removed))["objects"]}
    orphans |= {o["key"] for o in json.loads(landed.get(removed))["quarantine"]}
    landed.remove(removed)
    found = landed.found()
    assert (Kind.CHAIN_GAP, after) in found
    assert {key for kind, key in found if kind is Kind.OBJECT_UNKNOWN} == orphans
    kinds = {kind for kind, _ in found}
    assert kinds == {Kind.CHAIN_GAP, Kind.OBJECT_UNKNOWN, Kind.SEQUENCE_LOST}


def test_a_chain_cut_off_at_its_end_is_behind_its_hour_log(landed: LandedStore) -> None:
    landed.remove(landed.keys(CUT)[-1])
    found = landed.found()
    assert (Kind.HOUR_LOG_AHEAD, landed.keys("_hours/")[0]) in found
    kinds = {kind for kind, _ in found}
    assert kinds == {Kind.HOUR_LOG_AHEAD, Kind.OBJECT_UNKNOWN, Kind.SEQUENCE_LOST}


@pytest.mark.parametrize("edit", [lambda data: data[:200], lambda _: b"", lambda _: b"\xff{"])
def test_a_truncated_manifest_is_named_and_the_rest_is_audited(
    landed: LandedStore, edit: Callable[[bytes], bytes]
) -> None:
    key, other = landed.keys(CUT)[1], raw(landed, -1)
    landed.put(key, edit(landed.get(key)))
    landed.remove(other)
    found = landed.found()
    assert {(Kind.MANIFEST_DAMAGED, key), (Kind.OBJECT_MISSING, other)} <= found
    kinds = {kind for kind, _ in found}
    assert kinds == {Kind.MANIFEST_DAMAGED, Kind.OBJECT_MISSING, Kind.SEQUENCE_LOST}


@pytest.mark.parametrize(
    ("field", "change", "wrong"),
    [
        ("records", 7, "it says 7"),
        ("next", 9, "are no 9 offsets"),
        ("first", 1, "it says that it is production-logs/_cuts/t/0/00000000000000000001.json"),
        ("gaps", [[2, 3]], "1 gaps are no 6 offsets"),
        ("reasons", [], "its reasons count 0"),
    ],
)
def test_a_manifest_edited_by_hand_contradicts_itself(
    landed: LandedStore, field: str, change: object, wrong: str
) -> None:
    key = landed.keys(CUT)[0]
    landed.put(key, json.dumps({**json.loads(landed.get(key)), field: change}).encode())
    (damaged,) = (f for f in landed.audit().findings if f.kind is Kind.MANIFEST_DAMAGED)
    assert damaged.key == key
    assert wrong in damaged.wrong


def test_rules_that_are_gone_or_changed_are_named(landed: LandedStore) -> None:
    (key,) = landed.keys("_contracts/")
    document = landed.get(key)
    landed.put(key, document.replace(b"click", b"clack"))
    one(landed, Kind.RULES_CHANGED, key, "16 manifests")
    landed.remove(key)
    one(landed, Kind.RULES_MISSING, key, "16 manifests")


def test_rules_that_no_cut_used_yet_are_no_finding(landed: LandedStore) -> None:
    landed.bucket.put_new(
        f"production-logs/_contracts/{Rules(()).hash}.json", Rules(()).document
    )  # fmt: skip
    assert landed.audit().findings == ()


def test_a_hole_in_the_hour_log_is_named(logged_twice: LandedStore) -> None:
    first, second = logged_twice.keys("_hours/")
    logged_twice.remove(first)
    one(logged_twice, Kind.HOUR_LOG_HOLE, second, "entry 0 is missing")


def test_an_hour_log_without_its_end_is_behind_after_a_while(logged_twice: LandedStore) -> None:
    logged_twice.remove(logged_twice.keys("_hours/")[1])
    assert {kind for kind, _ in logged_twice.found(later=60)} == set()
    found = logged_twice.audit(later=3600).findings
    assert {finding.kind for finding in found} == {Kind.HOUR_LOG_BEHIND}
    assert "covers partition 0 to offset 40, the chain goes to offset 50" in found[0].wrong


def test_a_damaged_hour_log_entry_is_named(logged_twice: LandedStore) -> None:
    key = logged_twice.keys("_hours/")[0]
    entry = logged_twice.get(key)
    logged_twice.put(key, entry[:50])
    one(logged_twice, Kind.HOUR_LOG_DAMAGED, key, "truncated")
    logged_twice.put(key, entry.replace(b'"sequence":0', b'"sequence":7'))
    one(logged_twice, Kind.HOUR_LOG_DAMAGED, key, "entry 7 of t")


def test_totals_that_are_not_the_manifests_sums_are_named(logged_twice: LandedStore) -> None:
    key = logged_twice.keys("_hours/")[0]
    entry = json.loads(logged_twice.get(key))
    entry["hours"][1]["records"] += 1
    logged_twice.put(key, json.dumps(entry).encode())
    told = entry["hours"][1]["records"]
    one(logged_twice, Kind.HOUR_LOG_TOTALS, key, f"01: it tells {told} records")


def test_a_block_begins_with_the_state_before_it(
    landed: LandedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("records", "log"):
        monkeypatch.setattr(f"ingest.audit.{module}.BLOCK", BLOCK)
    (key,) = landed.keys("_hours/")
    entry = json.loads(landed.get(key))
    for number in range(1, BLOCK + 1):
        # entries that change nothing, up to the first of the next block
        block = number // BLOCK
        landed.put(
            f"production-logs/_hours/t/{block}/{number:020}.json",
            json.dumps({**entry, "sequence": number, "hours": []}).encode(),
        )
    totals = "production-logs/_hours/t/1/_totals.json"
    found = landed.found()
    assert (Kind.HOUR_LOG_HOLE, totals) in found
    assert (Kind.GLUE_PARTITION, "platform.hour t/1") in found
    landed.put(totals, json.dumps({**entry, "sequence": BLOCK - 1}).encode())
    assert landed.found() == {(Kind.GLUE_PARTITION, "platform.hour t/1")}
    landed.put(totals, json.dumps({**entry, "sequence": BLOCK - 1, "hours": []}).encode())
    assert (Kind.HOUR_LOG_TOTALS, totals) in landed.found()


def test_a_partition_dropped_from_glue_is_named(landed: LandedStore) -> None:
    landed.glue.delete_partition(
        DatabaseName="raw", TableName="click", PartitionValues=["2026-01-02", "01"]
    )
    one(landed, Kind.GLUE_PARTITION, "raw.click 2026-01-02/01", "click/2026/01/02/01/")


def test_the_ledgers_partitions_are_in_glue_too(landed: LandedStore) -> None:
    for table, values in (
        ("cut", ["t", "1"]),
        ("hour", ["t", "0"]),
        ("quarantine", ["t", "2026-01-02", "05"]),
    ):
        landed.glue.delete_partition(
            DatabaseName="platform", TableName=table, PartitionValues=values
        )
    assert landed.found() == {
        (Kind.GLUE_PARTITION, "platform.cut t/1"),
        (Kind.GLUE_PARTITION, "platform.hour t/0"),
        (Kind.GLUE_PARTITION, "platform.quarantine t/2026-01-02/05"),
    }


def test_a_partition_that_points_elsewhere_is_named(landed: LandedStore) -> None:
    move(landed, f"s3://{BUCKET}/production-logs/click/2026/01/02/02")
    one(landed, Kind.GLUE_LOCATION, "raw.click 2026-01-02/01", "click/2026/01/02/01")


def move(store: LandedStore, location: str) -> None:
    """Point Glue's partition of click 2026-01-02 01 at `location`."""
    values = ["2026-01-02", "01"]
    held = store.glue.get_partition(
        DatabaseName="raw", TableName="click", PartitionValues=values
    )["Partition"]  # fmt: skip
    descriptor = {**held["StorageDescriptor"], "Location": location}
    store.glue.update_partition(
        DatabaseName="raw",
        TableName="click",
        PartitionValueList=values,
        PartitionInput={"Values": values, "StorageDescriptor": descriptor},
    )


def test_a_table_dropped_from_glue_is_named_once(landed: LandedStore) -> None:
    landed.glue.delete_table(DatabaseName="raw", Name="click")
    one(landed, Kind.GLUE_TABLE, "raw.click", "3 hours")


def test_what_kafka_dropped_unread_is_a_loss_and_no_fault(landed: LandedStore) -> None:
    log = log_of()
    for partition, records in log.records.items():
        records.extend(
            MemoryRecord(n, NOW + n, value(partition, n), produced(2 * n + partition.number))
            for n in range(45, 50)
        )
        log.begins[partition] = 45
    landed.land(log)
    found = landed.audit().findings
    assert all(finding.is_loss for finding in found)
    lost = [f for f in found if f.kind is Kind.LOST_RANGE]
    assert [f.key[-10:] for f in lost] == ["00040.json"] * 2
    assert "[40, 45)" in lost[0].wrong
    (sequences,) = (f for f in found if f.kind is Kind.SEQUENCE_LOST)
    assert (sequences.key, sequences.wrong) == ("t web-1:app.log#1", "10 lines: 80 to 89")


def test_objects_that_were_given_up_are_a_loss_and_no_fault(landed: LandedStore) -> None:
    log = log_of()
    records = log.records[P0]
    records.extend(MemoryRecord(n, NOW, value(P0, n)) for n in range(40, 43))
    lander = landed.lander(log)
    lander._step()
    before = set(landed.keys())
    lander._cut_all()
    for key in set(landed.keys()) - before:
        if key.endswith(".gz"):
            landed.remove(key)
    log.begins[P0] = 43
    log.hints.clear()
    landed.land(log)
    (note,) = (key for key in landed.keys(CUT) if key.endswith(".lost.json"))
    assert landed.found() == {(Kind.LOST_OBJECTS, note)}


def test_a_topic_that_was_made_again_is_clean_in_all_its_generations(landed: LandedStore) -> None:
    landed.land(log_of(10, "b.log#2", "id-2"))
    landed.land(log_of(12, "b.log#2", "id-2"))
    landed.land(log_of(5, "c.log#3", "id-3"))
    names = [key.rpartition("/")[2] for key in landed.keys(CUT)]
    assert {name[:5] for name in names if name.startswith("~")} == {"~0001", "~0002"}
    report = landed.audit(later=3600)
    assert report.findings == ()
    assert report.records == 2 * (40 + 12 + 5)
    first, *_ = (key for key in landed.keys("click/") if "/t~0001+0+" in key)
    landed.remove(first)
    assert landed.found() == {(Kind.OBJECT_MISSING, first)}


def test_days_bound_the_objects_that_are_read(landed: LandedStore) -> None:
    key = raw(landed)
    landed.remove(key)
    landed.put("production-logs/click/2026/01/02/05/foreign", b"x")
    assert landed.audit(Scope(first_day="2026-01-03")).findings == ()
    assert landed.audit(Scope(last_day="2026-01-01")).findings == ()
    for scope in (Scope(None, "2026-01-02", "2026-01-02"), Scope(first_day="2026-01-01")):
        report = landed.audit(scope)
        assert {f.kind for f in report.findings} == {Kind.OBJECT_MISSING, Kind.OBJECT_UNKNOWN}
        assert report.objects == 45


def test_a_topic_bounds_what_is_audited(landed: LandedStore) -> None:
    landed.put("production-logs/click/2026/01/02/05/t+0+00000000000000000999.jsonl.gz", b"x")
    landed.put("production-logs/click/2026/01/02/05/u+0+00000000000000000999.jsonl.gz", b"x")
    found = landed.audit(Scope("t"))
    assert [f.key[-30:] for f in found.findings] == ["0+00000000000000000999.jsonl.gz"[-30:]]
    assert "/t+0+" in found.findings[0].key
    assert landed.audit(Scope("nothing")).manifests == 0


ACTION_OF = {
    "HeadObject": "s3:GetObject",
    "ListObjectsV2": "s3:ListBucket",
    "GetBucketEncryption": "s3:GetEncryptionConfiguration",
}
"""The IAM action of an operation, where it is not the operation's name."""


def test_the_policy_names_the_calls_that_the_audit_makes(landed: LandedStore) -> None:
    landed.kms.create_alias(AliasName="alias/logs", TargetKeyId=landed.key)
    landed.encrypt_by("alias/logs")
    called: set[str] = set()
    for service in ("s3", "glue", "kms"):
        events = getattr(landed, service).meta.events
        events.register(
            "before-call",
            lambda model, service=service, **_: called.add(
                ACTION_OF.get(model.name, f"{service}:{model.name}")
            ),
        )
    assert landed.audit().findings == ()
    landed.audit(quick=True)
    policy = json.loads((ROOT / "docs" / "iam" / "audit.json").read_text())
    granted = {action for one in policy["Statement"] for action in one["Action"]}
    assert granted - {"kms:Decrypt"} == called


def test_a_cut_under_way_is_looked_at_again(landed: LandedStore) -> None:
    """An object that a lander writes while the audit runs is not missing."""
    key = raw(landed)
    data = landed.get(key)
    metadata = landed.s3.head_object(Bucket=BUCKET, Key=key)["Metadata"]
    landed.remove(key)
    store = landed.store
    seen: list[str] = []
    examine = store.examine

    def late(asked: str) -> Any:
        answer = examine(asked)
        if asked == key and not seen:
            seen.append(asked)
            landed.put(key, data, Metadata=metadata)
        return answer

    store.examine = late  # type: ignore[method-assign]
    report = Audit(store, landed.catalog, Scope(), False, lambda: landed.clock).run()
    assert seen
    assert report.findings == ()
