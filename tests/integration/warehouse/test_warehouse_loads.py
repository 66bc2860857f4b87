"""What a build of the project `warehouse` does to the loads, told in the order of the tests."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from warehouse_dbt import Built
from warehouse_lake import COLUMNS, Lake

Dbt = Callable[..., Built]
Query = Callable[[str], list[tuple[Any, ...]]]

DAYS = ("2026-01-02", "2026-01-03")
FUNNEL = "load_rollup_funnel_daily"


def funnel(category: str, *counts: int) -> dict[str, Any]:
    names = ("searches", "searchers", "views", "viewers", "applications", "applicants")
    return {"category": category, **dict(zip(names, counts, strict=True))}


def posting(job: str, title: str, status: str, hour: int, salary: int | None) -> dict[str, Any]:
    return {
        "job_id": job,
        "employer_id": "e1",
        "title": title,
        "category": "food",
        "city": "Zürich",
        "country": "CH",
        "salary_cents": salary,
        "currency": "CHF",
        "remote": False,
        "status": status,
        "last_event_at": datetime(2026, 1, 3, hour, 4, 5, 678000),
        "postings": 2,
    }


def outcome(variant: str, users: int, applicants: int) -> dict[str, Any]:
    return {
        "experiment_id": "button",
        "variant": variant,
        "exposures": users + 9,
        "exposed_users": users,
        "viewers": users // 2,
        "applicants": applicants,
    }


@pytest.fixture(scope="module", autouse=True)
def two_days(lake: Lake) -> None:
    for day in DAYS:
        lake.publish(
            "rollup_job_view_daily",
            day,
            [
                {"job_id": "j1", "views": 3, "viewers": 2, "view_ms": 4500},
                {"job_id": "never posted", "views": 1, "viewers": 1, "view_ms": 7},
            ],
        )
        lake.publish("rollup_funnel_daily", day, [funnel("food", 8, 5, 4, 3, 1, 1)])
        lake.publish(
            "rollup_experiment_daily",
            day,
            [outcome("control", 1000, 100), outcome("big", 1000, 130)],
        )
    lake.publish("rollup_job_posting_daily", DAYS[0], [posting("j1", "Baker", "open", 1, 70_000)])
    lake.publish(
        "rollup_job_posting_daily", DAYS[1], [posting("j1", "Bäcker 🥐", "closed", 2, None)]
    )


def test_empty_build_makes_the_tables_and_loads_nothing(dbt: Dbt, query: Query) -> None:
    built = dbt("run", "--empty", "--select", FUNNEL)

    assert built.success, built.text
    assert query(f"select count(*) from loads.{FUNNEL}") == [(0,)]


def test_first_build_loads_every_day_and_passes_its_tests(dbt: Dbt, query: Query) -> None:
    built = dbt("build")

    assert built.success, built.text
    assert "2 days loaded, 2 rows, 0 removed" in built.message(FUNNEL)
    assert query("select table_name, count(*) from loads.load_log group by 1 order by 1") == [
        ("load_rollup_experiment_daily", 2),
        (FUNNEL, 2),
        ("load_rollup_job_posting_daily", 2),
        ("load_rollup_job_view_daily", 2),
    ]


def test_marts_hold_what_the_lake_says(query: Query) -> None:
    assert query("select sum(views), sum(view_ms) from marts.fct_job_view_daily") == [(8, 9014)]
    assert query("select views_per_search, applicants_per_viewer from marts.mart_funnel_daily") == [
        (0.5, pytest.approx(1 / 3))
    ] * len(DAYS)


def test_dimension_has_the_latest_state_and_the_job_without_posting(query: Query) -> None:
    columns = "job_id, title, status, salary_cents, postings, last_event_at, first_posting_dt"
    assert query(f"select {columns} from marts.dim_job order by job_id") == [
        (
            *("j1", "Bäcker 🥐", "closed", None, 4),
            *(datetime(2026, 1, 3, 2, 4, 5, 678000), date(2026, 1, 2)),
        ),
        ("never posted", None, "unknown", None, 0, None, None),
    ]


def test_experiment_is_judged_by_the_two_proportion_z_test(query: Query) -> None:
    # 100 and 130 of 1,000: by hand, q = 0.115
    columns = "conversion_lift, z_score, difference_low, difference_high, is_significant"
    (row, *_) = query(f"select {columns} from marts.mart_experiment_daily where variant = 'big'")

    assert row[:4] == pytest.approx((0.3, 2.10274, 0.0020674, 0.0579326), rel=1e-4)
    assert row[4] is True


def test_second_build_changes_nothing(dbt: Dbt, query: Query) -> None:
    record = query("select * from loads.load_log order by 1, 2, 6")

    built = dbt("build", "--exclude", "test_type:unit")

    assert built.success, built.text
    loads = {name: built.message(name) for name in built.nodes if name.startswith("load_rollup")}
    assert set(loads.values()) == {"0 days loaded, 0 rows, 0 removed"}
    assert query("select * from loads.load_log order by 1, 2, 6") == record


def test_only_the_day_that_moved_is_loaded_again(lake: Lake, dbt: Dbt, query: Query) -> None:
    moved = lake.publish("rollup_funnel_daily", DAYS[1], [funnel("food", 80, 50, 40, 30, 10, 10)])

    built = dbt("build", "--select", f"{FUNNEL}+", "--exclude", "test_type:unit")

    assert built.success, built.text
    assert built.message(FUNNEL) == "1 days loaded, 1 rows, 0 removed"
    assert query("select dt, searches from marts.mart_funnel_daily order by dt") == [
        (date(2026, 1, 2), 8),
        (date(2026, 1, 3), 80),
    ]
    assert location_of(query, DAYS[1]) == moved


def test_unreadable_file_leaves_day_and_record_and_is_named(
    lake: Lake, dbt: Dbt, query: Query
) -> None:
    before = location_of(query, DAYS[1])
    broken = lake.publish_broken("rollup_funnel_daily", DAYS[1])

    built = dbt("run", "--select", FUNNEL)

    assert not built.success
    assert f"{FUNNEL}: 2026-01-03 from {broken}" in built.lines
    assert "part-00000.parquet" in built.text
    assert query(f"select searches from loads.{FUNNEL} where dt = '2026-01-03'") == [(80,)]
    assert location_of(query, DAYS[1]) == before


def test_day_that_left_the_lake_leaves_the_load(lake: Lake, dbt: Dbt, query: Query) -> None:
    lake.drop("rollup_funnel_daily", DAYS[1])

    built = dbt("run", "--select", FUNNEL)

    assert built.message(FUNNEL) == "0 days loaded, 0 rows, 1 removed"
    assert query(f"select dt from loads.{FUNNEL}") == [(date(2026, 1, 2),)]
    assert location_of(query, DAYS[1]) is None


def test_partition_without_a_file_is_an_error_that_changes_nothing(
    lake: Lake, dbt: Dbt, query: Query
) -> None:
    lake.publish("rollup_funnel_daily", DAYS[0], [])

    built = dbt("run", "--select", FUNNEL)

    assert "does not exist" in built.message(FUNNEL)
    assert query(f"select dt, searches from loads.{FUNNEL}") == [(date(2026, 1, 2), 8)]

    lake.publish("rollup_funnel_daily", DAYS[0], [funnel("food", 9, 6, 5, 4, 2, 1)])
    assert dbt("run", "--select", FUNNEL).success


def test_table_that_lacks_a_column_gets_it_and_its_days_again(dbt: Dbt, query: Query) -> None:
    query(f"alter table loads.{FUNNEL} drop column applicants")

    built = dbt("run", "--select", FUNNEL)

    assert built.message(FUNNEL) == "1 days loaded, 1 rows, 0 removed"
    assert query(f"select applicants from loads.{FUNNEL}") == [(1,)]


def test_any_other_change_of_columns_needs_a_full_refresh(dbt: Dbt, query: Query) -> None:
    query(f"alter table loads.{FUNNEL} rename column applicants to people")

    refused = dbt("run", "--select", FUNNEL)
    rebuilt = dbt("run", "--select", FUNNEL, "--full-refresh")

    assert "people is no longer declared" in refused.message(FUNNEL)
    assert "--full-refresh" in refused.message(FUNNEL)
    assert rebuilt.message(FUNNEL) == "1 days loaded, 1 rows, 0 removed"
    assert query(f"select applicants from loads.{FUNNEL}") == [(1,)]


def test_catalog_without_any_day_takes_nothing_away(lake: Lake, dbt: Dbt, query: Query) -> None:
    lake.drop("rollup_funnel_daily", DAYS[0])

    built = dbt("run", "--select", FUNNEL)

    assert "has no day at all, but 1 are loaded" in built.message(FUNNEL)
    assert query(f"select count(*) from loads.{FUNNEL}") == [(1,)]


def test_docs_show_the_columns_of_the_lake_too(dbt: Dbt) -> None:
    built = dbt("docs", "generate")

    assert built.success, built.text
    source = built.catalog["sources"]["source.warehouse.lake.rollup_funnel_daily"]
    assert set(source["columns"]) == {"dt", *COLUMNS["rollup_funnel_daily"]}


def location_of(query: Query, day: str) -> str | None:
    """Where the funnel's day was loaded from, by the record."""
    rows = query(
        "select location from loads.loaded_partition"
        f" where table_name = '{FUNNEL}' and dt = '{day}'"
    )
    return str(rows[0][0]) if rows else None
