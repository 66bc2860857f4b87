"""COPY and UNLOAD of Parquet: what loads, what Redshift refuses and how it says so."""

import json
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from redshift_connector.core import Connection
from redshift_connector.error import ProgrammingError
from redshift_stand_in import BUCKET, ROLE, Lake, Query, error_of

TABLE = """
create table t (id bigint not null, name varchar(5), amount decimal(10,2), day date, ok boolean)
"""


def rows(**changed: Any) -> pa.Table:
    columns: dict[str, Any] = {
        "id": pa.array([1, 2], pa.int64()),
        "name": pa.array(["a", ""]),
        "amount": pa.array([Decimal("1.50"), None], pa.decimal128(10, 2)),
        "day": pa.array([date(2026, 1, 1)] * 2),
        "ok": pa.array([True, False]),
    }
    return pa.table({**columns, **changed})


@pytest.fixture
def prefix(lake: Lake, query: Query, schema: str) -> str:
    """A prefix of the test's own on S3, and the table t."""
    query(TABLE)
    return f"{lake.database}/copy/"


def copy(query: Query, prefix: str, options: str = "") -> None:
    query(f"copy t from 's3://{BUCKET}/{prefix}' {ROLE} format as parquet {options}")


def test_copy_loads_every_object_below_the_prefix(query: Query, lake: Lake, prefix: str) -> None:
    lake.put(f"{prefix}dt=2026-01-01/1.parquet", rows())
    lake.put(f"{prefix}dt=2026-01-02/1.parquet", rows(id=pa.array([3, 4], pa.int64())))
    lake.s3.put_object(Bucket=BUCKET, Key=f"{prefix}_SUCCESS", Body=b"x")
    copy(query, prefix)
    assert query("select * from t order by id") == [
        [1, "a", Decimal("1.50"), date(2026, 1, 1), True],
        [2, "", None, date(2026, 1, 1), False],
        [3, "a", Decimal("1.50"), date(2026, 1, 1), True],
        [4, "", None, date(2026, 1, 1), False],
    ]


def test_copy_tells_what_it_did(
    query: Query, connection: Connection, lake: Lake, prefix: str
) -> None:
    lake.put(f"{prefix}1.parquet", rows())
    connection.notices.clear()
    copy(query, prefix)
    assert query("select pg_last_copy_count()") == [[2]]
    texts = [notice[b"M"].decode() for notice in connection.notices]
    assert "Load into table 't' completed, 2 record(s) loaded successfully." in texts
    assert query(
        "select trim(filename), lines_scanned from stl_load_commits where query = pg_last_copy_id()"
    ) == [[f"s3://{BUCKET}/{prefix}1.parquet", 2]]
    assert query(
        "select status, loaded_rows, source_file_count from sys_load_history "
        "where query_id = pg_last_copy_id()"
    ) == [["completed", 2, 1]]


def test_copy_fills_the_columns_it_names_by_position(query: Query, lake: Lake, prefix: str) -> None:
    lake.put(f"{prefix}1.parquet", pa.table({"x": ["n"], "y": pa.array([7], pa.int64())}))
    query(f"copy t (name, id) from 's3://{BUCKET}/{prefix}' {ROLE} format as parquet")
    assert query("select id, name, day from t") == [[7, "n", None]]


def test_copy_fills_a_temporary_table_in_a_transaction(
    query: Query, lake: Lake, prefix: str
) -> None:
    lake.put(f"{prefix}1.parquet", rows())
    query("begin")
    query("create temp table staged (like t)")
    query(f"copy staged from 's3://{BUCKET}/{prefix}' {ROLE} format as parquet")
    query("insert into t select * from staged")
    query("commit")
    assert query("select count(*) from t") == [[2]]


def test_copy_keeps_text_as_it_is(query: Query, lake: Lake, schema: str) -> None:
    texts = ["", "a,b", '"', "l\n2", "back\\slash", "\\N", "\\.", "é€😀", None, " x ", "tab\t"]
    query("create table texts (v varchar(20))")
    prefix = f"{lake.database}/texts/"
    lake.put(f"{prefix}1.parquet", pa.table({"v": pa.array(texts)}))
    query(f"copy texts from 's3://{BUCKET}/{prefix}' {ROLE} format as parquet")
    assert sorted(str(v) for (v,) in query("select v from texts")) == sorted(map(str, texts))


def test_copy_keeps_instants_in_utc(query: Query, lake: Lake, schema: str) -> None:
    instant = datetime(2026, 1, 2, 3, 4, 5, 678901)
    columns = {"a": pa.timestamp("us", "UTC"), "b": pa.timestamp("ns"), "c": pa.timestamp("ms")}
    query("create table instants (a timestamp, b timestamp, c timestamp)")
    prefix = f"{lake.database}/instants/"
    lake.put(
        f"{prefix}1.parquet",
        pa.table(
            {
                n: pa.array([instant], pa.timestamp("us")).cast(t, safe=False)
                for n, t in columns.items()
            }
        ),
    )
    query("set timezone to 'Asia/Tokyo'")
    query(f"copy instants from 's3://{BUCKET}/{prefix}' {ROLE} format as parquet")
    assert query("select * from instants") == [
        [instant, instant, instant.replace(microsecond=678000)]
    ]


BAD_FILES: dict[str, tuple[Callable[[], pa.Table], str, str]] = {
    "int32_into_bigint": (
        lambda: rows(id=pa.array([1, 2], pa.int32())),
        "Column type: BIGINT, Parquet schema: optional int32 id",
        "id",
    ),
    "text_into_decimal": (
        lambda: rows(amount=pa.array(["x", "y"])),
        "Column type: DECIMAL(10, 2), Parquet schema: optional binary (UTF8) amount",
        "amount",
    ),
    "six_bytes_in_five_characters": (
        lambda: rows(name=pa.array(["ok", "Élodé"])),
        "The length of the data column name is longer than the length defined in the table. "
        "Table: 5, Data: 7",
        "name",
    ),
    "a_column_too_few": (
        lambda: rows().drop_columns(["ok"]),
        "Unmatched number of columns between table and file. Table columns: 5, Data columns: 4",
        "",
    ),
}


@pytest.mark.parametrize(("make", "reason", "column"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_file_that_does_not_fit_is_a_scan_error(
    query: Query,
    lake: Lake,
    prefix: str,
    make: Callable[[], pa.Table],
    reason: str,
    column: str,
) -> None:
    lake.put(f"{prefix}0.parquet", rows())
    lake.put(f"{prefix}1.parquet", make())
    with pytest.raises(ProgrammingError) as raised:
        copy(query, prefix)
    assert error_of(raised)["C"] == "XX000"
    assert error_of(raised)["M"] == "Spectrum Scan Error"
    assert reason in error_of(raised)["D"]
    assert query("select count(*) from t") == [[0]]
    ((name, error),) = query(
        "select column_name, error_message from sys_load_error_detail "
        f"where file_name = 's3://{BUCKET}/{prefix}1.parquet'"
    )
    assert (name, reason in error) == (column, True)


def test_null_into_not_null_is_refused(query: Query, lake: Lake, prefix: str) -> None:
    lake.put(f"{prefix}1.parquet", rows(id=pa.array([None, 2], pa.int64())))
    with pytest.raises(ProgrammingError) as raised:
        copy(query, prefix)
    assert error_of(raised)["M"] == "Cannot insert a NULL value into column id"


def test_a_file_that_is_not_parquet_is_named(query: Query, lake: Lake, prefix: str) -> None:
    lake.s3.put_object(Bucket=BUCKET, Key=f"{prefix}1.parquet", Body=b"hello")
    with pytest.raises(ProgrammingError) as raised:
        copy(query, prefix)
    assert f"File 's3://{BUCKET}/{prefix}1.parquet' has an invalid version" in error_of(raised)["D"]


def test_a_prefix_without_objects_does_not_exist(query: Query, prefix: str) -> None:
    with pytest.raises(ProgrammingError) as raised:
        copy(query, prefix)
    assert error_of(raised)["M"] == f"The specified S3 prefix '{prefix}' does not exist"


def test_a_bucket_that_is_not_there_is_an_s3_error(query: Query, prefix: str) -> None:
    with pytest.raises(ProgrammingError) as raised:
        query(f"copy t from 's3://no-such-bucket/x' {ROLE} format as parquet")
    assert error_of(raised)["M"].startswith("S3ServiceException:")
    assert error_of(raised)["M"].endswith("Status 404")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("region 'us-east-1'", "REGION argument is not supported for PARQUET based COPY"),
        ("maxerror 10", "MAXERROR argument is not supported for PARQUET based COPY"),
    ],
)
def test_options_that_parquet_does_not_take(
    query: Query, prefix: str, options: str, message: str
) -> None:
    with pytest.raises(ProgrammingError) as raised:
        copy(query, prefix, options)
    assert error_of(raised)["M"] == message


def test_a_column_that_is_not_there_is_42703(query: Query, prefix: str) -> None:
    with pytest.raises(ProgrammingError) as raised:
        query(f"copy t (nope) from 's3://{BUCKET}/{prefix}' {ROLE} format as parquet")
    assert error_of(raised)["C"] == "42703"


def manifest(lake: Lake, key: str, **entry: Any) -> None:
    body = json.dumps({"entries": [entry]}).encode()
    lake.s3.put_object(Bucket=BUCKET, Key=key, Body=body)


def test_a_manifest_loads_what_it_lists(query: Query, lake: Lake, prefix: str) -> None:
    size = lake.put(f"{prefix}1.parquet", rows())
    lake.put(f"{prefix}2.parquet", rows())
    url = f"s3://{BUCKET}/{prefix}1.parquet"
    manifest(lake, f"{prefix}m", url=url, mandatory=True, meta={"content_length": size})
    copy(query, f"{prefix}m", "manifest")
    assert query("select count(*) from t") == [[2]]


BAD_MANIFESTS: dict[str, tuple[dict[str, Any], str]] = {
    "no_meta": ({"mandatory": True}, "File entry does not have 'meta' key."),
    "wrong_length": ({"meta": {"content_length": 1}}, "Spectrum Scan Error"),
    "missing_and_mandatory": (
        {"url": f"s3://{BUCKET}/nope", "mandatory": True, "meta": {"content_length": 1}},
        "Mandatory url is not present in manifest file.",
    ),
    "missing_and_not_mandatory": (
        {"url": f"s3://{BUCKET}/nope", "meta": {"content_length": 1}},
        "does not exist",
    ),
}


@pytest.mark.parametrize(("entry", "message"), BAD_MANIFESTS.values(), ids=BAD_MANIFESTS.keys())
def test_a_manifest_that_does_not_hold(
    query: Query, lake: Lake, prefix: str, entry: dict[str, Any], message: str
) -> None:
    lake.put(f"{prefix}1.parquet", rows())
    manifest(lake, f"{prefix}m", **{"url": f"s3://{BUCKET}/{prefix}1.parquet", **entry})
    with pytest.raises(ProgrammingError) as raised:
        copy(query, f"{prefix}m", "manifest")
    assert message in error_of(raised)["M"]


def test_a_failed_copy_ends_the_transaction_and_leaves_its_error(
    query: Query, lake: Lake, prefix: str
) -> None:
    lake.put(f"{prefix}1.parquet", rows(ok=pa.array(["x", "y"])))
    query("begin")
    query("insert into t (id) values (5)")
    with pytest.raises(ProgrammingError):
        copy(query, prefix)
    with pytest.raises(ProgrammingError) as raised:
        query("select 1")
    assert error_of(raised)["C"] == "25P02"
    query("rollback")
    assert query("select count(*) from t") == [[0]]
    assert query(
        "select trim(colname), err_code from stl_load_errors "
        f"where trim(filename) = 's3://{BUCKET}/{prefix}1.parquet'"
    ) == [["ok", 15007]]


def test_a_rolled_back_copy_leaves_neither_rows_nor_commits(
    query: Query, lake: Lake, prefix: str
) -> None:
    lake.put(f"{prefix}1.parquet", rows())
    query("begin")
    copy(query, prefix)
    assert query("select count(*) from t") == [[2]]
    query("rollback")
    assert query("select count(*) from t") == [[0]]
    assert query("select * from stl_load_commits where query = pg_last_copy_id()") == []


def test_unload_writes_what_copy_reads(query: Query, lake: Lake, prefix: str) -> None:
    lake.put(f"{prefix}1.parquet", rows())
    copy(query, prefix)
    query("insert into t select id + 10, null, amount, '2026-01-02', null from t")
    out = f"{lake.database}/unloaded/"
    query(
        f"unload ('select id, name, amount, ok, day from t') to 's3://{BUCKET}/{out}' {ROLE} "
        "format as parquet partition by (day) manifest"
    )
    written = lake.s3.list_objects_v2(Bucket=BUCKET, Prefix=out)["Contents"]
    assert [item["Key"].removeprefix(out) for item in written] == [
        "day=2026-01-01/0000_part_00.parquet",
        "day=2026-01-02/0001_part_00.parquet",
        "manifest",
    ]
    query("create table back (like t)")
    query(
        f"copy back (id, name, amount, ok) from 's3://{BUCKET}/{out}manifest' {ROLE} "
        "format as parquet manifest"
    )
    columns = "id, name, amount, ok"
    assert query(f"select {columns} from back order by id") == query(
        f"select {columns} from t order by id"
    )


def test_unload_does_not_write_over_what_is_there(query: Query, lake: Lake, prefix: str) -> None:
    lake.put(f"{prefix}1.parquet", rows())
    unload = f"unload ('select 1 as a') to 's3://{BUCKET}/{prefix}' {ROLE} format as parquet"
    with pytest.raises(ProgrammingError) as raised:
        query(unload)
    assert "unload destination on S3 is not empty" in error_of(raised)["M"]
    query(f"{unload} cleanpath")
    written = lake.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]
    assert [item["Key"].removeprefix(prefix) for item in written] == ["0000_part_00.parquet"]
