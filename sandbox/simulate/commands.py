"""`datacore simulate`: log files of a job marketplace, and the truth beside them.

Comes in: the size, the seed, the period. Goes out: files below --out. Starts nothing, calls nothing.
"""

import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from datacore.contracts.problems import shown
from datacore.errors import UsageError
from sandbox.simulate.output import TRUTH, fill
from sandbox.simulate.simulation import Options, Simulation

MOST_DAYS = 3650
MOST_HOSTS = 99
FIRST_YEAR = 1970


def _day(ctx: click.Context, parameter: click.Parameter, value: str | None) -> date | None:
    try:
        return None if value is None else date.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is not a day such as 2026-01-31") from error


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="Directory to fill: a folder a host.",
)
@click.option(
    "--events", type=click.IntRange(min=1), required=True, help="Log lines to write, in all files."
)
@click.option("--seed", type=int, required=True, help="The same seed and options, the same bytes.")
@click.option(
    "--days",
    type=click.IntRange(1, MOST_DAYS),
    default=3,
    show_default=True,
    help="Length, in days.",
)
@click.option(
    "--hosts",
    type=click.IntRange(1, MOST_HOSTS),
    default=3,
    show_default=True,
    help="Hosts that log.",
)
@click.option(
    "--start", callback=_day, help="First day (UTC).  [default: so that yesterday is the last]"
)
@click.option("--force", is_flag=True, help="Replace an earlier simulation in --out.")
def simulate(
    out: Path, events: int, seed: int, days: int, hosts: int, start: date | None, force: bool
) -> None:
    """Write the log files of a job marketplace, and the truth about them.

    Every host has marketplace.log and experiments.log, rotated daily. They hold the troubles of
    real logs: late and repeated events, broken lines, wrong clocks, unknown types, fields that
    change. truth.json says what must become of them, in counts and sums. docs/simulate.md has more.

    \b
    Exit codes: 0 written, 2 bad usage or --out cannot be written.
    """
    today = datetime.now(UTC).date()
    latest = today - timedelta(days=days)
    options = Options(events, seed, days, hosts, start or latest)
    if options.start.year < FIRST_YEAR:
        raise UsageError(f"--start {options.start}: too early", f"start in {FIRST_YEAR} or later")
    if options.start > latest:
        raise UsageError(
            f"--start {options.start} with --days {days} ends after yesterday",
            "events of today and later would count as wrong clocks; start earlier",
        )
    fill(out, force, lambda directory: _with_progress(Simulation(options, directory)))
    click.echo(
        f"{events:,} lines of {hosts} hosts on {days} days from {options.start}: {shown(out)}"
    )
    click.echo(f"the truth: {shown(out / TRUTH)}")


def _with_progress(simulation: Simulation) -> dict[str, Any]:
    """Run with a bar where a person watches."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("simulating", total=simulation.options.events)
        return simulation.run(lambda written: progress.update(task, completed=written))
