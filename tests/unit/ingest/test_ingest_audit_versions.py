"""The audit on what real compaction and real replays left, and on what was then done to it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from landed_store import BUCKET, CONTRACT, NOW, LandedStore, log_of, produced, value
from memory_source import Log, MemoryRecord
from moto import mock_aws

from datacore.contracts import Match
from ingest.audit.finding import FindingKind as Kind
from ingest.land.lane import LanderIdentity
from ingest.land.rules import rules_of
from ingest.register.registrar import Registrar
from ingest.replay.replayer import Choice, Replayer, Summary
from ingest.versions.compact import Compactor, Policy, sealed_hours
from ingest.versions.settle import Settler

DAY = "2026-01-02"
HOUR_0 = "click/2026/01/02/00/"


class Versioned(LandedStore):
    """A store whose hours are compacted, and whose records are replayed."""

    def settler(self) -> Settler:
        registrar = Registrar(self.catalog, [CONTRACT], BUCKET)
        registrar.tables()
        return Settler(self.bucket, registrar, LanderIdentity("me", self._tick))

    def compact(self, grace_s: float = 0.0) -> None:
        compactor = Compactor(self.settler(), Policy(grace_s=grace_s))
        outcomes = list(compactor.day("click", DAY, sealed_hours(self.bucket)[0]))
        assert not [outcome.difference for outcome in outcomes if outcome.difference]

    def replay(self, choice: Choice) -> Summary:
        settler, summary = self.settler(), Summary()
        registrar = Registrar(self.catalog, [CONTRACT], BUCKET)
        registrar.tables()
        Replayer(settler, registrar, "t", self.rules.claims).run(choice, summary)
        return summary

    def land_more(self, log: Log, count: int) -> None:
        """Land `count` records more of each partition."""
        for partition, records in log.records.items():
            first = len(records)
            records.extend(
                MemoryRecord(n, NOW + n, value(partition, n), produced(2 * n + partition.number))
                for n in range(first, first + count)
            )
        self.land(log)


@pytest.fixture
def store() -> Iterator[Versioned]:
    with mock_aws():
        yield Versioned()


def test_compacted_hours_are_clean_within_the_grace_and_after(store: Versioned) -> None:
    log = log_of()
    store.land(log)
    store.compact(grace_s=3600)
    assert len(store.keys(HOUR_0)) > 1
    assert store.audit(later=3600).findings == ()
    store.compact(grace_s=0)
    assert store.keys(HOUR_0) == []
    report = store.audit(later=3600)
    assert report.findings == ()
    assert report.sizes[0].objects == 3, "one object an hour is what readers open"
    store.land_more(log, 12)
    assert store.audit(later=3600).findings == (), "late objects are in the version's folder too"
    store.compact(grace_s=0)
    assert store.audit(later=3600).findings == ()


def test_what_happens_to_a_version_is_named(store: Versioned) -> None:
    log = log_of()
    store.land(log)
    store.compact(grace_s=0)
    (output,) = store.keys("_versioned/" + HOUR_0)
    data, noted = store.get(output), store.s3.head_object(Bucket=BUCKET, Key=output)["Metadata"]
    store.remove(output)
    assert store.found() == {(Kind.OBJECT_MISSING, output)}
    store.put(output, data, Metadata=noted)

    record = f"production-logs/_versions/{HOUR_0}000001.json"
    text = store.get(record)
    store.put(record, text[:40])
    found = store.found()
    assert (Kind.RECORD_DAMAGED, record) in found
    assert (Kind.GLUE_LOCATION, "raw.click 2026-01-02/00") in found
    assert (Kind.OBJECT_UNKNOWN, output) in found
    store.put(record, text)
    assert store.found() == set()

    folder = f"s3://{BUCKET}/production-logs/{HOUR_0.rstrip('/')}"
    move(store, folder)
    missing = {key for kind, key in store.found() if kind is Kind.OBJECT_MISSING}
    assert missing, "readers are shown a folder that was emptied"
    assert all(key.startswith(f"production-logs/{HOUR_0}") for key in missing)


def move(store: LandedStore, location: str) -> None:
    """Point Glue's partition of click 2026-01-02 00 at `location`."""
    name, values = {"DatabaseName": "raw", "TableName": "click"}, ["2026-01-02", "00"]
    held = store.glue.get_partition(**name, PartitionValues=values)["Partition"]
    descriptor = {**held["StorageDescriptor"], "Location": location}
    changed = {"Values": values, "StorageDescriptor": descriptor}
    store.glue.update_partition(**name, PartitionValueList=values, PartitionInput=changed)


def test_replays_of_unclaimed_are_clean_and_what_happens_to_them_is_named(
    store: Versioned,
) -> None:
    claims_nothing = replace(CONTRACT, match=Match("type", "click"))
    store.rules = rules_of([claims_nothing])
    log = log_of()
    store.land(log)
    assert {size.data_type for size in store.audit().sizes} == {"unclaimed"}
    store.rules = rules_of([CONTRACT])
    assert "replayed 64 objects 3 replays 1" in store.replay(
        Choice(data_type="click", unclaimed=True)
    ).line()  # fmt: skip
    assert store.audit().findings == ()
    store.land_more(log, 5)
    assert store.audit(later=3600).findings == ()

    landed = next(key for key in store.keys("click/") if "+replay+" in key)
    data, noted = store.get(landed), store.s3.head_object(Bucket=BUCKET, Key=landed)["Metadata"]
    store.remove(landed)
    assert store.found() == {(Kind.OBJECT_MISSING, landed)}
    store.put(landed, data, Metadata=noted)
    store.glue.delete_partition(DatabaseName="platform", TableName="replay", PartitionValues=["t"])
    assert store.found() == {(Kind.GLUE_PARTITION, "platform.replay t")}
    (entry,) = store.keys("_replays/")
    store.remove(entry)
    kinds = {kind for kind, _ in store.found()}
    assert {Kind.HOUR_LOG_AHEAD, Kind.OBJECT_UNKNOWN, Kind.VERSION_RECORDS} <= kinds
