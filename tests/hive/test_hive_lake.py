"""Logs to roll-ups with a Hive Metastore in Glue's place; the tests read as one story."""

import uuid
from pathlib import Path

import pytest
from lake_dbt import DbtProject, probe_of
from lake_events import FIRST, SECOND, application, exposure, land, posting, search, view

from datacore.settings import ROOT
from tests.conftest import Sandbox

pytestmark = pytest.mark.sandbox

VIEWS = (
    "select cast(dt as string), sum(views) from {db}.rollup_job_view_daily group by dt order by dt"
)


@pytest.fixture(scope="module")
def lake(on_hive: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    """The project `lake` over a few landed events."""
    folder = tmp_path_factory.mktemp("lake")
    events = [
        search(1, FIRST),
        search(2, FIRST, results="many"),
        view(4, FIRST),
        view(6, FIRST, user_id=None),
        view(7, SECOND),
        application(8, SECOND),
        posting(9, FIRST, "posted"),
    ]
    land(on_hive, folder, "marketplace", events)
    land(on_hive, folder, "experiments", [exposure(11, FIRST)])
    return DbtProject(on_hive, ROOT, f"t{uuid.uuid4().hex[:8]}", folder)


def hours(lake: DbtProject) -> dict[str, str]:
    """Each hour of the views, by day, to the directory that Spark reads it from."""
    found = {}
    for (name,) in lake.query("show partitions raw.job_view"):
        spec = ", ".join("{}='{}'".format(*part.split("=")) for part in name.split("/"))
        rows = lake.query(f"describe formatted raw.job_view partition ({spec})")
        found[name] = next(row[1] for row in rows if row[0] == "Location")
    return found


def test_what_landed_is_in_the_hive_metastore_and_nothing_in_glue(lake: DbtProject) -> None:
    assert lake.query("select count(*) from raw.job_view") == [(3,)]
    assert hours(lake).keys() == {f"dt={FIRST}/hour=05", f"dt={SECOND}/hour=05"}
    assert lake.query("select count(*) > 0 from platform.hour") == [(True,)]
    glue = lake.sandbox.glue
    for database in glue.get_databases()["DatabaseList"]:
        assert glue.get_tables(DatabaseName=database["Name"])["TableList"] == []


def test_registering_again_changes_nothing(lake: DbtProject) -> None:
    told = lake.sandbox.run("register").stdout
    assert told.startswith("tables changed 0, "), told


def test_a_day_is_made_equal_to_s3_in_both_directions(lake: DbtProject) -> None:
    right = hours(lake)
    lake.query(f"alter table raw.job_view drop partition (dt='{FIRST}', hour='05')")
    stray = right[f"dt={FIRST}/hour=05"][:-2] + "09"
    lake.query(
        f"alter table raw.job_view add partition (dt='{FIRST}', hour='09') location '{stray}'"
    )
    told = lake.sandbox.run("partitions", "repair", "--day", FIRST, "--type", "job_view").stdout
    assert "job_view: added 1, pointed elsewhere 0, dropped 1" in told
    assert hours(lake) == right


def test_the_lake_builds_and_a_late_event_builds_its_day(lake: DbtProject, tmp_path: Path) -> None:
    built = lake.dbt("build")
    assert built.exit_code == 0, built.text
    assert lake.query(VIEWS) == [(FIRST, 1), (SECOND, 1)]
    assert lake.dbt("run").messages["rollup_job_view_daily"] == "UNCHANGED"
    land(lake.sandbox, tmp_path, "marketplace", [view(20, FIRST, user_id="u2")])
    assert lake.dbt("run").messages["rollup_job_view_daily"].startswith("1 days")
    assert lake.query(VIEWS) == [(FIRST, 2), (SECOND, 1)]


def test_a_build_is_rolled_back(lake: DbtProject) -> None:
    done = lake.dbt("run-operation", "rollback", "--args", "{model: rollup_job_view_daily}")
    assert done.exit_code == 0, done.text
    assert lake.query(VIEWS) == [(FIRST, 1), (SECOND, 1)]


def test_a_sealed_hour_is_compacted_under_its_readers(lake: DbtProject) -> None:
    before = hours(lake)
    lake.sandbox.run("compact", "--type", "job_view")
    after = hours(lake)
    assert after[f"dt={FIRST}/hour=05"] != before[f"dt={FIRST}/hour=05"]
    assert lake.query("select count(*) from raw.job_view") == [(4,)]


def test_the_audit_is_clean(lake: DbtProject) -> None:
    told = lake.sandbox.run("audit", check=False)
    assert told.returncode == 0, told.stdout + told.stderr


def test_full_refresh_makes_a_table_of_other_columns_again(
    on_hive: Sandbox, tmp_path: Path
) -> None:
    probe = probe_of(on_hive, tmp_path, f"t{uuid.uuid4().hex[:8]}")
    rows = "from values (1, '2025-03-01'), (2, '2025-03-02') as days (n, dt)"
    probe.write(f"select n, 'a' as state, cast(dt as date) as dt {rows}")
    assert probe.project.dbt("run").messages == {"probe": "2 days, 2 records"}
    probe.write(f"select n, cast(dt as date) as dt {rows}")
    built = probe.project.dbt("run", "--full-refresh")
    assert built.exit_code == 0, built.text
    assert "the table is made again" in built.text
    assert [(n, str(dt)) for n, dt in probe.rows()] == [(1, "2025-03-01"), (2, "2025-03-02")]
    assert probe.project.dbt("run").messages == {"probe": "UNCHANGED"}


def test_many_days_are_moved_one_by_one(on_hive: Sandbox, tmp_path: Path) -> None:
    probe = probe_of(on_hive, tmp_path, f"t{uuid.uuid4().hex[:8]}")
    for state in ("old", "new"):
        days = "select explode(sequence(date '2025-03-01', date '2025-03-05')) as dt"
        probe.write(f"select 1 as n, '{state}' as state, dt from ({days})")
        assert probe.project.dbt("run").messages == {"probe": "5 days, 5 records"}
        assert {row[1] for row in probe.rows()} == {state}
    told = dict(probe.project.query("show tblproperties {db}.probe"))
    assert "datacore.relocate" not in told


def test_a_view_that_changed_is_replaced_by_sparks_statement(
    on_hive: Sandbox, tmp_path: Path
) -> None:
    probe = probe_of(on_hive, tmp_path, f"t{uuid.uuid4().hex[:8]}")
    for n in (1, 2):
        probe.write_model("seen", "materialized='view'", f"select {n} as n")
        built = probe.project.dbt("run")
        assert built.exit_code == 0, built.text
        assert probe.project.query("select n from {db}.seen") == [(n,)]
    assert probe.project.dbt("run").messages == {"seen": "UNCHANGED"}
    shown = probe.project.query("show views in {db}")
    assert [row[1] for row in shown] == ["seen"]
