"""A Hive JDBC client, beeline's own class from pyspark's jars, against the Thrift server."""

from typing import Any

import pytest
from spark_sql import Query

from tests.jdbc import beeline

pytestmark = pytest.mark.sandbox


def test_beeline_queries_a_table_over_jdbc(sandbox: Any, query: Query, database: str) -> None:
    query(
        f"create table {database}.views using parquet partitioned by (dt) as "
        "select 3 as views, date'2026-01-02' as dt union all select 4, date'2026-01-03'"
    )
    rows = beeline(
        sandbox,
        f"select dt, sum(views) as views from {database}.views where dt = '2026-01-03' group by dt",
    )
    assert rows == [{"dt": "2026-01-03", "views": "4"}]


def test_beeline_lists_tables_from_glue(sandbox: Any, query: Query, database: str) -> None:
    query(f"create view {database}.listed as select 1 as n")
    rows = beeline(sandbox, f"show views in {database} like 'listed'")
    assert [row["viewName"] for row in rows] == ["listed"]
