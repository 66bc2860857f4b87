"""What is landed: real lines, repeated, and what must be on S3 afterwards.

Comes in: a folder of GH Archive files, or nothing. Goes out: `Workload`s of two line lengths. Where
the files are absent the simulator's lines take their place.
"""

import gzip
import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from confluent_kafka import Producer

from datacore.settings import ROOT

DATA = Path(os.environ.get("DATACORE_REAL_DATA") or ROOT.parent / "shared" / "data")
"""As tests/real finds it."""

Hour = tuple[str, str]
"""A record's type and hour, `2015-01-01T15`."""


@dataclass(frozen=True)
class Workload:
    """Lines that are sent again and again until `size` bytes are reached."""

    name: str
    lines: tuple[bytes, ...]
    type_field: str
    time_field: str
    size: int

    @cached_property
    def line_bytes(self) -> float:
        """Of a line, on average."""
        return sum(map(len, self.lines)) / len(self.lines)

    @cached_property
    def records(self) -> int:
        """Sent in one pass."""
        return max(len(self.lines), round(self.size / self.line_bytes))

    @cached_property
    def types(self) -> tuple[str, ...]:
        """The values of the type field."""
        return tuple(sorted({kind for kind, _ in self._hours}))

    @cached_property
    def _hours(self) -> tuple[Hour, ...]:
        found = []
        for line in self.lines:
            event = json.loads(line)
            moment = datetime.fromisoformat(event[self.time_field])
            found.append((event[self.type_field], f"{moment:%Y-%m-%dT%H}"))
        return tuple(found)

    def expected(self, passes: int) -> Counter[Hour]:
        """Records by type and hour after so many passes."""
        whole, rest = divmod(self.records, len(self.lines))
        counts: Counter[Hour] = Counter()
        for hour, count in Counter(self._hours).items():
            counts[hour] += passes * whole * count
        for hour in self._hours[:rest]:
            counts[hour] += passes
        return counts

    def send(self, kafka: str, topic: str, partitions: int) -> None:
        """One pass into `topic`, runs of 100 lines to each partition in turn, uncompressed."""
        producer = Producer(
            {
                "bootstrap.servers": kafka,
                "acks": "all",
                "linger.ms": 50,
                "batch.size": 64 * 1024,
                "queue.buffering.max.messages": 200_000,
            }
        )
        for number, line in enumerate(self._pass()):
            while True:
                try:
                    producer.produce(topic, line, partition=number // 100 % partitions)
                except BufferError:
                    producer.poll(0.05)
                else:
                    break
        if producer.flush(120):
            raise RuntimeError("Kafka did not take everything within two minutes")

    def _pass(self) -> Iterator[bytes]:
        whole, rest = divmod(self.records, len(self.lines))
        for _ in range(whole):
            yield from self.lines
        yield from self.lines[:rest]


def workloads(scale: float) -> list[Workload]:
    """600 MB of long lines and 250 MB of short ones, times `scale`."""
    large, small = int(600e6 * scale), int(250e6 * scale)
    files = DATA / "github_events"
    if files.is_dir():
        return [
            Workload("large", _lines([files / "2015-01-01-0.jsonl.gz"]), "type", "created_at", large),
            Workload("small", _lines(sorted(files.glob("minimized-*.gz"))), "type", "dt", small),
        ]  # fmt: skip
    return [Workload("simulated", _simulated(), "type", "occurred_at", small)]


def _lines(files: Iterable[Path]) -> tuple[bytes, ...]:
    return tuple(line for file in files for line in _content(file).splitlines())


def _content(file: Path) -> bytes:
    data = file.read_bytes()
    return gzip.decompress(data) if file.suffix == ".gz" else data


def _simulated() -> tuple[bytes, ...]:
    from sandbox.simulate.commands import simulate

    with tempfile.TemporaryDirectory() as folder:
        simulate.main(["--out", folder, "--events", "50000", "--seed", "1"], standalone_mode=False)
        lines = _lines(sorted(Path(folder).glob("*/marketplace.log*")))
    return tuple(line for line in lines if _is_plain(line))


def _is_plain(line: bytes) -> bool:
    try:
        event = json.loads(line)
        return isinstance(event["type"], str) and bool(datetime.fromisoformat(event["occurred_at"]))
    except (ValueError, KeyError, TypeError):
        return False
