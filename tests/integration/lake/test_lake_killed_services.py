"""Spark and the metastore are killed while a build works; readers have whole days, one build heals."""

import os
import signal
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from lake_dbt import DbtProject, Probe, probe_of

from sandbox.state import State

if TYPE_CHECKING:
    from tests.conftest import Sandbox

pytestmark = pytest.mark.sandbox

DAYS = ("2025-03-01", "2025-03-02")
ALL = "{days: [2025-03-01, 2025-03-02]}"
PARTS = ("thrift", "metastore")
STATEMENTS = (
    "create table {db}.probe__building",
    "create view if not exists {db}.probe__publishing",
    "set location",
)
"""Before, at and after the moment at which readers begin to see a build."""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Sandbox"]:
    """A sandbox whose parts may be killed."""
    from tests.conftest import running_sandbox

    state = tmp_path_factory.mktemp("killed") / "sandbox"
    with running_sandbox(state, "aws", "metastore", "thrift") as running:
        yield running


@pytest.fixture(scope="module")
def killed(own: "Sandbox", tmp_path_factory: pytest.TempPathFactory) -> Probe:
    made = probe_of(own, tmp_path_factory.mktemp("killed-probe"), f"t{uuid.uuid4().hex[:8]}")
    made.write(rows_of("first"))
    assert made.project.dbt("run").exit_code == 0
    return made


def rows_of(state: str) -> str:
    values = ", ".join(f"({n}, '{day}')" for day in DAYS for n in (1, 2))
    return (
        f"select n, '{state}' as state, cast(dt as date) as dt from values {values} as days (n, dt)"
    )


def states(probe: Probe) -> set[str]:
    """The days' states; each day must be whole."""
    found = probe.project.query(
        "select count(*), count(distinct state), max(state) from {db}.probe group by dt"
    )
    assert [row[:2] for row in found] == [(2, 1)] * len(DAYS), found
    return {row[2] for row in found}


def kill(project: DbtProject, part: str) -> None:
    run = State(project.sandbox.state).read_run()
    assert run is not None
    os.kill(run.pids[part], signal.SIGKILL)


@pytest.mark.parametrize("statement", STATEMENTS)
@pytest.mark.parametrize("part", PARTS)
def test_one_build_heals_what_a_killed_service_left(
    killed: Probe, part: str, statement: str
) -> None:
    before = states(killed)
    killed.write(rows_of(f"{part} {statement[:11]}"))
    build = killed.project.start_until(statement, "run", "--vars", ALL)
    kill(killed.project, part)
    killed.project.sandbox.run("sandbox", "restart", part)
    build.wait(300)
    assert "Traceback" not in build.text
    assert states(killed) <= before | {f"{part} {statement[:11]}"}
    healed = killed.project.dbt("run", "--vars", ALL)
    assert healed.exit_code == 0, healed.text
    assert states(killed) == {f"{part} {statement[:11]}"}
    assert killed.project.tables() == {"probe"}
