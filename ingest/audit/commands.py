"""`datacore audit`: proves from S3 and Glue that nothing is lost, doubled or changed."""

import json
import time
from datetime import datetime

import click
from rich.console import Console

from datacore.aws import kms_client, s3_client
from datacore.errors import DifferenceFound, UsageError
from datacore.settings import Settings, load_settings
from ingest.audit.audit import Audit
from ingest.audit.facts import Scope
from ingest.audit.report import as_json, findings_table, sizes_table, summary
from ingest.audit.store import Store
from ingest.log import set_up_logs
from ingest.register.open_catalog import open_catalog

DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.option("--topic", help="Only what this topic landed.")
@click.option("--from", "first", type=DAY, metavar="DAY", help="Only objects of this event day or later.")  # fmt: skip
@click.option("--to", "last", type=DAY, metavar="DAY", help="Only objects of this event day or earlier.")  # fmt: skip
@click.option("--quick", is_flag=True, help="Believe the checksum that an object notes of itself; do not read it.")  # fmt: skip
@click.option("--rows", type=click.IntRange(min=1), default=10, show_default=True,
              help="Findings shown of a kind.")  # fmt: skip
@click.option("--json", "for_machines", is_flag=True, help="For machines: one object, all findings.")  # fmt: skip
def audit(
    topic: str | None,
    first: datetime | None,
    last: datetime | None,
    quick: bool,
    rows: int,
    for_machines: bool,
) -> None:
    """Prove from S3 and Glue that nothing is lost, doubled or changed.

    Exit 0 only if all holds. docs/audit.md says what to do about each finding. Chains of manifests
    and hour logs are always read whole; --from and --to bound the objects.
    """
    set_up_logs()
    settings = load_settings()
    scope = Scope(
        topic, f"{first:%Y-%m-%d}" if first else None, f"{last:%Y-%m-%d}" if last else None
    )
    if first and last and first > last:
        raise UsageError(f"--from {scope.first_day} is after --to {scope.last_day}", "swap them")
    began = time.monotonic()
    made = Audit(store_of(settings), open_catalog(settings), scope, quick, time.time)
    report = made.run()
    seconds = time.monotonic() - began
    if topic is not None and not report.manifests:
        raise UsageError(f"nothing of topic {topic!r} is on S3", "check the name")
    if for_machines:
        click.echo(json.dumps(as_json(report, seconds), indent=2, ensure_ascii=False))
    else:
        console = Console(width=None if Console().is_terminal else 160)
        wrong = [finding for finding in report.findings if not finding.is_loss]
        lost = [finding for finding in report.findings if finding.is_loss]
        if report.sizes:
            console.print(sizes_table(report.sizes))
        if wrong:
            console.print(findings_table(wrong, "what does not hold", rows))
        if lost:
            console.print(findings_table(lost, "lines that are lost", rows))
        click.echo(summary(report, seconds))
    if report.findings:
        raise DifferenceFound(
            f"{len(report.findings)} findings", "docs/audit.md says what to do about each"
        )


def store_of(settings: Settings) -> Store:
    """The bucket of the settings, read only."""
    return Store(s3_client(settings), kms_client(settings), settings.bucket)
