"""`datacore register`: Glue's databases, tables and partitions equal to contracts and S3."""

import os
import time
from pathlib import Path

import click

from datacore.contracts import load_contracts
from datacore.settings import load_settings
from ingest.aws import glue_client, s3_client
from ingest.land.bucket import Bucket
from ingest.land.hourlog import Hour
from ingest.land.lane import LanderIdentity
from ingest.log import set_up_logs
from ingest.register.catalog import Catalog
from ingest.register.registrar import Registrar
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
        Catalog(glue_client(settings)), load_contracts(contracts or settings.contracts), bucket.name
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
