"""A bucket on one of the servers, Glue and KMS on moto's, and ingest's own classes on them.

The records are a pure function of their number (`landed_store.log_of`), so that processes that share
nothing but the servers land the same log.
"""

import base64
import gzip
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import psutil
from landed_store import CONTRACT, NOW, log_of
from memory_source import MemorySource

from datacore.aws import glue_client, kms_client, s3_client
from datacore.settings import Settings, load_settings
from ingest.audit.audit import Audit, Report
from ingest.audit.facts import Scope
from ingest.audit.store import Store
from ingest.land.bucket import Bucket
from ingest.land.lander import CutPolicy, Lander
from ingest.land.lane import LanderIdentity
from ingest.land.objects import ROOT as LOGS
from ingest.land.rules import rules_of
from ingest.register.glue import GlueCatalog
from ingest.register.registrar import Registrar
from ingest.versions.compact import Compactor, Outcome, Policy, sealed_hours
from ingest.versions.settle import Settler

DAY = "2026-01-02"
LIMIT = 120
"""Seconds that a test waits for a process."""


@dataclass(frozen=True)
class Place:
    """Where a process finds the bucket, and how many records each of two partitions has."""

    s3: str
    glue: str
    bucket: str
    records: int = 40


def settings_at(endpoint: str) -> Settings:
    """Credentials are the environment's."""
    return replace(load_settings(), aws_endpoint_url=endpoint)


@cache
def _client(make: Callable[[Settings], Any], endpoint: str) -> Any:
    """One client for all stages: to make one costs more than most tests."""
    return make(settings_at(endpoint))


class Workers:
    """The server of `s3_process.py`, which starts processes."""

    def __init__(self, log: Path) -> None:
        self.log = log
        with log.open("wb") as errors:
            self._server = subprocess.Popen(
                [sys.executable, Path(__file__).with_name("s3_process.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def ask(self, task: dict[str, Any]) -> int:
        """Send a task; its answer."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(task) + "\n")
        self._server.stdin.flush()
        answer = self._server.stdout.readline()
        assert answer, self.log.read_text()
        return int(answer)

    def end(self) -> None:
        """End the server."""
        self._server.communicate()


@dataclass
class Process:
    """A process at work."""

    workers: Workers
    pid: int
    ended: int | None = None

    def wait_until_stopped(self) -> None:
        """Wait until it stopped itself."""
        deadline = time.monotonic() + LIMIT
        while psutil.Process(self.pid).status() != psutil.STATUS_STOPPED:
            assert time.monotonic() < deadline, self.workers.log.read_text()
            time.sleep(0.01)  # between two looks

    def go_on(self) -> None:
        """Let it go on that stopped itself."""
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> int:
        """Kill it where it is; what `code` says."""
        os.kill(self.pid, signal.SIGKILL)  # not waited for yet, so the pid is still its own
        return self.code()

    def code(self) -> int:
        """Its exit code once it ended; minus the signal that killed it."""
        if self.ended is None:
            self.ended = self.workers.ask({"wait": self.pid})
        assert self.ended != 1, self.workers.log.read_text()
        return self.ended


@dataclass
class Stage:
    """One bucket, and what is done on it, in this process or in others."""

    place: Place
    encrypts: bool
    workers: Workers | None = None
    wrap: Callable[[Any, str], Bucket] = Bucket
    clock: float = NOW / 1000
    started: list[Process] = field(default_factory=list)

    @property
    def s3(self) -> Any:
        return _client(s3_client, self.place.s3)

    @property
    def glue(self) -> Any:
        return _client(glue_client, self.place.glue)

    @property
    def kms(self) -> Any:
        return _client(kms_client, self.place.glue)

    @cached_property
    def bucket(self) -> Bucket:
        return self.wrap(self.s3, self.place.bucket)

    @cached_property
    def registrar(self) -> Registrar:
        registrar = Registrar(GlueCatalog(self.glue), [CONTRACT], self.place.bucket)
        registrar.tables()
        return registrar

    def __enter__(self) -> "Stage":
        self.make()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.started:
            if process.ended is None:
                process.kill()

    def make(self) -> None:
        """The bucket, encrypted by default where the server knows that."""
        self.s3.create_bucket(Bucket=self.place.bucket)
        if self.encrypts:
            key = self.kms.create_key()["KeyMetadata"]["Arn"]
            default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
            self.s3.put_bucket_encryption(
                Bucket=self.place.bucket,
                ServerSideEncryptionConfiguration={
                    "Rules": [{"ApplyServerSideEncryptionByDefault": default}]
                },
            )

    def identity(self, name: str) -> LanderIdentity:
        def tick() -> float:
            self.clock += 0.1
            return self.clock

        return LanderIdentity(name, tick)

    def land(self, name: str = "lander-1") -> None:
        """Land all records, in small cuts."""
        lander = Lander(
            MemorySource(log_of(self.place.records)),
            self.bucket,
            rules_of([CONTRACT]),
            self.registrar,
            self.identity(name),
            CutPolicy(bytes=400),
        )
        lander.run_until_caught_up(threading.Event())

    def compact(self, name: str = "compactor-1") -> list[Outcome]:
        """Compact the day, and remove what is superseded at once."""
        settler = Settler(self.bucket, self.registrar, self.identity(name))
        compactor = Compactor(settler, Policy(grace_s=0.0))
        outcomes = list(compactor.day("click", DAY, sealed_hours(self.bucket)[0]))
        assert not [outcome.difference for outcome in outcomes if outcome.difference]
        return outcomes

    def audit(self) -> Report:
        """All of it, every object read."""
        store = Store(self.s3, self.kms, self.place.bucket)
        catalog = GlueCatalog(self.glue)
        return Audit(store, catalog, Scope(), False, lambda: self.clock + 3_600).run()

    def process(self, do: str, **how: Any) -> "Process":
        """Another process that will `do` land, compact or put."""
        assert self.workers is not None
        task = {"do": do, "place": asdict(self.place), "encrypts": self.encrypts, **how}
        process = Process(self.workers, self.workers.ask(task))
        self.started.append(process)
        return process

    def keys(self, prefix: str) -> list[str]:
        """Keys under `production-logs/` and `prefix`, in order."""
        return list(self.bucket.keys(f"{LOGS}/{prefix}"))

    def folders_read(self) -> list[str]:
        """The folders that Glue shows readers of the hours."""
        pages = self.glue.get_paginator("get_partitions").paginate(
            DatabaseName="raw", TableName="click"
        )
        found = [p["StorageDescriptor"]["Location"] for page in pages for p in page["Partitions"]]
        return [location.removeprefix(f"s3://{self.place.bucket}/") + "/" for location in found]

    def seen(self) -> Counter[bytes]:
        """Every line that readers of `raw.click` see, and every record in quarantine."""
        lines: Counter[bytes] = Counter()
        for folder in self.folders_read():
            for data in self.bucket.get_all(self.bucket.keys(folder)):
                lines.update(gzip.decompress(data).splitlines())
        for data in self.bucket.get_all(self.keys("_quarantine/")):
            asides = map(json.loads, gzip.decompress(data).splitlines())
            lines.update(base64.b64decode(aside["value"]) for aside in asides)
        return lines

    def produced(self) -> Counter[bytes]:
        """Every record of the log."""
        log = log_of(self.place.records)
        return Counter(r.value or b"" for records in log.records.values() for r in records)
