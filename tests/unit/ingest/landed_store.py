"""S3 and Glue in this process (moto), filled by the real lander, and the audit of them."""

import threading
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from memory_source import Log, MemoryRecord, MemorySource

from datacore.contracts import Column, Contract
from ingest.audit.audit import Audit, Report
from ingest.audit.facts import Scope
from ingest.audit.finding import FindingKind
from ingest.audit.store import Store
from ingest.land.bucket import Bucket
from ingest.land.lander import CutPolicy, Lander
from ingest.land.lane import LanderIdentity
from ingest.land.rules import Rules, rules_of
from ingest.land.source import Partition
from ingest.register.glue import GlueCatalog
from ingest.register.registrar import Registrar

BUCKET = "the-raw-logs"
CONTRACT = Contract(
    name="click", domain="d", version="1.0.0", topic="t", match=None, event_time="at",
    event_time_unit=None, event_id=("id",), description="Clicks.", owner="o",
    file=Path("click.odcs.yaml"), columns=(Column("at", "string", "timestamp", True, "When."),),
)  # fmt: skip
NOW = 1_767_330_000_000
"""2026-01-02T05:00:00Z."""
P0, P1 = Partition("t", 0), Partition("t", 1)
PARTITIONS = (P0, P1)


def value(partition: Partition, offset: int) -> bytes:
    """A click of one of three hours; every fifth record is no JSON."""
    if offset % 5 == 4:
        return b"broken %d %d" % (partition.number, offset)
    return b'{"at":"2026-01-02T0%d:10:00Z","from":[%d,%d]}' % (
        offset // 4 % 3,
        partition.number,
        offset,
    )


def produced(sequence: int, file: str = "app.log#1") -> tuple[tuple[str, bytes], ...]:
    """The headers that tail gives a line."""
    return (("host", b"web-1"), ("file", file.encode()), ("seq", b"%d" % sequence))


def log_of(count: int = 40, file: str = "app.log#1", topic_id: str = "id-1") -> Log:
    """`count` records in each of two partitions; the lines of one file take turns."""
    return Log(
        {
            p: [
                MemoryRecord(n, NOW + n, value(p, n), produced(2 * n + p.number, file))
                for n in range(count)
            ]
            for p in PARTITIONS
        },
        topic_id=topic_id,
    )


@dataclass
class LandedStore:
    """A bucket encrypted by default with a key of its own, and Glue."""

    s3: Any = field(default_factory=lambda: _client("s3"))
    glue: Any = field(default_factory=lambda: _client("glue"))
    kms: Any = field(default_factory=lambda: _client("kms"))
    rules: Rules = field(default_factory=lambda: rules_of([CONTRACT]))
    clock: float = NOW / 1000
    key: str = ""

    def __post_init__(self) -> None:
        self.key = self.kms.create_key()["KeyMetadata"]["Arn"]
        self.s3.create_bucket(Bucket=BUCKET)
        self.encrypt_by(self.key)

    def encrypt_by(self, key: str) -> None:
        """Make `key` the bucket's default."""
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
        self.s3.put_bucket_encryption(
            Bucket=BUCKET,
            ServerSideEncryptionConfiguration={
                "Rules": [{"ApplyServerSideEncryptionByDefault": default}]
            },
        )

    @cached_property
    def bucket(self) -> Bucket:
        return Bucket(self.s3, BUCKET)

    @cached_property
    def store(self) -> Store:
        return Store(self.s3, self.kms, BUCKET)

    @property
    def catalog(self) -> GlueCatalog:
        return GlueCatalog(self.glue)

    def lander(self, log: Log, cut: int = 200) -> Lander:
        registrar = Registrar(self.catalog, [CONTRACT], BUCKET)
        registrar.tables()
        identity = LanderIdentity("lander-1", self._tick)
        policy = CutPolicy(bytes=cut)
        return Lander(MemorySource(log), self.bucket, self.rules, registrar, identity, policy)

    def _tick(self) -> float:
        self.clock += 0.1
        return self.clock

    def land(self, log: Log, cut: int = 200) -> None:
        """Land all of `log`."""
        self.lander(log, cut).run_until_caught_up(threading.Event())

    def audit(self, scope: Scope | None = None, quick: bool = False, later: float = 0.0) -> Report:
        """Audit, `later` seconds after what was landed last."""
        now = self.clock + later
        return Audit(self.store, self.catalog, scope or Scope(), quick, lambda: now).run()

    def found(self, **how: Any) -> set[tuple[FindingKind, str]]:
        """Kinds and keys of an audit's findings."""
        return {(finding.kind, finding.key) for finding in self.audit(**how).findings}

    def keys(self, prefix: str = "") -> list[str]:
        return [held.key for held in self.store.listed(f"production-logs/{prefix}")]

    def get(self, key: str) -> bytes:
        data: bytes = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return data

    def put(self, key: str, data: bytes, **how: Any) -> None:
        """Write an object by hand; the metadata of one that is there stays unless given."""
        held = self.store.head(key)
        if held is not None and held.noted_sha256 is not None:
            noted = {"sha256": held.noted_sha256, "records": held.noted_records or ""}
            how.setdefault("Metadata", noted)
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=data, **how)

    def remove(self, key: str) -> None:
        self.s3.delete_object(Bucket=BUCKET, Key=key)


def _client(service: str) -> Any:
    return boto3.client(
        service, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
