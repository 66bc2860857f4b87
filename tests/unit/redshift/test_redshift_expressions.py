"""Expressions of Redshift in PostgreSQL's words."""

import pytest

from sandbox.redshift.errors import RedshiftError
from sandbox.redshift.sql.expressions import rewrite_query

REWRITTEN = {
    "dateadd_takes_a_bare_part": (
        "select dateadd(d, 1, x)",
        "SELECT DATEADD('day', 1, x)",
    ),
    "nested_date_functions_are_both_rewritten": (
        "select dateadd(mon, datediff(yr, a, b), c)",
        "SELECT DATEADD('month', DATEDIFF('year', a, b), c)",
    ),
    "date_trunc_keeps_its_quoted_part": (
        "select date_trunc('mon', x), len(y)",
        "SELECT DATE_TRUNC('month', x), LENGTH(y)",
    ),
    "extract_knows_short_parts": (
        "select extract(dw from x)",
        "SELECT EXTRACT(dow FROM x)",
    ),
    "nvl_is_coalesce": ("select nvl(a, b, c)", "SELECT COALESCE(a, b, c)"),
    "nvl2_is_a_case": (
        "select nvl2(a, 1, 2)",
        "SELECT CASE WHEN NOT a IS NULL THEN 1 ELSE 2 END",
    ),
    "decode_compares_null_with_null": (
        "select decode(a, null, 0, 1, 2, 9)",
        "SELECT CASE WHEN a IS NOT DISTINCT FROM NULL THEN 0 WHEN a = 1 THEN 2 ELSE 9 END",
    ),
    "listagg_is_string_agg_in_order": (
        "select listagg(distinct a, ',') within group (order by b)",
        "SELECT string_agg(DISTINCT CAST(a AS TEXT), ',' ORDER BY b)",
    ),
    "listagg_without_order_has_no_separator": (
        "select listagg(a)",
        "SELECT string_agg(CAST(a AS TEXT), '')",
    ),
    "regexp_replace_replaces_every_match": (
        "select regexp_replace(a, 'x', 'y')",
        "SELECT REGEXP_REPLACE(a, 'x', 'y', 'g')",
    ),
    "backslashes_in_literals_are_escapes": (
        r"select regexp_replace(a, '\\d+', '')",
        r"SELECT REGEXP_REPLACE(a, E'\\d+', '', 'g')",
    ),
    "approximate_count_is_a_count": (
        "select approximate count(distinct a) from t",
        "SELECT COUNT(DISTINCT a) FROM t",
    ),
    "top_is_a_limit": ("select top 5 a from t", "SELECT a FROM t LIMIT 5"),
    "sysdate_is_the_time_of_the_transaction": ("select sysdate", "SELECT RS.SYSDATE()"),
    "quoted_names_are_folded": ('select "Col A" from "T"', 'SELECT "col a" FROM "t"'),
    "varchar_max_has_a_size": (
        "select a::varchar(max)",
        "SELECT CAST(a AS VARCHAR(65535))",
    ),
    "minus_is_except": (
        "select a from t minus select a from u",
        "SELECT a FROM t EXCEPT SELECT a FROM u",
    ),
}


@pytest.mark.parametrize(("redshift", "postgresql"), REWRITTEN.values(), ids=REWRITTEN.keys())
def test_rewrite(redshift: str, postgresql: str) -> None:
    assert rewrite_query(redshift) == postgresql


@pytest.mark.parametrize(
    "sql",
    [
        "select a, count(*) as n from t -- a comment\n where b ~ 'x' group by 1",
        "select $1::int",
        "select 'sysdate', 'nvl(a, b)'",
        "insert into t values (1, 'é')",
        r"select '\\d'",
    ],
)
def test_a_query_with_nothing_to_rewrite_stays_as_it_was_typed(sql: str) -> None:
    assert rewrite_query(sql) == sql


def test_qualify_becomes_a_subquery() -> None:
    rewritten = rewrite_query(
        "select a from t qualify row_number() over (partition by a order by b) = 1"
    )
    assert "QUALIFY" not in rewritten
    assert "ROW_NUMBER() OVER (PARTITION BY a ORDER BY b)" in rewritten


@pytest.mark.parametrize(
    "sql",
    [
        "select * from t pivot (sum(a) for b in ('x', 'y'))",
        "select * from t unpivot (a for b in (c, d))",
    ],
)
def test_pivot_is_refused_and_not_dropped(sql: str) -> None:
    with pytest.raises(RedshiftError, match="PIVOT") as raised:
        rewrite_query(sql)
    assert raised.value.code == "0A000"


def test_what_cannot_be_parsed_is_a_syntax_error() -> None:
    with pytest.raises(RedshiftError) as raised:
        rewrite_query("select nvl(a from t where (")
    assert raised.value.code == "42601"


def test_a_catalog_query_keeps_postgresql_functions() -> None:
    sql = "select extract(epoch from x), regexp_replace(a, 'b', 'c') from pg_class"
    assert rewrite_query(sql, catalog=True) == sql
