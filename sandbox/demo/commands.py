"""`datacore demo`: start a fresh sandbox, run the demo's steps, say where everything is.

Comes in: how many events. Goes out: the exit code of the first step that fails, else 0, which
means that every equation of `datacore reconcile` held. Never touches data that it did not make.
"""

import shutil
import subprocess
import time
from pathlib import Path

import click
from rich.console import Console

from datacore.errors import DatacoreError, ExitCode, UsageError
from datacore.settings import ROOT, Settings, apply_environment, load_settings
from sandbox.demo.steps import (
    DATACORE,
    TOPICS,
    Step,
    platform_steps,
    simulate_step,
    tail_steps,
)

MARKER = "demo"
"""Folder in the sandbox's state that holds the demo's files; there only if a demo ran."""


class StepFailed(DatacoreError):
    """A step of the demo exited with a code other than 0."""

    def __init__(self, step: Step, code: int) -> None:
        super().__init__(
            f"step failed with exit code {code}: {step.title}",
            f"the command was: {' '.join(step.command)}; the sandbox is still up, `make down` ends it",
        )
        self.exit_code = ExitCode(code) if code in set(ExitCode) else ExitCode.DIFFERENCE


class Narrator:
    """Numbers the steps, shows each one's command as it starts and its time as it ends."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.number = 0
        self.times: list[tuple[str, float]] = []

    def run(self, step: Step) -> None:
        """Run one step with its output in view. Raises StepFailed."""
        self.number += 1
        self.console.rule(f"[bold]{self.number}. {step.title}", align="left")
        started = time.monotonic()
        code = subprocess.run(step.command, cwd=ROOT, check=False).returncode
        seconds = time.monotonic() - started
        if code != 0:
            raise StepFailed(step, code)
        self.times.append((step.title, seconds))
        self.console.print(f"[green]✓[/] {seconds:.1f} s\n")


def holds_data(settings: Settings) -> bool:
    """Whether the demo's topics already have records."""
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(bootstrap_servers=settings.kafka.split(","))
    try:
        partitions = [
            TopicPartition(topic, partition)
            for topic in TOPICS
            for partition in consumer.partitions_for_topic(topic) or ()
        ]
        return any(end > 0 for end in consumer.end_offsets(partitions).values())
    finally:
        consumer.close()


def start_fresh(narrator: Narrator, state: Path) -> None:
    """A sandbox with no data in it. Raises UsageError where one runs that holds somebody's data."""
    up = Step("Start the sandbox", (*DATACORE, "sandbox", "up"))
    if not (state / "env").is_file():
        narrator.run(up)
        return
    if (state / MARKER).is_dir():
        narrator.run(Step("Discard the sandbox of an earlier demo", (*DATACORE, "sandbox", "down")))
        narrator.run(up)
        return
    apply_environment()
    narrator.run(up)
    if holds_data(load_settings()):
        raise UsageError(
            f"the sandbox in {state} already holds records, and the demo counts from zero",
            "end it and its data with `make down`, then `make demo`",
        )


def farewell(console: Console, settings: Settings, state: Path) -> None:
    """Where everything is, with something to try in each place."""
    docs = [ROOT / "target" / "static_index.html"]
    docs.append(ROOT / "dbt_project" / "warehouse" / "target" / "static_index.html")
    console.rule("[bold]Where everything is", align="left")
    console.print(
        f"""
S3 and Glue   {settings.aws_endpoint_url}   s3://{settings.bucket}/production-logs/<type>/yyyy/mm/dd/hh/
Kafka         {settings.kafka}
Spark SQL     {settings.thrift}   any Hive JDBC client; for instance
              select dt, hour, count(*) from raw.job_view group by dt, hour order by dt, hour
              select * from lake.rollup_funnel_daily order by dt, category
Redshift      {settings.redshift}   any Redshift or PostgreSQL client, user {settings.redshift_user}, database {settings.redshift_database}; for instance
              select * from marts.mart_funnel_daily order by dt, category
              select * from marts.mart_experiment_daily order by dt, experiment_id, variant
dbt docs      {docs[0]}
              {docs[1]}
Log files     {state / MARKER}   with truth.json

The sandbox stays up. `source {state / "env"}` gives its addresses to a shell, `datacore sandbox status` shows it,
`make down` ends it and discards its data.""",  # noqa: S608 (shown to a person, never run)
        highlight=False,
        soft_wrap=True,
    )


@click.command()
@click.option("--events", type=click.IntRange(min=1), default=20_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def demo(events: int, seed: int) -> None:
    """Log files to Redshift marts: simulate, tail, land, build, load, reconcile.

    Starts a sandbox of its own and leaves it up. Exits 0 only if every line is accounted for.
    """
    console = Console()
    narrator = Narrator(console)
    state = load_settings().state
    started = time.monotonic()
    start_fresh(narrator, state)
    apply_environment()
    logs = state / MARKER
    shutil.rmtree(logs, ignore_errors=True)
    narrator.run(simulate_step(logs, events, seed))
    for step in tail_steps(logs):
        narrator.run(step)
    for step in platform_steps(logs / "truth.json"):
        narrator.run(step)
    farewell(console, load_settings(), state)
    console.print(f"[green]✓[/] {events:,} events in {time.monotonic() - started:.0f} s")
