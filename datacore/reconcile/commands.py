"""`datacore reconcile`: the equations as a table, or as JSON.

Comes in: nothing but settings and, optionally, a producer's truth. Goes out: exit code 0 if every
equation holds, 1 with each difference in words otherwise.
"""

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from datacore.errors import DifferenceFound
from datacore.reconcile.equations import Reconciliation
from datacore.reconcile.read import reconcile as read
from datacore.settings import load_settings

UNKNOWN = "·"
"""Stands where nobody counted."""


def _number(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def _same(totals: dict[str, int]) -> str:
    """One number where all measures agree, else all of them."""
    return " ≠ ".join(_number(total) for total in dict.fromkeys(totals.values())) or UNKNOWN


def _mark(differences: list[str]) -> str:
    return "[red]differs[/]" if differences else "[green]equal[/]"


def types_table(result: Reconciliation) -> Table:
    """A row a data type, then a row a topic."""
    table = Table(
        title="produced = landed + quarantined; landed = staged + rejected + duplicates; staged = rolled up = loaded",
        title_justify="left",
    )
    table.add_column("data type")
    for name in (
        "produced",
        "quarantined",
        "landed",
        "staged",
        "rejected",
        "duplicates",
        "rolled up",
        "loaded",
    ):
        table.add_column(name, justify="right")
    table.add_column("")
    for one in result.types:
        differences = one.differences()
        table.add_row(
            one.data_type,
            _number(one.produced),
            _number(one.quarantined),
            _number(one.landed),
            _number(one.staged),
            _number(one.rejected),
            _number(one.duplicates),
            _same(dict(one.rolled_up)),
            _same(dict(one.loaded)),
            _mark(differences),
            style="red" if differences else None,
        )
    table.add_section()
    for topic in result.topics:
        differences = topic.differences()
        table.add_row(
            f"topic {topic.topic}",
            _number(topic.produced),
            _number(topic.quarantined),
            _number(topic.landed),
            *("",) * 5,
            _mark(differences),
            style="red" if differences else None,
        )
    return table


def rollups_table(result: Reconciliation) -> Table:
    """A row a roll-up; every measure of every day was compared."""
    table = Table(title="roll-ups, day by day and measure by measure", title_justify="left")
    for name in ("roll-up", "days", "rows", "compared with"):
        table.add_column(name, justify="left" if name in ("roll-up", "compared with") else "right")
    table.add_column("")
    for one in result.rollups:
        differences = one.differences()
        sides = [
            name
            for name, days in (("Redshift", one.warehouse), ("truth", one.truth))
            if days is not None
        ]
        table.add_row(
            one.table,
            f"{len(one.lake):,}",
            f"{one.total('rows'):,}",
            ", ".join(sides) or UNKNOWN,
            _mark(differences),
            style="red" if differences else None,
        )
    return table


@click.command()
@click.option(
    "--truth",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What the producers know they wrote (truth.json of `datacore simulate`).",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def reconcile(truth: Path | None, as_json: bool) -> None:
    """The ledger's equations, a row a data type; exit 1 on any difference."""
    result = read(load_settings(), truth)
    differences = result.differences()
    if as_json:
        click.echo(json.dumps(result.to_json(), indent=2))
    else:
        console = Console(width=None if Console().is_terminal else 160)
        console.print(types_table(result))
        console.print(rollups_table(result))
        for difference in differences:
            console.print(f"[red]{difference}")
    if differences:
        raise DifferenceFound(
            f"{len(differences)} equations do not hold",
            "docs/reconcile.md says where to look for each",
        )
