"""What is Redshift's own way: names, types, keys, views, transactions, functions."""

from datetime import date, datetime

import pytest
from redshift_connector.error import ProgrammingError
from redshift_stand_in import Query, StandIn, error_of, query_on


def test_types_without_a_size_get_redshifts(query: Query, schema: str) -> None:
    query("create table t (a text, b decimal, c varchar(max), d char)")
    assert query(
        "select column_name, data_type, character_maximum_length, numeric_precision "
        f"from svv_columns where table_schema = '{schema}' order by 1"
    ) == [
        ["a", "character varying", 256, None],
        ["b", "numeric", None, 18],
        ["c", "character varying", 65535, None],
        ["d", "character", 1, None],
    ]


def test_names_are_folded_even_in_quotes(query: Query, schema: str) -> None:
    query('create table "MixedCase" ("Col A" int)')
    query("insert into mixedcase values (1)")
    assert query('select "COL A" from "MIXEDCASE"') == [[1]]


def test_keys_are_informational(query: Query, schema: str) -> None:
    query("create table t (id int primary key, v int unique)")
    query("insert into t values (1, 1), (1, 1)")
    with pytest.raises(ProgrammingError) as raised:
        query("insert into t values (null, 1)")
    assert error_of(raised)["M"] == "Cannot insert a NULL value into column id"


def test_text_that_is_too_long_gets_redshifts_message(query: Query, schema: str) -> None:
    query("create table t (v varchar(2))")
    with pytest.raises(ProgrammingError) as raised:
        query("insert into t values ('abc')")
    assert error_of(raised)["M"] == "Value too long for character type"


def test_identity_counts_by_its_step(query: Query, schema: str) -> None:
    query("create table t (id bigint identity(10, 5), v int)")
    query("insert into t (v) values (1), (2)")
    assert query("select id from t order by 1") == [[10], [15]]


def test_distribution_and_sort_keys_are_shown(query: Query, schema: str) -> None:
    query("create table t (a int, b int) distkey(a) sortkey(b, a)")
    info = f"select diststyle, sortkey1, sortkey_num, tbl_rows from svv_table_info where schema = '{schema}'"
    assert query(info) == [["KEY(a)", "b", 2, 0]]
    query("alter table t alter diststyle all")
    query("insert into t values (1, 2)")
    assert query(info) == [["ALL", "b", 2, 1]]
    assert query("select \"column\", distkey, sortkey from pg_table_def where tablename = 't'") == [
        ["a", True, 2],
        ["b", False, 1],
    ]


def test_truncate_commits(stand_in: StandIn, query: Query, schema: str) -> None:
    query("create table t (a int)")
    query("create table u (a int)")
    query("begin")
    query("insert into t values (1)")
    query("truncate u")
    query("rollback")
    assert query("select count(*) from t") == [[1]]


def test_an_error_in_a_transaction_needs_a_rollback(query: Query, schema: str) -> None:
    query("begin")
    with pytest.raises(ProgrammingError):
        query("select string_agg('a', 'b')")
    with pytest.raises(ProgrammingError) as raised:
        query("select 1")
    assert error_of(raised)["C"] == "25P02"
    query("rollback")
    assert query("select 1") == [[1]]


def test_a_late_binding_view_outlives_its_table(query: Query, schema: str) -> None:
    query("create table t (a int)")
    query("create view v as select a from t with no schema binding")
    query("drop table t")
    with pytest.raises(ProgrammingError) as raised:
        query("select * from v")
    assert error_of(raised)["C"] == "42P01"
    query("create table t (a int)")
    query("insert into t values (2)")
    assert query("select * from v") == [[2]]


def test_a_late_binding_view_can_come_before_its_table(query: Query, schema: str) -> None:
    query(f"create view v as select a from {schema}.later with no schema binding")
    query("create table later as select 5 as a")
    query(
        f"create or replace view v as select a, a + 1 as b from {schema}.later with no schema binding"
    )
    assert query("select a, b from v") == [[5, 6]]


def test_a_bound_view_holds_its_table(query: Query, schema: str) -> None:
    query("create table t (a int)")
    query("create view v as select a from t")
    with pytest.raises(ProgrammingError) as raised:
        query("drop table t")
    assert error_of(raised)["C"] == "2BP01"


def test_a_materialized_view_is_as_old_as_its_refresh(query: Query, schema: str) -> None:
    query("create table t (a int)")
    query("insert into t values (1)")
    query("create materialized view m sortkey(a) as select a, count(*) as n from t group by a")
    query("insert into t values (2)")
    assert query("select count(*) from m") == [[1]]
    query("refresh materialized view m")
    assert query("select count(*) from m") == [[2]]
    assert query(f"select name from svv_mv_info where schema_name = '{schema}'") == [["m"]]
    ((definition,),) = query(f"select definition from pg_views where schemaname = '{schema}'")
    assert definition.startswith("create materialized view m")
    query("drop materialized view m")
    assert query(f"select name from svv_mv_info where schema_name = '{schema}'") == []


FUNCTIONS = {
    "dateadd(month, 1, '2026-01-31'::date)": datetime(2026, 2, 28),
    "dateadd('hour', -1, '2026-01-01'::timestamp)": datetime(2025, 12, 31, 23),
    "datediff(month, '2026-01-31'::date, '2026-02-01'::date)": 1,
    "datediff(hour, '2026-01-01 00:59'::timestamp, '2026-01-01 01:00'::timestamp)": 1,
    "datediff(week, '2026-01-03'::date, '2026-01-04'::date)": 1,
    "datediff(day, '2026-01-02 23:00'::timestamp, '2026-01-03'::timestamp)": 1,
    "trunc('2026-01-02 05:00'::timestamp)": date(2026, 1, 2),
    "last_day('2024-02-03'::date)": date(2024, 2, 29),
    "add_months('2026-01-31'::date, 1)": datetime(2026, 2, 28),
    "months_between('2026-03-31'::date, '2026-02-28'::date)": 1.0,
    "next_day('2026-01-01'::date, 'Monday')": date(2026, 1, 5),
    "convert_timezone('UTC', 'Europe/Paris', '2026-07-01 10:00'::timestamp)": datetime(
        2026, 7, 1, 12
    ),
    "charindex('b', 'abc')": 2,
    "strtol('ff', 16)": 255,
    "sha2('a', 256)": "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
    "json_extract_path_text('{\"a\": {\"b\": \"c\"}}', 'a', 'b')": "c",
    "is_valid_json('{\"a\": 1}')": True,
    "nvl(null, 'x')": "x",
    "nvl2(null, 'x', 'y')": "y",
    "decode('b', 'a', 1, 'b', 2, 3)": 2,
    "len('abc')": 3,
    r"regexp_replace('a1b22', '\\d+', '')": "ab",
    r"'it\'s'": "it's",
}


@pytest.mark.parametrize(("expression", "value"), FUNCTIONS.items())
def test_function(query: Query, expression: str, value: object) -> None:
    assert query(f"select {expression}") == [[value]]


def test_aggregates_of_redshift(query: Query) -> None:
    numbers = "(select 1 as n, 'b' as t union all select 2, 'a' union all select 9, 'c')"
    assert query(
        "select listagg(t, ',') within group (order by n), median(n), approximate count(distinct n)"
        f" from {numbers}"
    ) == [["b,a,c", 2.0, 3]]
    assert query(f"select t from {numbers} qualify row_number() over (order by n desc) = 1") == [
        ["c"]
    ]


def test_parameters_reach_rewritten_statements(query: Query) -> None:
    assert query("select nvl(null, %s), dateadd(day, %s, '2026-01-01'::date)", "it's", 3) == [
        ["it's", datetime(2026, 1, 4)]
    ]


def test_settings_of_redshift_are_kept_for_the_session(stand_in: StandIn, query: Query) -> None:
    query("set query_group to 'heavy'")
    assert query("show query_group") == [["heavy"]]
    assert query("select current_setting('query_group')") == [["heavy"]]
    with stand_in.connect() as other:
        assert query_on(other)("show query_group") == [["default"]]


def test_show_lists_tables_and_columns(query: Query, schema: str) -> None:
    query("create table t (a int)")
    query("create view v as select a from t")
    assert [row[2:4] for row in query(f"show tables from schema warehouse.{schema}")] == [
        ["t", "TABLE"],
        ["v", "VIEW"],
    ]
    assert [row[3] for row in query(f"show columns from table warehouse.{schema}.t")] == ["a"]


def test_grants_are_shown(query: Query, schema: str) -> None:
    query(f"create group g_{schema}")
    query("create table t (a int)")
    query(f"grant select on t to group g_{schema}")
    assert query(
        "select privilege_type, identity_name from svv_relation_privileges "
        f"where namespace_name = '{schema}' and identity_name = 'g_{schema}'"
    ) == [["select", f"g_{schema}"]]


def test_a_statement_that_the_stand_in_cannot_honour_is_refused(query: Query) -> None:
    with pytest.raises(ProgrammingError) as raised:
        query("select * from (select 1 as a, 'x' as b) pivot (sum(a) for b in ('x'))")
    assert error_of(raised)["C"] == "0A000"
    assert "PIVOT" in error_of(raised)["M"]
