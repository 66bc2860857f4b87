"""`datacore register` and `datacore partitions repair`: Glue equal to contracts and S3."""

import os
import time
from datetime import datetime
from pathlib import Path

import click

from datacore.aws import s3_client
from datacore.contracts import load_contracts
from datacore.errors import UsageError
from datacore.settings import load_settings
from ingest.land.bucket import Bucket
from ingest.land.hourlog import Hour
from ingest.land.lane import LanderIdentity
from ingest.log import set_up_logs
from ingest.register.open_catalog import open_catalog
from ingest.register.registrar import Registrar
from ingest.register.repair import DayRepair, Repaired
from ingest.register.scan import scan
from ingest.versions.history import histories
from ingest.versions.settle import Settler


@click.command()
@click.option(
    "--contracts",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory of the contracts. [default: DATACORE_CONTRACTS or contracts/]",
)
def register(contracts: Path | None) -> None:
    """Make Glue's raw tables and hours equal to the contracts and S3.

    `land` does the same as it goes; this repairs what was missed or removed. It only adds and
    changes, it never drops.
    """
    set_up_logs()
    settings = load_settings()
    bucket = Bucket(s3_client(settings), settings.bucket)
    bucket.check(allow_unencrypted=True)
    registrar = Registrar(
        open_catalog(settings), load_contracts(contracts or settings.contracts), bucket.name
    )
    tables = registrar.tables()
    found = scan(bucket)
    # an hour with versions is never pointed to its base folder
    hours = registrar.hours(found.hours - found.versioned)
    moved = settle_misplaced(bucket, registrar, found.versioned)
    for topic, partition in sorted(found.chains):
        registrar.cuts(topic, partition)
    for topic, block in sorted(found.blocks):
        registrar.block(topic, block)
    for topic, dt, hour in sorted(found.quarantine):
        registrar.quarantine(topic, dt, hour)
    for topic in sorted(found.replayed):
        registrar.replays(topic)
    click.echo(
        f"tables changed {tables}, hours on S3 {len(found.hours | found.versioned)}, "
        f"hours added {hours}, hours pointed to their newest version {moved}"
    )


def settle_misplaced(bucket: Bucket, registrar: Registrar, versioned: set[Hour]) -> int:
    """Bring hours to readers that are not found at their newest version; how many."""
    settler = Settler(bucket, registrar, LanderIdentity(f"register:{os.getpid()}", time.time))
    moved = 0
    for data_type in sorted({hour.data_type for hour in versioned}):
        if not registrar.knows(data_type):
            continue
        seen = registrar.locations(data_type)
        known = histories(bucket, (hour for hour in versioned if hour.data_type == data_type))
        for hour, past in sorted(known.items()):
            if seen.get(hour) != past.newest.folder:
                settler.settle(hour)
                moved += 1
    return moved


@click.group()
def partitions() -> None:
    """Partitions of the raw tables."""


@partitions.command()
@click.option(
    "--day", type=click.DateTime(["%Y-%m-%d"]), required=True, metavar="DAY", help="Event day."
)
@click.option("--type", "data_type", help="Only this data type.")
@click.option(
    "--contracts",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory of the contracts. [default: DATACORE_CONTRACTS or contracts/]",
)
def repair(day: datetime, data_type: str | None, contracts: Path | None) -> None:
    """Make a day's raw partitions equal to S3, in both directions.

    Hours that hold data are added or pointed to where it is; hours that hold none are dropped, and no
    object is touched. Run it daily, for the day before; it may be repeated.
    """
    set_up_logs()
    settings = load_settings()
    bucket = Bucket(s3_client(settings), settings.bucket)
    bucket.check(allow_unencrypted=True)
    registrar = Registrar(
        open_catalog(settings), load_contracts(contracts or settings.contracts), bucket.name
    )
    if data_type is not None and not registrar.knows(data_type):
        raise UsageError(
            f"no contract describes data type {data_type!r}", "see `datacore type list`"
        )
    registrar.tables()
    identity = LanderIdentity(f"partitions:{os.getpid()}", time.time)
    repairing = DayRepair(registrar, Settler(bucket, registrar, identity))
    done = repairing.run([data_type] if data_type else registrar.data_types, f"{day:%Y-%m-%d}")
    for one in done:
        if one.added or one.moved or one.dropped:
            click.echo(f"{one.data_type}: {_told(one)}")
    click.echo(f"{day:%Y-%m-%d}: {sum(one.hours for one in done)} hours hold data; " + _told(*done))


def _told(*done: Repaired) -> str:
    return (
        f"added {sum(one.added for one in done)}, pointed elsewhere {sum(one.moved for one in done)}, "
        f"dropped {sum(one.dropped for one in done)}"
    )
