"""The main job, from log files to reconciled marts, on a sandbox of its own, and what is left of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from datacore.errors import ExitCode
from tests.conftest import Sandbox, running_sandbox
from tests.jdbc import beeline

pytestmark = pytest.mark.sandbox

DEMO_LIMIT = 1200
"""Seconds; a tenth of it on a machine that does nothing else."""
TYPES = {"experiment_exposure", "job_application", "job_posting", "job_view", "search"}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("demo") / "sandbox") as running:
        yield running


def sums(platform: Sandbox, table: str) -> list[tuple[str, int]]:
    """Rows by day, through PyHive."""
    with platform.thrift() as connection, connection.cursor() as cursor:
        cursor.execute(f"select cast(dt as string), count(*) from {table} group by dt order by dt")
        return [tuple(row) for row in cursor.fetchall()]


def test_reconcile_says_what_has_to_be_built_first(platform: Sandbox) -> None:
    done = platform.run("reconcile", check=False)
    assert done.returncode == ExitCode.USAGE
    assert "dbt build" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.timeout(DEMO_LIMIT)
def test_every_line_of_the_files_is_accounted_for_up_to_the_marts(platform: Sandbox) -> None:
    shown = platform.run("demo", "--events", "3000", "--seed", "7", limit=DEMO_LIMIT).stdout
    for name in TYPES:
        row = next(line for line in shown.splitlines() if line.startswith(f"│ {name} "))
        assert "equal" in row
    assert "differs" not in shown


def test_the_demo_refuses_to_count_over_somebody_elses_records(
    platform: Sandbox, tmp_path: Path
) -> None:
    kept = platform.state / "demo"
    kept.rename(tmp_path / "demo")
    try:
        done = platform.run("demo", "--events", "10", check=False)
        assert done.returncode == ExitCode.USAGE
        assert "already holds records" in done.stderr
    finally:
        (tmp_path / "demo").rename(kept)


@pytest.mark.parametrize("table", ["raw.job_view", "lake.rollup_job_view_daily"])
def test_jdbc_and_pyhive_read_the_same_rows(platform: Sandbox, table: str) -> None:
    rows = beeline(platform, f"select dt, count(*) as n from {table} group by dt order by dt")
    assert rows
    assert [(row["dt"], int(row["n"])) for row in rows] == sums(platform, table)
