"""`datacore compact`: fewer objects in sealed hours, and superseded ones removed after a grace."""

import os
import socket
import statistics
import time
from datetime import date, datetime
from pathlib import Path

import click

from datacore.aws import s3_client
from datacore.contracts import load_contracts
from datacore.errors import DifferenceFound, UsageError
from datacore.settings import load_settings
from ingest.land.bucket import Bucket
from ingest.land.lane import LanderIdentity
from ingest.log import set_up_logs
from ingest.register.open_catalog import open_catalog
from ingest.register.registrar import Registrar
from ingest.register.scan import versioned_hours
from ingest.versions.compact import MIB, Compactor, Outcome, Policy, sealed_hours
from ingest.versions.settle import Settler

DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.option(
    "--contracts",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory of the contracts. [default: DATACORE_CONTRACTS or contracts/]",
)
@click.option("--type", "data_type", help="Only this data type.")
@click.option("--day", type=DAY, help="Only this day of the event's time, UTC.")
@click.option("--from", "first", type=DAY, help="From this day on.")
@click.option("--to", "last", type=DAY, help="Up to this day.")
@click.option("--min-objects", type=click.IntRange(min=2), default=2, show_default=True,
              help="Objects that an hour has at least to be compacted.")  # fmt: skip
@click.option("--target-mib", type=click.FloatRange(min=0.001), default=64.0, show_default=True,
              help="Compressed size of the objects written, at most.")  # fmt: skip
@click.option("--grace-minutes", type=click.FloatRange(min=0), default=60.0, show_default=True,
              help="How long what is superseded stays for those who still read it.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only say what would be compacted.")
def compact(
    contracts: Path | None,
    data_type: str | None,
    day: datetime | None,
    first: datetime | None,
    last: datetime | None,
    min_objects: int,
    target_mib: float,
    grace_minutes: float,
    dry_run: bool,
) -> None:
    """Make few large objects of the many small ones of sealed hours.

    Readers see each hour whole at all times. What an earlier run left is finished, and what is
    superseded for longer than the grace is removed.
    """
    set_up_logs()
    if day is not None and (first is not None or last is not None):
        raise UsageError("--day is a day, --from and --to are a range", "give one or the other")
    settings = load_settings()
    loaded = load_contracts(contracts or settings.contracts)
    bucket = Bucket(s3_client(settings), settings.bucket)
    bucket.check(allow_unencrypted=True)
    registrar = Registrar(open_catalog(settings), loaded, bucket.name)
    if data_type is not None and not registrar.knows(data_type):
        raise UsageError(
            f"no contract describes data type {data_type!r}", "see `datacore type list`"
        )
    identity = LanderIdentity(f"{socket.gethostname()}:{os.getpid()}:{time.time_ns()}", time.time)
    policy = Policy(int(target_mib * MIB), min_objects, grace_minutes * 60, dry_run)
    compactor = Compactor(Settler(bucket, registrar, identity), policy)
    chosen = Days(data_type, *(_date(d) for d in ((day, day) if day else (first, last))))
    sealed, damaged = sealed_hours(bucket)
    days = sorted({(hour.data_type, hour.dt) for hour in sealed | versioned_hours(bucket)})
    total = Total()
    doubtful = {c.name: damaged[c.topic] for c in loaded if c.topic in damaged}
    for name, error in doubtful.items():
        if data_type in (None, name):
            total.differences += 1
            click.echo(f"{name}: left as it is: {error.message}; {error.hint}")
    for name, dt in days:
        if chosen.holds(name, dt) and registrar.knows(name) and name not in doubtful:
            for outcome in compactor.day(name, dt, sealed):
                total.add(outcome)
                click.echo(line(outcome, dry_run))
    click.echo(total.line(dry_run))
    if total.differences:
        raise DifferenceFound(
            f"{total.differences} of the hours and types above are not what was promised, "
            "and were left as they are",
            "see the lines above; `datacore audit` tells more",
        )


def _date(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


class Days:
    """The days that were asked for, both ends included."""

    def __init__(self, data_type: str | None, first: date | None, last: date | None) -> None:
        self._data_type = data_type
        self._first = "" if first is None else first.isoformat()
        self._last = "9999-12-31" if last is None else last.isoformat()

    def holds(self, data_type: str, dt: str) -> bool:
        """Whether a day of a type is one of them."""
        return self._data_type in (None, data_type) and self._first <= dt <= self._last


class Total:
    """What a run did, for its last line."""

    def __init__(self) -> None:
        self.hours = 0
        self.before: list[int] = []
        self.after: list[int] = []
        self.removed = 0
        self.left = 0
        self.differences = 0

    def add(self, outcome: Outcome) -> None:
        """Count an hour."""
        self.removed += outcome.removed
        self.left += bool(outcome.left)
        self.differences += outcome.difference is not None
        if outcome.before and not outcome.left:
            self.hours += 1
            self.before += outcome.before
            self.after += outcome.after

    def line(self, dry_run: bool) -> str:
        """The summary."""
        done = "would be compacted" if dry_run else "compacted"
        return (
            f"{self.hours} hours {done}: {len(self.before):,} -> {len(self.after):,} objects; "
            f"sizes {_sizes(self.before)} -> {_sizes(self.after)}; "
            f"{self.removed:,} superseded removed, {self.left} left to another run, "
            f"{self.differences} with differences"
        )


def line(outcome: Outcome, dry_run: bool) -> str:
    """One hour in one line."""
    name = f"{outcome.hour.data_type} {outcome.hour.dt} {outcome.hour.hour}"
    if outcome.difference is not None:
        return f"{name}: left as it is: {outcome.difference.message}"
    if outcome.left:
        return f"{name}: {outcome.left}; left to it"
    said: list[str] = []
    if outcome.before:
        would = "would be " if dry_run else ""
        said.append(
            f"{would}{len(outcome.before)} -> {len(outcome.after)} objects, "
            f"{_mib(sum(outcome.before))} -> {_mib(sum(outcome.after))}, version {outcome.version}"
        )
    if outcome.removed:
        said.append(f"{outcome.removed} superseded objects removed")
    return f"{name}: {'; '.join(said)}"


def _sizes(sizes: list[int]) -> str:
    """Least, median and greatest."""
    if not sizes:
        return "none"
    return "/".join(_mib(size) for size in (min(sizes), statistics.median_low(sizes), max(sizes)))


def _mib(size: int) -> str:
    return f"{size / MIB:.1f} MiB" if size >= MIB // 10 else f"{size / 1024:.1f} KiB"
