"""`datacore drift`: what a day's records carry that their contracts do not say."""

import gzip
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from datacore.aws import s3_client
from datacore.contracts import Contract, load_contracts
from datacore.errors import DifferenceFound, UsageError
from datacore.settings import load_settings
from ingest.drift.count import Counter
from ingest.land.bucket import Bucket
from ingest.land.hourlog import Hour
from ingest.land.objects import ROOT
from ingest.log import set_up_logs
from ingest.versions.arrivals import whole_folder
from ingest.versions.history import histories
from ingest.versions.record import base_folder

AT_ONCE = 16
"""Objects that are held at the same time."""


@click.command()
@click.option(
    "--day", type=click.DateTime(["%Y-%m-%d"]), required=True, metavar="DAY", help="Event day."
)
@click.option("--type", "data_type", help="Only this data type.")
@click.option(
    "--contracts",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory of the contracts. [default: DATACORE_CONTRACTS or contracts/]",
)
@click.option("--fail", is_flag=True, help="Exit 1 where anything drifts.")
@click.option("--json", "as_json", is_flag=True, help="For machines: one object a line.")
def drift(
    day: datetime, data_type: str | None, contracts: Path | None, fail: bool, as_json: bool
) -> None:
    """Count the fields of a day's records that no contract names, or that have another type.

    Nothing is lost by drift: records are kept as they came. A new field is seen by queries once the
    contract names it; a value of another type makes its record a reject in the lake.
    """
    set_up_logs()
    settings = load_settings()
    loaded = [
        one
        for one in load_contracts(contracts or settings.contracts)
        if data_type in (None, one.name)
    ]
    if not loaded:
        raise UsageError(
            f"no contract describes data type {data_type!r}", "see `datacore type list`"
        )
    bucket = Bucket(s3_client(settings), settings.bucket)
    bucket.check(allow_unencrypted=True)
    dt = f"{day:%Y-%m-%d}"
    table = Table("data type", "field", "what", title=f"drift of {dt}", title_justify="left")
    table.add_column("records", justify="right")
    table.add_column("of", justify="right")
    table.add_column("for example")
    drifting = 0
    for contract in loaded:
        counter = counted(bucket, contract, dt)
        for one in counter.found():
            drifting += 1
            if as_json:
                told = {"data_type": contract.name, "dt": dt, **vars(one), "of": counter.records}
                click.echo(json.dumps(told, ensure_ascii=False))
            else:
                numbers = (f"{one.records:,}", f"{counter.records:,}")
                table.add_row(contract.name, one.field, one.what, *numbers, one.example)
    if not as_json:
        Console().print(table if drifting else f"Nothing drifts on {dt}.")
    if fail and drifting:
        raise DifferenceFound(
            f"{drifting} fields of {dt} are not as their contracts say",
            "name new fields in the contract, or ask the producer",
        )


def counted(bucket: Bucket, contract: Contract, dt: str) -> Counter:
    """The drift of a data type's day."""
    counter = Counter(contract)
    keys = list(objects(bucket, contract.name, dt))
    for start in range(0, len(keys), AT_ONCE):
        for key, data in zip(
            some := keys[start : start + AT_ONCE], bucket.get_all(some), strict=True
        ):
            try:
                counter.add(gzip.decompress(data).splitlines())
            except (OSError, EOFError) as error:
                raise DifferenceFound(
                    f"{key} is no whole gzip file: {error}", "`datacore audit` tells more"
                ) from error
    return counter


def objects(bucket: Bucket, data_type: str, dt: str) -> Iterator[str]:
    """Keys that readers of a day's hours open, each hour in its newest whole version."""
    day = f"{data_type}/{dt.replace('-', '/')}/"
    hours = {
        Hour(data_type, dt, name)
        for place in ("", "_versions/")
        for name in bucket.folders(f"{ROOT}/{place}{day}")
    }
    known = histories(bucket, hours)
    for hour in sorted(hours):
        past = known.get(hour)
        yield from bucket.keys(whole_folder(bucket, past) if past else base_folder(hour))
