"""`datacore replay` and `datacore quarantine replay`: what was set aside lands after a fix."""

import os
import socket
import time
from pathlib import Path

import click

from datacore.aws import s3_client
from datacore.contracts import load_contracts
from datacore.errors import UsageError
from datacore.settings import load_settings
from ingest.land.bucket import Bucket
from ingest.land.lane import LanderIdentity
from ingest.land.rules import Rules, rules_of
from ingest.log import set_up_logs
from ingest.register.open_catalog import open_catalog
from ingest.register.registrar import Registrar
from ingest.replay.replayer import Choice, Replayer, Summary
from ingest.versions.settle import Settler

contracts_option = click.option(
    "--contracts",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory of the contracts. [default: DATACORE_CONTRACTS or contracts/]",
)


class Platform:
    """What a replay needs: the bucket, the contracts' rules, Glue."""

    def __init__(self, contracts: Path | None) -> None:
        settings = load_settings()
        loaded = load_contracts(contracts or settings.contracts)
        self.rules: Rules = rules_of(loaded)
        self.bucket = Bucket(s3_client(settings), settings.bucket)
        self.bucket.check(allow_unencrypted=True)
        self.registrar = Registrar(open_catalog(settings), loaded, self.bucket.name)

    def replay(self, topics: list[str], choice: Choice) -> Summary:
        """Replay topics, one after the other."""
        self.registrar.tables()
        name = f"{socket.gethostname()}:{os.getpid()}:{time.time_ns()}"
        settler = Settler(self.bucket, self.registrar, LanderIdentity(name, time.time))
        summary = Summary()
        for topic in topics:
            Replayer(settler, self.registrar, topic, self.rules.claims).run(choice, summary)
        return summary


@click.command()
@click.option("--type", "data_type", required=True, help="The data type.")
@contracts_option
def replay(data_type: str, contracts: Path | None) -> None:
    """Land what a data type's contract claims now, out of `unclaimed` and out of quarantine.

    Each record lands once, however often this runs, and whatever was killed.
    """
    set_up_logs()
    platform = Platform(contracts)
    topics = [rule.topic for rule in platform.rules.claims if rule.data_type == data_type]
    if not topics:
        raise UsageError(
            f"no contract describes data type {data_type!r}", "see `datacore type list`"
        )
    choice = Choice(data_type=data_type, unclaimed=True)
    click.echo(platform.replay(topics, choice).line())
