"""`datacore register`: Glue's databases, tables and partitions equal to contracts and S3."""

from pathlib import Path

import click

from datacore.contracts import load_contracts
from datacore.settings import load_settings
from ingest.aws import glue_client, s3_client
from ingest.land.bucket import Bucket
from ingest.log import set_up_logs
from ingest.register.catalog import Catalog
from ingest.register.registrar import Registrar
from ingest.register.scan import scan


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
    hours = registrar.hours(found.hours)
    for topic, partition in sorted(found.chains):
        registrar.cuts(topic, partition)
    for topic, block in sorted(found.blocks):
        registrar.block(topic, block)
    for topic, dt, hour in sorted(found.quarantine):
        registrar.quarantine(topic, dt, hour)
    click.echo(f"tables changed {tables}, hours on S3 {len(found.hours)}, hours added {hours}")
