"""Which external tables and partitions a statement needs."""

import pytest

from sandbox.redshift.external.references import find_references, partition_test

KEYS = (("dt", "date"), ("hour", "string"), ("n", "int"))
DAYS = [("2026-01-01", "00", "1"), ("2026-01-02", "00", "1"), ("2026-01-03", "05", "2")]


def test_a_table_is_found_under_every_way_to_name_it() -> None:
    references = find_references(
        'select * from lake.a join "warehouse"."LAKE"."B" using (x) join marts.c using (x)',
        [],
        ["lake"],
    )
    assert references.tables == {("lake", "a"), ("lake", "b")}
    assert not references.metadata


def test_tables_behind_views_are_indirect() -> None:
    references = find_references(
        "select * from marts.v join lake.a using (x)", ["select * from lake.b"], ["lake"]
    )
    assert references.tables == {("lake", "a"), ("lake", "b")}
    assert references.indirect == {("lake", "b")}


@pytest.mark.parametrize(
    "sql",
    [
        "select values from svv_external_partitions",
        "select * from pg_catalog.SVV_EXTERNAL_TABLES",
        "select * from svv_columns",
        "show tables from schema w.lake",
    ],
)
def test_metadata_is_needed_for_the_system_views(sql: str) -> None:
    assert find_references(sql, [], ["lake"]).metadata


def test_an_ordinary_statement_needs_nothing() -> None:
    assert not find_references("select 'lake.a', 1 from marts.c", [], ["lake"])


PRUNED = {
    "equal": ("select * from lake.t where dt = '2026-01-02'", [1]),
    "equal_with_a_cast": ("select * from lake.t where dt = '2026-01-02'::date and x = 1", [1]),
    "equal_with_a_typed_literal": ("select * from lake.t where dt = date '2026-01-02'", [1]),
    "range": ("select * from lake.t as t where t.dt >= '2026-01-02' and t.hour < '05'", [1]),
    "between": ("select * from lake.t where dt between '2026-01-01' and '2026-01-02'", [0, 1]),
    "in": ("select * from lake.t where (dt in ('2026-01-01', '2026-01-03'))", [0, 2]),
    "in_a_subquery": ("select * from (select * from lake.t where dt = '2026-01-01') u", [0]),
    "under_an_insert": ("insert into m select * from lake.t where dt = '2026-01-01'", [0]),
}


@pytest.mark.parametrize(("sql", "kept"), PRUNED.values(), ids=PRUNED.keys())
def test_partitions_that_a_condition_excludes_are_not_read(sql: str, kept: list[int]) -> None:
    test = partition_test(sql, "lake", "t", KEYS)
    assert test is not None
    assert [place for place, values in enumerate(DAYS) if test(values)] == kept


UNSURE = {
    "no_condition": "select * from lake.t",
    "or": "select * from lake.t where dt = '2026-01-01' or x = 1",
    "not": "select * from lake.t where not dt = '2026-01-01'",
    "not_in": "select * from lake.t where dt not in ('2026-01-01')",
    "function": "select * from lake.t where dt = dateadd(day, -1, current_date)",
    "other_table": "select * from lake.t join u on true where u.dt = '2026-01-01'",
    "number": "select * from lake.t where n = 1",
    "parameter": "select * from lake.t where dt = $1",
    "twice": "select * from lake.t where dt = '2026-01-01' union all select * from lake.t",
    "reversed": "select * from lake.t where '2026-01-01' = dt",
    "not_sql": "select * from lake.t where (",
}


@pytest.mark.parametrize("sql", UNSURE.values(), ids=UNSURE.keys())
def test_in_doubt_every_partition_is_read(sql: str) -> None:
    assert partition_test(sql, "lake", "t", KEYS) is None
