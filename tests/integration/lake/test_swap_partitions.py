"""How a table is published: what readers see, what is refused, what a killed build leaves.

The tests read as one story about one table; each writes its model and builds its days.
"""

import json
from contextlib import suppress

import pytest
from lake_dbt import Probe
from pyhive.exc import OperationalError

pytestmark = pytest.mark.sandbox

DAYS = "{days: [2025-03-01, 2025-03-02]}"
ROWS = """
select n, {more} cast(dt as date) as dt
from values (1, '2025-03-01'), (2, '2025-03-01'), (1, '2025-03-02') as days (n, dt)
"""


@pytest.fixture(scope="module", autouse=True)
def _published(probe: Probe) -> None:
    probe.write(ROWS.format(more=""))
    built = probe.project.dbt("run")
    assert built.exit_code == 0, built.text
    assert built.messages == {"probe": "2 days, 3 records"}


def test_added_column_is_swapped_in(probe: Probe) -> None:
    probe.write(ROWS.format(more="n * 2 as twice,"))
    built = probe.project.dbt("run", "--vars", "{days: [2025-03-02, 2025-03-02]}")
    assert built.exit_code == 0, built.text
    assert [(n, twice) for n, twice, _ in probe.rows()] == [(1, None), (2, None), (1, 2)]


@pytest.mark.parametrize(
    ("more", "fact"),
    [("", "column twice int is gone"), ("'two' as twice,", "column twice int became string")],
)
def test_lost_column_is_refused(probe: Probe, more: str, fact: str) -> None:
    before = probe.rows()
    probe.write(ROWS.format(more=more))
    built = probe.project.dbt("run", "--vars", DAYS)
    assert built.exit_code == 1
    assert fact in built.text
    assert "--full-refresh" in built.text
    assert probe.rows() == before


def test_full_refresh_takes_the_new_shape_and_its_readers_always_have_all_days(
    probe: Probe,
) -> None:
    probe.write(ROWS.format(more="'two' as twice,"))
    with probe.project.reading("select count(*), count(distinct dt) from {db}.probe") as seen:
        built = probe.project.dbt("run", "--full-refresh")
    assert built.exit_code == 0, built.text
    assert [(n, twice) for n, twice, _ in probe.rows()] == [(1, "two"), (2, "two"), (1, "two")]
    assert seen == {(3, 2)}
    assert probe.project.tables() == {"probe"}


def test_a_new_shape_whose_build_was_killed_shows_no_wrong_value_and_one_build_heals_it(
    probe: Probe,
) -> None:
    probe.write(ROWS.format(more="n * 3 as twice,"))
    probe.project.kill_once("set location", "run", "--full-refresh")
    for day, new in (("2025-03-01", {(3,), (6,)}), ("2025-03-02", {(3,)})):
        # a day that is not swapped yet holds text where the table now says int
        with suppress(OperationalError):
            rows = probe.project.query(f"select twice from {{db}}.probe where dt = date '{day}'")
            assert set(rows) == new
    built = probe.project.dbt("run")
    assert built.messages == {"probe": "2 days, 3 records"}, built.text
    assert [(n, twice) for n, twice, _ in probe.rows()] == [(1, 3), (2, 6), (1, 3)]
    probe.write(ROWS.format(more="'two' as twice,"))
    assert probe.project.dbt("run", "--full-refresh").exit_code == 0


def test_repeated_key_is_not_published(probe: Probe) -> None:
    before = probe.rows()
    same = ROWS.format(more="'three' as twice,")
    probe.write(f"{same} union all {same}")
    built = probe.project.dbt("run", "--vars", DAYS)
    assert built.exit_code == 1
    assert "4 records have 2 keys (dt, n)" in built.text
    assert probe.rows() == before


def test_day_without_rows_leaves_the_table(probe: Probe) -> None:
    probe.write(ROWS.format(more="'two' as twice,") + " where dt != '2025-03-02'")
    built = probe.project.dbt("run", "--vars", DAYS)
    assert built.exit_code == 0, built.text
    assert list(probe.project.locations("probe")) == ["2025-03-01"]


def test_killed_build_leaves_the_old_day_and_the_next_one_heals(probe: Probe) -> None:
    before = probe.rows()
    probe.write(ROWS.format(more="'four' as twice,"))
    probe.project.kill_once("create table {db}.probe__building", "run", "--vars", DAYS)
    assert probe.rows() == before
    built = probe.project.dbt("run", "--vars", DAYS)
    assert built.exit_code == 0, built.text
    assert {twice for _, twice, _ in probe.rows()} == {"four"}
    assert probe.project.tables() == {"probe"}


def test_reader_sees_a_day_as_it_was_or_as_it_is(probe: Probe) -> None:
    with probe.project.reading(
        "select count(*), count(distinct twice), max(twice) from {db}.probe where dt = date '2025-03-01'"
    ) as seen:
        for state in ("five", "six"):
            probe.write(ROWS.format(more=f"'{state}' as twice,"))
            assert probe.project.dbt("run", "--vars", DAYS).exit_code == 0
    assert {row[:2] for row in seen} == {(2, 1)}
    assert {row[2] for row in seen} <= {"four", "five", "six"}
    assert len({row[2] for row in seen}) > 1


def test_many_days_are_moved_by_one_statement_and_back(probe: Probe) -> None:
    by_day = "materialized='incremental', incremental_strategy='swap_partitions', partition_by='dt'"
    days = "select explode(sequence(date '2025-03-01', date '2025-05-31')) as dt"

    def seen() -> list[tuple[object, ...]]:
        return probe.project.query("select state, count(*), count(distinct dt) from {db}.many group by state")  # fmt: skip

    for state in ("old", "new"):
        probe.write_model("many", by_day, f"select '{state}' as state, dt from ({days})")
        built = probe.project.dbt("run", "-s", "many", "--full-refresh")
        assert built.messages == {"many": "92 days, 92 records"}, built.text
        assert seen() == [(state, 92, 92)]
    log = (probe.project.output / "dbt.log").read_text()
    assert log.count("'datacore.relocate'") == 1
    assert "set location" not in log
    assert probe.project.dbt("run-operation", "rollback", "--args", "{model: many}").exit_code == 0
    assert seen() == [("old", 92, 92)]
    told = dict(probe.project.query("show tblproperties {db}.many"))
    assert "datacore.relocate" not in told


def test_unpartitioned_table_is_swapped_whole(probe: Probe) -> None:
    locations = []
    for state in ("old", "new"):
        probe.write_model("whole", "materialized='table'", f"select '{state}' as state")
        built = probe.project.dbt("run", "-s", "whole")
        assert built.messages == {"whole": "1 records"}, built.text
        table = probe.project.sandbox.glue.get_table(
            DatabaseName=probe.project.database, Name="whole"
        )
        locations.append(table["Table"]["StorageDescriptor"]["Location"])
        assert probe.project.query("select state from {db}.whole") == [(state,)]
    assert len(set(locations)) == 2


def test_an_unpartitioned_table_takes_a_new_shape_and_is_never_away(probe: Probe) -> None:
    probe.write_model("shaped", "materialized='table'", "select 1 as n, 'old' as state")
    assert probe.project.dbt("run", "-s", "shaped").exit_code == 0
    probe.write_model("shaped", "materialized='table'", "select 'new' as n")
    with probe.project.reading("select * from {db}.shaped") as seen:
        built = probe.project.dbt("run", "--full-refresh", "-s", "shaped")
    assert built.messages == {"shaped": "1 records"}, built.text
    assert (1, "old") in seen
    assert seen <= {(1, "old"), ("new",)}
    assert probe.project.query("select * from {db}.shaped") == [("new",)]


def test_an_enforced_contract_is_kept(probe: Probe) -> None:
    columns = [{"name": "state", "data_type": "string"}, {"name": "n", "data_type": "int"}]
    described = {"models": [{"name": "held", "columns": columns}]}
    (probe.project.project / "models" / "held.yml").write_text(json.dumps(described))
    config = "materialized='table', contract={'enforced': True}"
    probe.write_model("held", config, "select 1 as n, 'a' as state")
    built = probe.project.dbt("run", "-s", "held")
    assert built.exit_code == 0, built.text
    assert probe.project.query("select * from {db}.held") == [("a", 1)], "in the contract's order"
    probe.write_model("held", config, "select 'two' as n, 'b' as state")
    wrong = probe.project.dbt("run", "-s", "held")
    assert wrong.exit_code == 1
    assert "has an enforced contract that failed" in wrong.text
    assert probe.project.query("select * from {db}.held") == [("a", 1)]


def test_an_enforced_contract_is_kept_by_day_too(probe: Probe) -> None:
    columns = [{"name": "dt", "data_type": "date"}, {"name": "n", "data_type": "int"}]
    described = {"models": [{"name": "daily", "columns": columns}]}
    (probe.project.project / "models" / "daily.yml").write_text(json.dumps(described))
    by_day = "materialized='incremental', incremental_strategy='swap_partitions', partition_by='dt'"
    config = f"{by_day}, on_schema_change='append_new_columns', contract={{'enforced': True}}"
    probe.write_model("daily", config, "select 1 as n, date '2025-03-01' as dt")
    built = probe.project.dbt("run", "-s", "daily")
    assert built.messages == {"daily": "1 days, 1 records"}, built.text
    probe.write_model("daily", config, "select 'two' as n, date '2025-03-01' as dt")
    wrong = probe.project.dbt("run", "-s", "daily")
    assert wrong.exit_code == 1
    assert "has an enforced contract that failed" in wrong.text


def test_descriptions_that_change_reach_the_catalog_without_a_build(probe: Probe) -> None:
    table, column = 'Bob\'s \\ "orders"', "The first line;\nthe \\ second."
    by_day = "materialized='incremental', incremental_strategy='swap_partitions', partition_by='dt'"
    config = f"{by_day}, persist_docs={{'relation': true}}"
    probe.write_model("told", config, "select 1 as n, 'a' as state, date '2025-03-01' as dt")

    def build(description: str, **columns: str) -> dict[str, str]:
        listed = [{"name": name, "description": text} for name, text in columns.items()]
        model = {"name": "told", "description": description, "columns": listed}
        (probe.project.project / "models" / "told.yml").write_text(json.dumps({"models": [model]}))
        built = probe.project.dbt("run", "-s", "told")
        assert built.exit_code == 0, built.text
        return built.messages

    def told() -> tuple[str, dict[str, str]]:
        rows = probe.project.query("describe extended {db}.told")
        (comment,) = [row[1] for row in rows if row[0] == "Comment"]
        return comment, {name: text or "" for name, _, text in rows[:2]}

    assert build(table, n=column) == {"told": "1 days, 1 records"}
    assert told() == (table, {"n": column, "state": ""})
    assert build(column, state=table) == {"told": "UNCHANGED"}
    assert told() == (column, {"n": "", "state": table})
    assert build(column, state=table) == {"told": "UNCHANGED"}
    log = (probe.project.output / "dbt.log").read_text()
    assert "comment" not in log.split("Began running node")[-1], "nothing is said twice"


def test_a_table_that_is_swapped_whole_refuses_partitions(probe: Probe) -> None:
    probe.write_model("parted", "materialized='table', partition_by='n'", "select 1 as n")
    built = probe.project.dbt("run", "-s", "parted")
    assert built.exit_code == 1
    assert "leave `partition_by` out" in built.text
    assert "parted" not in probe.project.tables()


def test_what_dbt_spark_makes_again_holds_nothing_of_before(probe: Probe) -> None:
    root = probe.project.project
    (root / "seeds").mkdir()
    described = {"seeds": [{"name": "sown", "config": {"location_root": root_of(probe)}}]}
    (root / "seeds" / "sown.yml").write_text(json.dumps(described))
    for number in (1, 2):
        (root / "seeds" / "sown.csv").write_text(f"n\n{number}\n")
        config = "materialized='incremental', incremental_strategy='append', file_format='parquet'"
        probe.write_model("appended", config, f"select {number} as n")
        built = probe.project.dbt("build", "--full-refresh", "-s", "sown", "appended")
        assert built.exit_code == 0, built.text
    assert probe.project.query("select n from {db}.appended") == [(2,)]
    assert probe.project.query("select n from {db}.sown") == [(2,)]


def root_of(probe: Probe) -> str:
    """Where the tables of the project's database lie."""
    return f"s3://{probe.project.sandbox.env['DATACORE_LAKE_BUCKET']}/{probe.project.database}"
