"""A topic of its own for a test, the commands on it, and what came of it on S3."""

import base64
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from ingest import topics as kafka_topics

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from tests.conftest import Sandbox

PARTITIONS = 3
LIMIT = 90
"""Seconds that a test waits for anything."""


def wait_until(happened: Callable[[], bool], what: str) -> None:
    """Wait for a condition, with a limit."""
    deadline = time.monotonic() + LIMIT
    while not happened():
        assert time.monotonic() < deadline, f"waited {LIMIT} s for {what}"
        time.sleep(0.2)  # between two looks at the condition


@dataclass
class Stage:
    """A topic, a data type that claims it, and the commands on them."""

    sandbox: "Sandbox"
    topic: str
    data_type: str
    contracts: Path
    folder: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)
    _sent: int = 0

    def event(self, number: int, hour: int = 3) -> bytes:
        """A record that the contract claims."""
        record = {
            "event_id": f"e{number}",
            "type": self.data_type,
            "occurred_at": f"2026-01-02T{hour:02}:00:00.000Z",
            "query": "→ 漢字",
        }
        return json.dumps(record, ensure_ascii=False).encode()

    def write(self, name: str, lines: list[bytes]) -> Path:
        """A log file of `lines`."""
        path = self.folder / name
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        return path

    def tail_arguments(self, *files: Path) -> tuple[str | Path, ...]:
        return ("tail", *files, "--topic", self.topic, "--host", "web-1")

    def land_arguments(self, *more: str) -> tuple[str | Path, ...]:
        return ("land", "--contracts", self.contracts, "--topic", self.topic, *more)

    def tail(self, *files: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Tail files once."""
        return self.sandbox.run(*self.tail_arguments(*files), "--once", check=check)

    def land(self, *more: str) -> str:
        """Land until caught up; the summary line."""
        return self.sandbox.run(*self.land_arguments("--until-caught-up", *more)).stdout

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start `datacore` in the background; the test's end kills it."""
        process = subprocess.Popen(
            [sys.executable, "-m", "datacore", *map(str, arguments)],
            env={**os.environ, **self.sandbox.env},
            stdout=subprocess.PIPE,
            stderr=(self.folder / f"stderr-{len(self.started)}").open("w"),
            text=True,
        )
        self.started.append(process)
        return process

    def stop(self, process: subprocess.Popen[str]) -> str:
        """End it by SIGTERM; what it printed on stdout. It must exit 0."""
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=LIMIT)
        number = self.started.index(process)
        assert process.returncode == 0, (self.folder / f"stderr-{number}").read_text()
        return printed

    @cached_property
    def admin(self) -> KafkaAdminClient:
        return KafkaAdminClient(bootstrap_servers=self.sandbox.env["DATACORE_KAFKA"])

    @cached_property
    def s3(self) -> "S3Client":
        return self.sandbox.s3

    def written(self) -> int:
        """Offsets that Kafka has given out, transaction markers included."""
        asked = [TopicPartition(self.topic, number) for number in range(PARTITIONS)]
        return sum(kafka_topics.ends(self.admin, asked).values())

    def sent(self) -> int:
        """Committed messages that the topic has got so far."""
        while polled := self._reader.poll(timeout_ms=200):
            self._sent += sum(map(len, polled.values()))
        return self._sent

    @cached_property
    def _reader(self) -> KafkaConsumer:
        reader = KafkaConsumer(
            bootstrap_servers=self.sandbox.env["DATACORE_KAFKA"],
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=10_000,
        )
        reader.assign([TopicPartition(self.topic, number) for number in range(PARTITIONS)])
        return reader

    @property
    def bucket(self) -> str:
        return self.sandbox.env["DATACORE_BUCKET"]

    def objects(self, *prefixes: str) -> dict[str, bytes]:
        """Objects under `production-logs/` and one of `prefixes`."""
        s3, found = self.s3, {}
        for prefix in prefixes:
            pages = s3.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=f"production-logs/{prefix}"
            )
            for page in pages:
                for held in page.get("Contents", []):
                    key = held["Key"]
                    found[key] = s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return found

    def everything(self) -> set[str]:
        """Keys of all that the topic has on S3."""
        ledger = self.objects(f"_cuts/{self.topic}/", f"_hours/{self.topic}/")
        return {*ledger, *self.raw(), *self.objects(f"_quarantine/{self.topic}/")}

    def raw(self) -> dict[str, bytes]:
        """The topic's raw objects, claimed and unclaimed."""
        held = self.objects(f"{self.data_type}/", "unclaimed/")
        return {key: data for key, data in held.items() if f"/{self.topic}+" in key}

    def quarantined(self) -> list[dict[str, Any]]:
        """The topic's quarantined records."""
        return [
            json.loads(line)
            for data in self.objects(f"_quarantine/{self.topic}/").values()
            for line in gzip.decompress(data).splitlines()
        ]

    def landed(self) -> Counter[bytes]:
        """Every line of the topic on S3, landed or quarantined."""
        lines = Counter(
            line for data in self.raw().values() for line in gzip.decompress(data).split(b"\n")[:-1]
        )
        lines.update(base64.b64decode(record["value"]) for record in self.quarantined())
        return lines

    def manifests(self) -> list[dict[str, Any]]:
        """The topic's manifests, by partition and offset."""
        return [json.loads(data) for data in self.objects(f"_cuts/{self.topic}/").values()]

    def cut_records(self) -> int:
        """Records of all cuts."""
        return sum(manifest["records"] for manifest in self.manifests())

    def check_chain(self) -> None:
        """Manifests follow each other from 0 on, and every object is one of theirs."""
        ends: dict[int, int] = {}
        promised: set[str] = set()
        for manifest in self.manifests():
            assert manifest["first"] == ends.get(manifest["partition"], 0)
            ends[manifest["partition"]] = manifest["next"]
            promised |= {held["key"] for held in (*manifest["objects"], *manifest["quarantine"])}
        assert promised == set(self.raw()) | set(self.objects(f"_quarantine/{self.topic}/"))

    def log_entries(self) -> list[dict[str, Any]]:
        """The topic's hour log."""
        return [json.loads(data) for data in self.objects(f"_hours/{self.topic}/").values()]
