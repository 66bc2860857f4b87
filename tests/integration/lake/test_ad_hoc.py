"""Ad-hoc questions, each way of docs/ad-hoc.md: the same table, the same answer."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lake_dbt import DbtProject

from tests.jdbc import beeline

if TYPE_CHECKING:
    from tests.conftest import Sandbox

pytestmark = pytest.mark.sandbox

JOB = """
import sys
from pyspark.sql import SparkSession, functions as f

spark = SparkSession.builder.enableHiveSupport().getOrCreate()
database, out = sys.argv[1:]
views = spark.table(f"{database}.rollup_job_view_daily").agg(f.sum("views")).first()[0]
raw = spark.table("raw.job_view").where("dt is not null").count()
spark.sql(f"create table {database}.of_a_job using parquet as select {views} as views")
with open(out, "w") as file:
    file.write(f"{views} {raw}")
"""
TOTAL = "select sum(views) as views from {db}.rollup_job_view_daily"


def test_every_way_gives_the_same_answer(
    lake: DbtProject, sandbox: "Sandbox", tmp_path: Path
) -> None:
    ((views,),) = lake.query(TOTAL)
    ((raw,),) = lake.query("select count(*) from raw.job_view where dt is not null")
    assert views > 0

    assert beeline(sandbox, TOTAL.replace("{db}", lake.database)) == [{"views": str(views)}]

    shown = lake.dbt(
        *("show", "--quiet", "--output", "json", "--inline"),
        "select sum(views) as views from {{ ref('rollup_job_view_daily') }}",
    )
    assert shown.exit_code == 0, shown.text
    assert json.loads(shown.text[shown.text.index("{") :])["show"] == [{"views": views}]

    (tmp_path / "job.py").write_text(JOB)
    arguments = (tmp_path / "job.py", lake.database, tmp_path / "out")
    sandbox.run("sandbox", "submit", "--state", sandbox.state, *arguments)
    assert (tmp_path / "out").read_text() == f"{views} {raw}"
    assert lake.query("select views from {db}.of_a_job") == [(views,)]


def test_a_job_that_fails_gives_its_exit_code(sandbox: "Sandbox", tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text("raise SystemExit(7)")
    done = sandbox.run(
        "sandbox", "submit", "--state", sandbox.state, tmp_path / "wrong.py", check=False
    )
    assert done.returncode == 7
    nowhere = sandbox.run(
        *("sandbox", "submit", "--state", tmp_path / "none", tmp_path / "wrong.py"), check=False
    )
    assert (nowhere.returncode, "no sandbox with Spark runs" in nowhere.stderr) == (2, True)
