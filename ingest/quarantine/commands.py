"""`datacore quarantine`: what was set aside and why."""

import json
from itertools import islice

import click
from rich.console import Console
from rich.table import Table

from datacore.errors import UsageError, shorten
from datacore.settings import load_settings
from ingest.aws import s3_client
from ingest.land.bucket import Bucket
from ingest.land.route import Reason
from ingest.quarantine import read


@click.group()
def quarantine() -> None:
    """What landing set aside: counts by reason, and the records themselves."""


@quarantine.command("list")
@click.option("--topic", help="Only this topic.")
@click.option("--json", "as_json", is_flag=True, help="For machines: one object a line.")
def list_(topic: str | None, as_json: bool) -> None:
    """Count what was set aside, by topic, reason and data type."""
    bucket = open_bucket()
    found = [
        count for name in ([topic] if topic else read.topics(bucket)) for count in read.counts(bucket, name)
    ]  # fmt: skip
    if as_json:
        for count in found:
            click.echo(json.dumps(vars(count)))
        return
    table = Table("topic", "reason", "data type")
    table.add_column("records", justify="right")
    for count in found:
        table.add_row(count.topic, count.reason, count.data_type or "-", f"{count.records:,}")
    Console().print(table if found else "Nothing is in quarantine.")


@quarantine.command()
@click.option("--topic", required=True, help="The topic.")
@click.option("--reason", type=click.Choice([str(reason) for reason in Reason]), help="Only these.")
@click.option("--limit", type=click.IntRange(min=1), default=10, show_default=True)
@click.option("--whole", is_flag=True, help="Show values in full.")
def show(topic: str, reason: str | None, limit: int, whole: bool) -> None:
    """Show records that were set aside, with the host, file and line that they came from."""
    bucket = open_bucket()
    if topic not in read.topics(bucket):
        raise UsageError(f"nothing of topic {topic!r} is in quarantine", "see `quarantine list`")
    for record in islice(read.records(bucket, topic, reason), limit):
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
            "value": value if whole or value is None else shorten(value, 200),
        }
        click.echo(json.dumps(shown, ensure_ascii=False))


def open_bucket() -> Bucket:
    """The bucket of the settings."""
    settings = load_settings()
    return Bucket(s3_client(settings), settings.bucket)
