"""`datacore lake`: care for the published tables."""

from datetime import UTC, datetime, timedelta

import click

from datacore.aws import glue_client, s3_client
from datacore.errors import UsageError
from datacore.settings import load_settings
from lake.published import Lake
from lake.vacuum import Removal, Vacuum

MIB = 1024 * 1024


@click.group()
def lake() -> None:
    """Care for the tables that dbt publishes."""


@lake.command()
@click.option("--database", "names", multiple=True, help="Only this database; may be repeated.")
@click.option("--grace-hours", type=click.FloatRange(min=0), default=168.0, show_default=True,
              help="How long what is not read any more stays, for queries and for rollbacks.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
def vacuum(names: tuple[str, ...], grace_hours: float, dry_run: bool) -> None:
    """Remove directories of earlier builds that nothing points at any more.

    What is younger than the grace stays, and so does whatever a build is writing. Run it daily; it
    may be ended at any time.
    """
    settings = load_settings()
    if settings.catalog != "glue":
        raise UsageError(
            f"DATACORE_CATALOG={settings.catalog}: vacuum knows Glue alone", "nothing was removed"
        )
    glue, s3 = glue_client(settings), s3_client(settings)
    known = Lake(glue, s3).databases()
    for name in names:
        if name not in known:
            raise UsageError(f"Glue has no database {name!r}", f"there are {', '.join(known)}")
    grace = timedelta(hours=grace_hours)
    removed: list[Removal] = []
    for one in Vacuum(glue, s3, datetime.now(UTC), grace, dry_run).run(names or known):
        removed.append(one)
        if one.directories or one.left:
            click.echo(line(one, dry_run))
    click.echo(total(removed, dry_run))


def line(one: Removal, dry_run: bool) -> str:
    """One table in one line."""
    if one.left:
        return f"{one.name}: {one.left}; left to the next run"
    return (
        f"{one.name}: {one.directories:,} directories, {one.objects:,} objects, "
        f"{one.bytes / MIB:.1f} MiB {'would be removed' if dry_run else 'removed'}"
    )


def total(removed: list[Removal], dry_run: bool) -> str:
    """The summary."""
    return (
        f"{len(removed):,} published tables; {sum(one.directories for one in removed):,} directories, "
        f"{sum(one.bytes for one in removed) / MIB:.1f} MiB "
        f"{'would be removed' if dry_run else 'removed'}; "
        f"{sum(one.kept for one in removed):,} within the grace"
    )
