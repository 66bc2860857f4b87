"""`datacore type`: check contracts, list data types, write dbt's sources.

Comes in: a directory of contracts. Goes out: tables on stdout, `_sources.yml` files. Reads and
writes files of the checkout only; no service is called.
"""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import click

from datacore.contracts.model import Contract
from datacore.contracts.problems import shown
from datacore.contracts.read import KAFKA_TIME, load_contracts
from datacore.contracts.sources import dbt_sources
from datacore.errors import DifferenceFound, UsageError
from datacore.settings import ROOT, load_settings

_DIRECTORY = click.Path(path_type=Path)


@click.group("type")
def type_() -> None:
    """Data types: what the contracts promise, checked and put to use.

    The contracts are read from --contracts, else DATACORE_CONTRACTS, else contracts/ of the
    checkout. docs/contracts.md shows how to add a log type.
    """


@type_.command()
@click.argument("directory", type=_DIRECTORY, required=False)
@click.option("--contracts", type=_DIRECTORY, help="The same as DIRECTORY.")
def check(directory: Path | None, contracts: Path | None) -> None:
    """Check all contracts; name every mistake with file, line and field.

    \b
    Exit codes: 0 all are valid, 2 there are mistakes.
    """
    _print_table(_load(directory or contracts))


@type_.command("list")
@click.option("--contracts", type=_DIRECTORY, help="Directory of the contracts.")
def list_(contracts: Path | None) -> None:
    """List the data types, one name a line."""
    for contract in _load(contracts):
        click.echo(contract.name)


@type_.command()
@click.option("--contracts", type=_DIRECTORY, help="Directory of the contracts.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write all types to this one file, not a file a domain.",
)
@click.option(
    "--check", "only_check", is_flag=True, help="Write nothing; exit 1 if a file differs."
)
def sources(contracts: Path | None, out: Path | None, only_check: bool) -> None:
    """Write dbt's sources: dbt_project/lake/staging/<domain>/_sources.yml.

    \b
    Exit codes: 0 written or equal, 1 --check found a difference, 2 a contract is wrong.
    """
    differing = []
    for file, text in _source_files(_load(contracts), out).items():
        if file.is_file() and file.read_text(encoding="utf-8") == text:
            click.echo(f"{shown(file)}: equal to the contracts")
        elif only_check:
            differing.append(shown(file))
        else:
            _write(file, text)
            click.echo(f"{shown(file)}: written")
    if differing:
        raise DifferenceFound(
            f"{', '.join(differing)}: not what the contracts say", "run `datacore type sources`"
        )


def _load(directory: Path | None) -> tuple[Contract, ...]:
    return load_contracts(directory or load_settings().contracts)


def _source_files(contracts: Iterable[Contract], out: Path | None) -> dict[Path, str]:
    if out:
        return {out: dbt_sources(contracts)}
    by_domain: dict[str, list[Contract]] = defaultdict(list)
    for contract in contracts:
        by_domain[contract.domain].append(contract)
    staging = ROOT / "dbt_project" / "lake" / "staging"
    return {
        staging / domain / "_sources.yml": dbt_sources(types) for domain, types in by_domain.items()
    }


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{shown(file)}: cannot be written: {error.strerror}", "give another --out"
        ) from error


def _print_table(contracts: tuple[Contract, ...]) -> None:
    """A line a type, padded by hand so that no terminal or pipe cuts a name."""
    rows = [("data type", "version", "columns", "records", "event time", "event id", "owner")]
    for contract in contracts:
        match = f" where {contract.match.field} = {contract.match.value}" if contract.match else ""
        rows.append(
            (
                contract.name,
                contract.version,
                str(len(contract.columns)),
                contract.topic + match,
                contract.event_time or KAFKA_TIME,
                ", ".join(contract.event_id),
                contract.owner,
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(row, widths, strict=True)
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in cells).rstrip())
    click.echo(f"valid contracts: {len(contracts)}")
