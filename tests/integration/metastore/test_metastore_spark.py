"""Stock Spark on Glue through the metastore: what an analyst and dbt do, seen from both sides."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pyhive.exc import OperationalError
from spark_sql import Query, run

pytestmark = pytest.mark.sandbox

OPENX = "org.openx.data.jsonserde.JsonSerDe"


def objects(s3: Any, location: str) -> list[str]:
    """Keys below an s3:// location."""
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/")
    return [entry["Key"] for entry in listed.get("Contents", ())]


def location_of(glue: Any, database: str, table: str) -> str:
    described = glue.get_table(DatabaseName=database, Name=table)["Table"]["StorageDescriptor"]
    location: str = described["Location"]
    return location


EVENTS = """
    select d * 100 + h as id, date_add(date'2026-01-01', d) as dt, lpad(h, 2, '0') as hour
    from (select explode(array(0, 1, 2)) as d) cross join (select explode(array(0, 5, 12, 23)) as h)
"""
"""3 days of 4 hours, one event each."""


@pytest.fixture(scope="module")
def events(query: Query, database: str) -> str:
    """A table whose every filter Glue can judge."""
    query(f"create table {database}.events using parquet partitioned by (dt, hour) as {EVENTS}")
    return f"{database}.events"


@pytest.fixture(scope="module")
def events_with_null(query: Query, database: str) -> str:
    """The same and one event without day and hour, which makes Glue refuse to judge days."""
    table = f"{database}.events_with_null"
    query(
        f"create table {table} using parquet partitioned by (dt, hour) as {EVENTS} "
        "union all select -1, null, null"
    )
    return table


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        ("dt = '2026-01-02' and hour in ('05', '12')", [105, 112]),
        ("dt = date'2026-01-02' and hour not in ('05', '12')", [100, 123]),
        ("date'2026-01-02' < dt and not (hour = '05' or hour = '23')", [200, 212]),
        ("dt between '2026-01-01' and '2026-01-02' and hour like '1%'", [12, 112]),
        ("hour <> '05' and dt in (date'2026-01-01', date'2026-01-03')", [0, 12, 23, 200, 212, 223]),
        ("(dt = '2026-01-01' and (hour = '00' or hour > '12')) or hour = 'it''s'", [0, 23]),
        ("hour = '__HIVE_DEFAULT_PARTITION__'", []),
        ("substr(hour, 1, 1) = '2'", [23, 123, 223]),
    ],
)
def test_partitions_are_pruned_to_the_right_rows(
    query: Query, events: str, events_with_null: str, condition: str, ids: list[int]
) -> None:
    for table in (events, events_with_null):
        rows = query(f"select id from {table} where {condition} order by id")
        assert [row[0] for row in rows] == ids


def test_event_without_a_day_is_found_as_null(query: Query, events_with_null: str) -> None:
    assert query(f"select id from {events_with_null} where dt is null") == [(-1,)]


def test_swapped_location_of_a_partition_is_seen_by_the_next_query(
    query: Query, database: str, glue: Any
) -> None:
    table = f"{database}.swapped"
    query(
        f"create table {table} using parquet partitioned by (dt) as select 1 as id, date'2026-01-02' as dt"
    )
    target = f"{location_of(glue, database, 'swapped')}/_v/2/dt=2026-01-02"
    query(f"insert overwrite directory '{target}' using parquet select 2 as id")
    query(f"alter table {table} partition (dt='2026-01-02') set location '{target}'")
    assert query(f"select id, dt from {table}") == [(2, "2026-01-02")]
    for _ in range(2):
        query(
            f"alter table {table} add if not exists partition (dt='2026-01-03') location '{target}'"
        )
    assert query(f"select id from {table} order by dt") == [(2,), (2,)]
    with pytest.raises(OperationalError, match="ALREADY_EXIST"):
        query(f"alter table {table} add partition (dt='2026-01-03') location '{target}'")


def test_swapped_location_of_a_table_is_seen_by_the_next_query(
    query: Query, database: str, glue: Any
) -> None:
    query(f"create table {database}.whole using parquet as select 1 as id")
    target = f"{location_of(glue, database, 'whole')}/_v/2"
    query(f"insert overwrite directory '{target}' using parquet select 2 as id")
    query(f"alter table {database}.whole set location '{target}'")
    assert query(f"select id from {database}.whole") == [(2,)]


def test_dynamic_overwrite_replaces_only_its_days(query: Query, database: str) -> None:
    table = f"{database}.dynamic"
    query(
        f"create table {table} using parquet partitioned by (dt) as "
        "select 1 as id, explode(array(date'2026-01-02', date'2026-01-03')) as dt"
    )
    query("set spark.sql.sources.partitionOverwriteMode=dynamic")
    try:
        query(f"insert overwrite table {table} select 2 as id, date'2026-01-03' as dt")
    finally:
        query("reset spark.sql.sources.partitionOverwriteMode")
    assert query(f"select id from {table} order by dt") == [(1,), (2,)]


def test_view_keeps_its_query_and_properties(query: Query, database: str) -> None:
    view = f"{database}.daily"
    query(f"create or replace view {view} (n comment 'how many') comment 'a view' as select 1 as n")
    query(f"create or replace view {view} comment 'größe' as select 'a\\nb' as n, 2 as m")
    query(f"alter view {view} set tblproperties ('owner.team' = 'core')")
    assert query(f"select * from {view}") == [("a\nb", 2)]
    assert ("owner.team", "core") in query(f"show tblproperties {view}")
    query(f"alter view {view} rename to {view}_2")
    assert query(f"select m from {view}_2") == [(2,)]
    assert (database, "daily_2", False) in query(f"show views in {database}")
    assert "größe" in query(f"show create table {view}_2")[0][0]


def test_renamed_table_moves_and_leaves_its_name_free(
    query: Query, database: str, glue: Any, s3: Any
) -> None:
    query(
        f"create table {database}.a using parquet partitioned by (dt) as select 1 as id, '2026-01-02' as dt"
    )
    old = location_of(glue, database, "a")
    query(f"alter table {database}.a rename to {database}.b")
    assert query(f"select id, dt from {database}.b where dt = '2026-01-02'") == [(1, "2026-01-02")]
    assert objects(s3, old) == []
    query(f"create table {database}.a using parquet as select 5 as id")
    assert query(f"select id from {database}.a") == [(5,)]


def test_dropped_managed_table_leaves_nothing_and_external_all(
    query: Query, database: str, glue: Any, s3: Any
) -> None:
    query(f"create table {database}.mine using parquet as select 1 as id")
    location = location_of(glue, database, "mine")
    assert objects(s3, location)
    query(f"create external table {database}.theirs (id int) using parquet location '{location}'")
    query(f"drop table {database}.theirs")
    assert query(f"select id from {database}.mine") == [(1,)]
    query(f"drop table {database}.mine")
    assert objects(s3, location) == []


def test_comments_longer_than_glue_holds_come_back_whole(
    query: Query, database: str, glue: Any
) -> None:
    long = "a long comment, größer than Glue's " * 20
    query(
        f'create table {database}.told (id int comment "{long}") using parquet comment "{long * 4}"'
    )
    query(f"alter table {database}.told add columns (more int comment 'two\\nlines')")
    described = {row[0]: row[2] for row in query(f"describe {database}.told")}
    assert described == {"id": long, "more": "two\nlines"}
    held = glue.get_table(DatabaseName=database, Name="told")["Table"]
    assert all(len(c["Comment"]) <= 255 for c in held["StorageDescriptor"]["Columns"])
    assert len(held["Description"]) == 2048
    extended = query(f"describe extended {database}.told")
    assert any(row[0] == "Comment" and row[1].strip() == (long * 4).strip() for row in extended)


def test_a_table_of_hives_own_format_is_made_from_a_query_and_leaves_nothing(
    query: Query, database: str, s3: Any, sandbox: Any
) -> None:
    query(f"create table {database}.hives stored as parquet as select 1 as id, 'a' as name")
    query(f"insert into {database}.hives values (2, 'b')")
    assert query(f"select id, name from {database}.hives order by id") == [(1, "a"), (2, "b")]
    query(f"drop table {database}.hives")
    left = s3.list_objects_v2(
        Bucket=sandbox.env["DATACORE_LAKE_BUCKET"], Prefix=f"{database}/hives/"
    )
    assert left["KeyCount"] == 0


def test_statistics_survive(query: Query, events: str) -> None:
    query(f"analyze table {events} compute statistics for columns id")
    described = dict(row[:2] for row in query(f"describe extended {events} id"))
    assert (described["min"], described["max"]) == ("0", "223")


@pytest.fixture(scope="module")
def raw_orders(sandbox: Any, database: str, glue: Any, s3: Any) -> str:
    """A raw table as it is registered: openx for Athena, a provider and typed schema for Spark."""
    bucket = sandbox.env["DATACORE_BUCKET"]
    root = f"s3://{bucket}/production-logs/{database}"
    spark = {
        "dt": "date",
        "hour": "string",
        "order_id": "long",
        "note": "string",
        "_corrupt_record": "string",
    }
    fields = [
        {"name": name, "type": spark[name], "nullable": True, "metadata": {}}
        for name in ("order_id", "note", "_corrupt_record", "dt", "hour")
    ]
    descriptor = {
        "Columns": [{"Name": "order_id", "Type": "bigint"}, {"Name": "note", "Type": "string"}],
        "Location": root,
        "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        "SerdeInfo": {
            "SerializationLibrary": OPENX,
            "Parameters": {
                "path": root,
                "columnNameOfCorruptRecord": "_corrupt_record",
                "mode": "PERMISSIVE",
            },
        },
    }
    glue.create_table(
        DatabaseName=database,
        TableInput={
            "Name": "orders",
            "TableType": "EXTERNAL_TABLE",
            "PartitionKeys": [{"Name": "dt", "Type": "date"}, {"Name": "hour", "Type": "string"}],
            "StorageDescriptor": descriptor,
            "Parameters": {
                "EXTERNAL": "TRUE",
                "spark.sql.sources.provider": "json",
                "spark.sql.partitionProvider": "catalog",
                "spark.sql.sources.schema": json.dumps({"type": "struct", "fields": fields}),
                "spark.sql.sources.schema.numPartCols": "2",
                "spark.sql.sources.schema.partCol.0": "dt",
                "spark.sql.sources.schema.partCol.1": "hour",
            },
        },
    )
    partitions = []
    for hour in ("04", "05"):
        lines = [{"order_id": int(hour), "note": "größe"}, {"order_id": "not a number"}]
        key = f"production-logs/{database}/2026/01/02/{hour}/orders+0+{hour:0>20}.jsonl"
        body = "\n".join(json.dumps(line) for line in lines)
        s3.put_object(Bucket=bucket, Key=key, Body=body.encode())
        location = f"{root}/2026/01/02/{hour}"
        partitions.append(
            {
                "Values": ["2026-01-02", hour],
                "StorageDescriptor": {**descriptor, "Location": location},
            }
        )
    glue.batch_create_partition(
        DatabaseName=database, TableName="orders", PartitionInputList=partitions
    )
    return f"{database}.orders"


def test_raw_table_is_typed_and_keeps_what_does_not_fit(query: Query, raw_orders: str) -> None:
    rows = query(
        f"select order_id, note, _corrupt_record from {raw_orders} where dt = '2026-01-02' and hour = '05' "
        "order by order_id nulls last"
    )
    assert rows == [(5, "größe", None), (None, None, '{"order_id": "not a number"}')]


def test_raw_table_keeps_openx_through_sparks_writes(
    query: Query, raw_orders: str, database: str, glue: Any
) -> None:
    query(f"alter table {raw_orders} set tblproperties ('k' = 'v')")
    held = glue.get_table(DatabaseName=database, Name="orders")["Table"]
    query(
        f"alter table {raw_orders} partition (dt='2026-01-02', hour='04') "
        f"set location '{held['StorageDescriptor']['Location']}/2026/01/02/05'"
    )
    query(f"alter table {raw_orders} add partition (dt='2026-01-03', hour='00')")
    partitions = glue.get_partitions(DatabaseName=database, TableName="orders")["Partitions"]
    assert held["Parameters"]["k"] == "v"
    described = [held["StorageDescriptor"], *(p["StorageDescriptor"] for p in partitions)]
    assert {each["SerdeInfo"]["SerializationLibrary"] for each in described} == {OPENX}
    assert len(partitions) == 3
    rows = query(f"select order_id from {raw_orders} where hour = '04' and order_id is not null")
    assert rows == [(5,)]


def test_unknown_function_is_an_answer_and_not_a_fault(query: Query) -> None:
    with pytest.raises(OperationalError, match="UNRESOLVED_ROUTINE"):
        query("select no_such_function(1)")


def test_clients_at_once_see_their_own_writes(sandbox: Any, database: str) -> None:
    def work(number: int) -> list[Any]:
        table = f"{database}.own_{number}"
        with sandbox.thrift() as connection:
            run(connection, f"create table {table} (id int) using parquet")
            for value in range(3):
                run(connection, f"alter table {table} set tblproperties ('v' = '{value}')")
                seen = dict(run(connection, f"show tblproperties {table}"))
                assert seen["v"] == str(value)
            run(connection, f"show table extended in {database} like 'own_{number}'")
            run(connection, f"drop table {table}")
            return run(connection, f"show tables in {database} like 'own_{number}'")

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(8))) == [[]] * 8
