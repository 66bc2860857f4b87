"""COPY, UNLOAD and external schemas as plans, and the options that COPY of Parquet takes."""

import pytest

from sandbox.redshift.errors import RedshiftError
from sandbox.redshift.loads.sources import check_options
from sandbox.redshift.sql.planner import plan
from sandbox.redshift.sql.plans import Copy, CreateExternalSchema, Unload

ROLE = "arn:aws:iam::123456789012:role/redshift"


def test_copy_keeps_its_columns_and_options() -> None:
    assert plan(
        f"copy loads.load_x (Job_Id, \"Views\") from 's3://b/k/dt=2026-01-01/' "
        f"iam_role '{ROLE}' format as parquet statupdate off manifest;"
    ) == Copy(
        ("loads", "load_x"),
        ("job_id", "views"),
        "s3://b/k/dt=2026-01-01/",
        {"IAM_ROLE": ROLE, "FORMAT": "PARQUET", "STATUPDATE": "off", "MANIFEST": ""},
    )


def test_copy_takes_the_default_role() -> None:
    planned = plan("copy t from 's3://b/k' iam_role default parquet")
    assert isinstance(planned, Copy)
    assert planned.options == {"IAM_ROLE": "default", "FORMAT": "PARQUET"}


def test_unload_rewrites_its_query() -> None:
    assert plan(
        "unload ('select nvl(a, 1) as a, ''x'' as d from t') to 's3://b/k/' iam_role default "
        "format parquet partition by (d) allowoverwrite"
    ) == Unload(
        "SELECT COALESCE(a, 1) AS a, 'x' AS d FROM t",
        "s3://b/k/",
        {"IAM_ROLE": "default", "FORMAT": "PARQUET", "ALLOWOVERWRITE": ""},
        ("d",),
    )


def test_external_schema_names_its_glue_database() -> None:
    assert plan(
        f"create external schema if not exists lake from data catalog database 'lake' "
        f"iam_role '{ROLE}' create external database if not exists"
    ) == CreateExternalSchema("lake", "lake", ROLE, True, True)


REFUSED = {
    "region": ("format parquet region 'eu-west-1'", "REGION argument is not supported for PARQUET"),
    "maxerror": ("format parquet maxerror 10", "MAXERROR argument is not supported for PARQUET"),
    "csv": ("csv", "COPY of CSV is not supported"),
    "text": ("", "COPY of text is not supported"),
}


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_options_that_parquet_does_not_take(options: str, message: str) -> None:
    planned = plan(f"copy t from 's3://b/k' iam_role default {options}")
    assert isinstance(planned, Copy)
    with pytest.raises(RedshiftError, match=message):
        check_options(planned.options)


def test_copy_without_a_role_is_refused() -> None:
    with pytest.raises(RedshiftError, match="IAM_ROLE or CREDENTIALS"):
        check_options({"FORMAT": "PARQUET"})
