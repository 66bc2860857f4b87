"""Trino with its own Glue client beside Spark: the same tables, the same answers."""

import sys
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import trino
from trino_server import trino_server

from datacore.settings import ROOT
from sandbox.ports import HOST, free_ports
from tests.conftest import Sandbox

sys.path.append(str(ROOT / "tests" / "integration" / "lake"))  # events, and dbt as analysts run it

from lake_dbt import DbtProject
from lake_events import FIRST, SECOND, land, search, view

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def lake(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    """The views' roll-up over a few landed events."""
    folder = tmp_path_factory.mktemp("lake")
    events = [view(4, FIRST), view(5, FIRST, user_id="u2"), view(7, SECOND), search(1, FIRST)]
    land(sandbox, folder, "marketplace", events)
    project = DbtProject(sandbox, ROOT, f"t{uuid.uuid4().hex[:8]}", folder)
    built = project.dbt("run", "-s", "+rollup_job_view_daily")
    assert built.exit_code == 0, built.text
    return project


@pytest.fixture(scope="module")
def cursor(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Trino, asked as an analyst asks it."""
    (port,) = free_ports(1)
    with trino_server(tmp_path_factory.mktemp("trino"), port, sandbox.env):
        connection = trino.dbapi.connect(host=HOST, port=port, user="analyst", catalog="lake")
        yield connection.cursor()
        connection.close()


def both(lake: DbtProject, cursor: Any, query: str) -> list[tuple[Any, ...]]:
    """The rows of Trino, which must be those of Spark."""
    cursor.execute(query.replace("{db}", lake.database))
    # PyHive gives days as text
    found = [
        tuple(value.isoformat() if isinstance(value, date) else value for value in row)
        for row in cursor.fetchall()
    ]
    assert found == lake.query(query)
    return found


def test_raw_json_is_read_by_the_openx_serde(lake: DbtProject, cursor: Any) -> None:
    columns = "event_id, user_id, category, duration_ms, hour"
    query = f"select {columns} from raw.job_view where dt = date '{FIRST}' order by event_id"
    assert len(both(lake, cursor, query)) == 2
    named = "select query, results from raw.search where dt is not null"
    assert both(lake, cursor, named) == [("日本", 3)]


def test_the_ledger_is_read_with_its_nested_fields(lake: DbtProject, cursor: Any) -> None:
    cursor.execute(
        "select touched.data_type, touched.dt, sum(touched.records) from platform.hour"
        " cross join unnest(hours) as touched where topic = 'marketplace'"
        " and data_type = 'job_view' group by 1, 2 order by 2"
    )
    assert [tuple(row) for row in cursor.fetchall()] == [
        ("job_view", FIRST, 2),
        ("job_view", SECOND, 1),
    ]


def test_roll_ups_are_read_before_and_after_a_swap_and_a_rollback(
    lake: DbtProject, cursor: Any, tmp_path: Path
) -> None:
    query = "select dt, sum(views) from {db}.rollup_job_view_daily group by dt order by dt"
    assert [row[1] for row in both(lake, cursor, query)] == [2, 1]
    land(lake.sandbox, tmp_path, "marketplace", [view(20, FIRST, user_id="u3")])
    assert lake.dbt("run", "-s", "+rollup_job_view_daily").exit_code == 0
    assert [row[1] for row in both(lake, cursor, query)] == [3, 1]
    arguments = f"{{model: rollup_job_view_daily, dt: {FIRST}}}"
    assert lake.dbt("run-operation", "rollback", "--args", arguments).exit_code == 0
    assert [row[1] for row in both(lake, cursor, query)] == [2, 1]
