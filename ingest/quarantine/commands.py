"""`datacore quarantine`: what was set aside and why, and landing it after a fix."""

import json
from itertools import islice
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from datacore.aws import s3_client
from datacore.errors import UsageError, shorten
from datacore.settings import load_settings
from ingest.land.bucket import Bucket
from ingest.land.route import Reason
from ingest.log import set_up_logs
from ingest.quarantine import read
from ingest.replay.commands import Platform, contracts_option
from ingest.replay.replayer import Choice


@click.group()
def quarantine() -> None:
    """What landing set aside: counts by reason, the records themselves, and landing them."""


@quarantine.command("list")
@click.option("--topic", help="Only this topic.")
@click.option("--all", "everything", is_flag=True, help="What was replayed since, too.")
@click.option("--json", "as_json", is_flag=True, help="For machines: one object a line.")
def list_(topic: str | None, everything: bool, as_json: bool) -> None:
    """Count what is set aside, by topic, reason and data type, without what was replayed."""
    bucket = open_bucket()
    found = [
        count
        for name in ([topic] if topic else read.topics(bucket))
        for count in read.counts(bucket, name)
        if everything or count.records
    ]
    if as_json:
        for count in found:
            shown = vars(count)
            if not everything:
                shown = {name: shown[name] for name in shown if name != "replayed"}
            click.echo(json.dumps(shown))
        return
    table = Table("topic", "reason", "data type")
    table.add_column("records", justify="right")
    if everything:
        table.add_column("replayed", justify="right")
    for count in found:
        numbers = (count.records, count.replayed) if everything else (count.records,)
        words = (count.topic, count.reason, count.data_type or "-")
        table.add_row(*words, *(f"{number:,}" for number in numbers))
    Console().print(table if found else "Nothing is in quarantine.")


@quarantine.command()
@click.option("--topic", required=True, help="The topic.")
@click.option("--reason", type=click.Choice([str(reason) for reason in Reason]), help="Only these.")
@click.option("--limit", type=click.IntRange(min=1), default=10, show_default=True)
@click.option("--all", "everything", is_flag=True, help="Those that were replayed since, too.")
@click.option("--whole", is_flag=True, help="Show values in full.")
def show(topic: str, reason: str | None, limit: int, everything: bool, whole: bool) -> None:
    """Show records that were set aside, with the host, file and line that they came from."""
    bucket = open_bucket()
    if topic not in read.topics(bucket):
        raise UsageError(f"nothing of topic {topic!r} is in quarantine", "see `quarantine list`")
    records = read.records(bucket, topic, reason, everything)
    for record in islice(records, limit):
        held = record.held
        value = None if record.value is None else record.value.decode(errors="backslashreplace")
        shown = {
            "reason": held.reason,
            "data_type": held.data_type,
            "field": held.field,
            "found": held.found,
            "host": record.host,
            "file": record.file,
            "line": record.line,
            "partition": held.partition,
            "offset": held.offset,
            "replayed": record.replayed,
            "value": value if whole or value is None else shorten(value, 200),
        }
        click.echo(json.dumps(shown, ensure_ascii=False))


@quarantine.command()
@click.option("--topic", help="Only this topic.")
@click.option("--reason", type=click.Choice([str(reason) for reason in Reason]), help="Only these.")
@contracts_option
def replay(topic: str | None, reason: str | None, contracts: Path | None) -> None:
    """Land what the contracts claim now of what was set aside.

    Each record lands once, however often this runs, and whatever was killed. What still does not
    fit stays, and so does what stands for a line that was too long for Kafka.
    """
    set_up_logs()
    platform = Platform(contracts)
    topics = read.topics(platform.bucket)
    if topic is not None and topic not in topics:
        raise UsageError(f"nothing of topic {topic!r} is in quarantine", "see `quarantine list`")
    summary = platform.replay(topics if topic is None else [topic], Choice(reason=reason))
    click.echo(summary.line())


def open_bucket() -> Bucket:
    """The bucket of the settings."""
    settings = load_settings()
    return Bucket(s3_client(settings), settings.bucket)
