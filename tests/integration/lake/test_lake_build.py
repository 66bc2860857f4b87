"""The lake built from landed events: what is staged and rejected, and what a build costs.

The tests read as one story: the fixture's build, then a late event, then a backfill.
"""

import json
import re
from pathlib import Path

import pytest
from lake_dbt import DbtProject
from lake_events import FIRST, SECOND, land, view

pytestmark = pytest.mark.sandbox

BY_DAY = (
    "int_user_activity_daily",
    "int_experiment_user_daily",
    "rollup_job_view_daily",
    "rollup_job_posting_daily",
    "rollup_funnel_daily",
    "rollup_experiment_daily",
    "ledger_daily",
)
DAYS = f"dt in (date '{FIRST}', date '{SECOND}')"


def test_dbts_own_tests_hold(lake: DbtProject) -> None:
    tested = lake.dbt("test")
    assert tested.exit_code == 0, tested.text


def test_rejects_name_field_reason_and_value(lake: DbtProject) -> None:
    columns = "cast(dt as string), field, reason, value"
    searches = lake.query(
        f"select {columns} from {{db}}.stg_marketplace__search_rejects where {DAYS}"
    )
    views = lake.query(
        f"select {columns} from {{db}}.stg_marketplace__job_view_rejects where {DAYS}"
    )
    assert searches == [(FIRST, "results", "type", "many")]
    assert sorted(views, key=lambda row: str(row[1])) == [
        (FIRST, "duration_ms", "type", str(2**70)),
        (FIRST, "user_id", "missing", None),
    ]


@pytest.mark.parametrize("columns", ["count(*)", "count(device)", "count(struct(*))"])
def test_queries_of_any_columns_agree_on_which_records_fit(lake: DbtProject, columns: str) -> None:
    staged = lake.query(f"select {columns} from {{db}}.stg_marketplace__job_view where {DAYS}")
    rejected = lake.query(
        f"select {columns.replace('device', 'record')} from {{db}}.stg_marketplace__job_view_rejects"
        f" where {DAYS}"
    )
    landed = lake.query(f"select count(*) from raw.job_view where {DAYS}")
    assert (staged, rejected, landed) == ([(2,)], [(2,)], [(4,)])


def test_ledger_accounts_for_every_landed_record(lake: DbtProject) -> None:
    ledger = lake.query(
        "select landed, staged, rejected, duplicates from {db}.ledger_daily"
        f" where data_type = 'search' and {DAYS} order by dt"
    )
    assert ledger == [(3, 1, 1, 1), (1, 1, 0, 0)]


def test_rollups_hold_the_days_numbers(lake: DbtProject) -> None:
    funnel = lake.query(
        "select searches, searchers, views, viewers, applications, applicants"
        f" from {{db}}.rollup_funnel_daily where {DAYS} order by dt"
    )
    experiment = lake.query(
        "select exposures, exposed_users, viewers, applicants"
        f" from {{db}}.rollup_experiment_daily where {DAYS} order by dt"
    )
    posting = lake.query(
        f"select status, postings from {{db}}.rollup_job_posting_daily where {DAYS} order by dt"
    )
    assert funnel == [(1, 1, 1, 1, 0, 0), (1, 1, 1, 1, 1, 1)]
    assert experiment == [(1, 1, 1, 0), (1, 1, 1, 1)]
    assert posting == [("open", 1), ("closed", 1)]


def test_every_model_reads_only_the_days_that_it_builds(lake: DbtProject) -> None:
    manifest = json.loads((lake.output / "manifest.json").read_text())
    for model in BY_DAY:
        node = manifest["nodes"][f"model.lake.{model}"]
        sql = (lake.output / "compiled" / "lake" / Path(node["original_file_path"])).read_text()
        plan = lake.query(f"explain select * from ({sql}) where dt in (date '{FIRST}')")[0][0]
        scans = re.findall(r"FileScan (?:json|parquet) .*", plan)
        assert scans, plan
        assert [
            scan for scan in scans if not re.search(r"PartitionFilters: \[[^\]]*dt#", scan)
        ] == []


def test_second_build_changes_nothing(lake: DbtProject) -> None:
    before = {table: lake.locations(table) for table in BY_DAY}
    built = lake.dbt("run")
    assert built.exit_code == 0, built.text
    assert {table: built.messages[table] for table in BY_DAY} == dict.fromkeys(BY_DAY, "UNCHANGED")
    assert {table: lake.locations(table) for table in BY_DAY} == before


def test_late_event_builds_its_day_in_the_models_downstream_only(
    lake: DbtProject, tmp_path: Path
) -> None:
    before = {table: lake.locations(table) for table in BY_DAY}
    land(lake.sandbox, tmp_path, "marketplace", [view(20, FIRST, user_id="u2")])
    built = lake.dbt("run")
    assert built.exit_code == 0, built.text
    after = {table: lake.locations(table) for table in BY_DAY}
    changed = {
        table: [day for day in after[table] if after[table][day] != before[table].get(day)]
        for table in BY_DAY
    }
    unaffected = {"rollup_job_posting_daily": []}
    assert changed == {**{key: [FIRST] for key in BY_DAY}, **unaffected}
    views = f"select sum(views) from {{db}}.rollup_funnel_daily where dt = date '{FIRST}'"
    assert lake.query(views) == [(2,)]


def test_backfill_builds_the_days_asked_for(lake: DbtProject) -> None:
    before = lake.locations("rollup_job_posting_daily")
    built = lake.dbt(
        "run", "-s", "rollup_job_posting_daily", "--vars", f"{{days: [{SECOND}, {SECOND}]}}"
    )
    assert built.messages == {"rollup_job_posting_daily": "1 days, 1 records"}
    after = lake.locations("rollup_job_posting_daily")
    assert [day for day in after if after[day] != before[day]] == [SECOND]


def test_wrong_backfill_says_what_is_meant(lake: DbtProject) -> None:
    built = lake.dbt("run", "-s", "rollup_job_posting_daily", "--vars", "{days: [yesterday]}")
    assert built.exit_code == 1
    assert "is not [from, to] with two ISO dates" in built.text
