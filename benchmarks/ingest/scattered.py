"""A backlog of 10,000 hours in random order: what it costs, in memory and in small objects.

Comes in: real lines. Goes out: a line of Markdown. Each line gets another hour, drawn at random.
"""

import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.ingest import check
from benchmarks.ingest.ground import PARTITIONS, Ground
from benchmarks.ingest.measure import run
from benchmarks.ingest.sinks import LAND, RAW, Task, own_variables
from benchmarks.ingest.workload import Workload

HOURS = 10_000
SIZE = 60e6
"""Bytes, times the benchmark's scale."""
MIB = 1024 * 1024


@dataclass(frozen=True)
class Scattered(Workload):
    """A workload whose lines tell an hour that is drawn at random."""

    def lines_to_send(self) -> Iterator[bytes]:
        """The lines of one pass, each with another hour."""
        dice = random.Random(1)  # noqa: S311 — lines, not secrets
        begin = datetime(2020, 1, 1)
        name = f'"{self.time_field}":"'.encode()
        for line in super().lines_to_send():
            before, mark, after = line.partition(name)
            moment = begin + timedelta(hours=dice.randrange(HOURS))
            yield before + mark + f"{moment:%Y-%m-%dT%H}".encode() + after[13:]


def scattered(stage: Ground, workload: Workload, scale: float, folder: Path) -> str:
    """Land such a backlog."""
    made = Scattered(
        "scattered", workload.lines, workload.type_field, workload.time_field, round(SIZE * scale)
    )
    s3, bucket = stage.s3, "bench"
    stage.topic(made.name)
    made.send(stage.kafka, made.name, PARTITIONS)
    with tempfile.TemporaryDirectory(dir=folder) as own:
        task = Task(made, made.name, bucket, stage.variables, Path(own))
        done = run(LAND.command(task), own_variables(task, LAND), folder / "log")
    sizes = check.sizes(s3, bucket, RAW)
    found = sum(check.landed(s3, bucket, RAW).values())
    check.empty(s3, bucket)
    if found != made.records:
        raise RuntimeError(f"scattered: {found} records of {made.records}")
    return (
        f"A backlog of {made.size / 1e6:.0f} MB ({made.records} records) over {HOURS} hours in random "
        f"order: {done.memory / MIB:.0f} MiB at the most, {done.cpu:.0f} s of CPU, {done.wall:.0f} s, "
        f"{len(sizes)} objects, of {sizes[len(sizes) // 2] / 1024:.1f} KiB in the median and "
        f"{sizes[-1] / 1024:.0f} KiB at the most.\n"
    )
