"""`make bench-ingest`: the lander against its peers, on one broker and one object store, in one run.

`python -m benchmarks.ingest [--scale N] [--repeat N] [--only TEXT]`. Each sink lands the same topics once,
then, after the same lines were sent again, twice over; what it wrote is read back and counted by type
and hour both times. Reported is the difference of both runs: what a pass costs once started.
"""

import tempfile
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from benchmarks.ingest import check
from benchmarks.ingest.ground import PARTITIONS, Ground, ground
from benchmarks.ingest.measure import Run, Steady, run
from benchmarks.ingest.scattered import scattered
from benchmarks.ingest.shared import shared
from benchmarks.ingest.sinks import PEER, SINKS, Sink, Task, own_variables
from benchmarks.ingest.workload import Hour, Workload, workloads
from datacore.settings import ROOT

MIB = 1024 * 1024
say = Console(stderr=True, highlight=False)


@click.command()
@click.option("--scale", type=click.FloatRange(min=0.001), default=1.0, show_default=True,
              help="Of 600 MB of long lines and 250 MB of short ones.")  # fmt: skip
@click.option("--repeat", type=click.IntRange(min=1), default=1, show_default=True,
              help="Run each so often, and take the run that needed the least CPU.")  # fmt: skip
@click.option("--only", default="", help="Only sinks whose name has this in it.")
@click.option(
    "--state", type=click.Path(path_type=Path), default=ROOT / ".sandbox" / "bench-ingest"
)
def main(scale: float, repeat: int, only: str, state: Path) -> None:
    """Measure the sinks and print tables in Markdown."""
    sinks = [sink for sink in SINKS if only in sink.name]
    with ground(state) as stage, tempfile.TemporaryDirectory(dir=state) as folder:
        found = workloads(scale)
        print(f"{datetime.now(UTC):%Y-%m-%d}, scale {scale:g}, {PARTITIONS} partitions\n")
        for workload in found:
            report(workload, bench(stage, workload, sinks, repeat, Path(folder)))
        if not only:
            print(shared(stage, found[-1], Path(folder)))
            print(scattered(stage, found[0], scale, Path(folder)))


def bench(
    stage: Ground, workload: Workload, sinks: list[Sink], repeat: int, folder: Path
) -> dict[str, Steady]:
    """Every sink over one pass, then over two."""
    runs: dict[str, list[Run]] = {sink.name: [] for sink in sinks}
    stage.topic(workload.name)
    for passes in (1, 2):
        workload.send(stage.kafka, workload.name, PARTITIONS)
        for sink in sinks:
            tries = [one_run(stage, workload, sink, passes, folder) for _ in range(repeat)]
            done = min(tries, key=lambda one: one.cpu)
            runs[sink.name].append(done)
            say.print(f"{workload.name} x{passes} {sink.name}: {done.cpu:.1f} s CPU, "
                      f"{done.wall:.1f} s, {done.memory / MIB:.0f} MiB")  # fmt: skip
    size = round(workload.records * workload.line_bytes)
    return {
        name: Steady(once, twice, size, workload.records) for name, (once, twice) in runs.items()
    }


def one_run(stage: Ground, workload: Workload, sink: Sink, passes: int, folder: Path) -> Run:
    """Run a sink into an empty bucket, and require that all is there. Raises RuntimeError."""
    s3, bucket = stage.s3, "bench"
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=bucket)
    with tempfile.TemporaryDirectory(dir=folder) as own:
        task = Task(workload, workload.name, bucket, stage.variables, Path(own))
        done = run(sink.command(task), own_variables(task, sink), folder / "log")
    if sink.layout is not None:
        counted = check.landed(s3, bucket, sink.layout)
        wanted = lower(workload.expected(passes))
        if counted != wanted:
            missing, more = wanted - counted, counted - wanted
            raise RuntimeError(f"{sink.name}: missing {missing}, more than there is {more}")
        check.empty(s3, bucket)
    return done


def lower(counts: Counter[Hour]) -> Counter[Hour]:
    """Types in lower case, as data types are."""
    return Counter({(kind.lower(), hour): count for (kind, hour), count in counts.items()})


def report(workload: Workload, found: dict[str, Steady]) -> None:
    """A table of one workload, in Markdown."""
    mib = workload.size / 1e6
    print(f"{workload.line_bytes:.0f} B a line, {mib:.0f} MB a pass, {workload.records} records\n")
    print(
        "| sink | MB per CPU-s | records per CPU-s | ratio | wall MB/s | once with its start, CPU s | peak MiB |"
    )
    print("|-|-:|-:|-:|-:|-:|-:|")
    peer = found.get(PEER.name)
    for name, steady in found.items():
        ratio = f"{steady.mb_per_cpu_second / peer.mb_per_cpu_second:.2f}" if peer else ""
        print(
            f"| {name} | {steady.mb_per_cpu_second:.1f} | {steady.records_per_cpu_second:,.0f} "
            f"| {ratio} | {steady.mb_per_second:.0f} | {steady.once.cpu:.1f} "
            f"| {steady.memory / MIB:.0f} |"
        )
    print(flush=True)


if __name__ == "__main__":
    main()
