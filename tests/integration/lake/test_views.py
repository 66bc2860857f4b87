"""How a view is replaced: readers always find one, and builds at once do not trip over each other."""

import json

import pytest
from lake_dbt import Probe

pytestmark = pytest.mark.sandbox

NAMES = [f"seen_{number}" for number in range(4)]


def write(probe: Probe, sql: str) -> None:
    for name in NAMES:
        probe.write_model(name, "materialized='view'", sql)


@pytest.fixture(scope="module", autouse=True)
def _described(probe: Probe) -> None:
    write(probe, "select 0 as n")
    models = [
        {
            "name": name,
            "description": "What was seen.",
            "config": {"persist_docs": {"relation": True, "columns": True}},
            "columns": [{"name": "n", "description": "Its number."}],
        }
        for name in NAMES
    ]
    (probe.project.project / "models" / "models.yml").write_text(
        json.dumps({"version": 2, "models": models})
    )


def test_two_builds_at_once_make_and_replace_views(probe: Probe) -> None:
    for turn in range(3):
        write(probe, f"select {turn} as n")
        other = probe.project.other(f"other_{turn}")
        other.output.mkdir(parents=True)
        run = other.start("run")
        built = probe.project.dbt("run")
        assert (run.wait(300), built.exit_code) == (0, 0), run.text + built.text
        for name in NAMES:
            assert probe.project.query(f"select n from {{db}}.{name}") == [(turn,)]
    assert probe.project.tables() == set(NAMES)


def test_a_view_that_is_as_its_model_says_is_left_alone(probe: Probe) -> None:
    assert probe.project.dbt("run").messages == dict.fromkeys(NAMES, "UNCHANGED")


def test_a_reader_always_finds_a_view_that_is_replaced(probe: Probe) -> None:
    with probe.project.reading("select n from {db}.seen_0") as seen:
        for turn in range(10, 14):
            write(probe, f"select {turn} as n")
            built = probe.project.dbt("run")
            assert built.exit_code == 0, built.text
    assert seen <= {(2,), (10,), (11,), (12,), (13,)}
    assert len(seen) > 2


def test_descriptions_are_those_of_the_model(probe: Probe) -> None:
    shown = probe.project.query("describe extended {db}.seen_0")
    assert ("n", "int", "Its number.") in shown
    assert "What was seen." in {row[1] for row in shown if row[0] == "Comment"}


def test_the_same_sql_over_a_table_with_a_column_more_is_another_view(probe: Probe) -> None:
    probe.project.query("create table {db}.below using parquet as select 1 as n")
    write(probe, "select * from {{ schema }}.below")
    assert probe.project.dbt("run").exit_code == 0
    probe.project.query("alter table {db}.below add columns (more int)")
    assert probe.project.dbt("run").exit_code == 0
    assert probe.project.query("select * from {db}.seen_0") == [(1, None)]


def test_a_build_that_was_killed_leaves_the_old_view_and_the_next_one_heals(probe: Probe) -> None:
    write(probe, "select 20 as n")
    probe.project.kill_once("datacore.becomes", "run")
    assert probe.project.query("select n from {db}.seen_0") in ([(1,)], [(20,)])
    healed = probe.project.dbt("run")
    assert healed.exit_code == 0, healed.text
    for name in NAMES:
        assert probe.project.query(f"select n from {{db}}.{name}") == [(20,)]


def test_what_was_left_beside_more_than_an_hour_ago_is_dropped(probe: Probe) -> None:
    probe.project.query("create view {db}.seen_0__replacing_20260101t000000_0a as select 1 as n")
    probe.project.query("create view {db}.seen_0__replacing_29990101t000000_0a as select 1 as n")
    assert probe.project.dbt("run").exit_code == 0
    left = {name for name in probe.project.tables() if name.startswith("seen_0__")}
    assert "seen_0__replacing_20260101t000000_0a" not in left
    assert "seen_0__replacing_29990101t000000_0a" in left
