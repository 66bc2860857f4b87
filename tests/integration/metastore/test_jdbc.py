"""A Hive JDBC client, beeline's own class from pyspark's jars, against the Thrift server."""

import csv
import io
import subprocess
from pathlib import Path
from typing import Any

import pyspark
import pytest
from spark_sql import Query

from sandbox.java import find_java

pytestmark = pytest.mark.sandbox


def beeline(sandbox: Any, sql: str) -> list[dict[str, str]]:
    """The rows of one statement, as beeline prints them."""
    jars = Path(pyspark.__file__).parent / "jars"
    done = subprocess.run(
        [
            str(find_java()),
            *("-cp", f"{jars}/*", "org.apache.hive.beeline.BeeLine"),
            *("-u", f"jdbc:hive2://{sandbox.env['DATACORE_THRIFT']}", "-n", "datacore"),
            *("--outputformat=csv2", "--silent=true", "-e", f"{sql};"),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


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
