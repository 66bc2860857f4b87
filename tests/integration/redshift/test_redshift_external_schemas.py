"""External schemas: Glue's tables as they are now, read where Glue says that they are."""

import pyarrow as pa
import pytest
from redshift_connector.error import ProgrammingError
from redshift_stand_in import BUCKET, ROLE, Lake, Query, StandIn, error_of, query_on

COLUMNS = {"job_id": "string", "views": "bigint"}


def day(*views: int) -> pa.Table:
    """A day's rows: columns in another order and case than in Glue."""
    return pa.table(
        {"VIEWS": pa.array(views, pa.int64()), "job_id": [f"j{view}" for view in views]}
    )


@pytest.fixture
def rollup(lake: Lake, external: str) -> str:
    """A table by day whose partitions lie where no path below the table's would be guessed."""
    root = f"{lake.database}/rollup"
    lake.create_table("rollup", COLUMNS, f"s3://{BUCKET}/{root}", {"dt": "date"})
    for run, dt, views in (("r1", "2026-01-01", (1, 2)), ("r2", "2026-01-02", (3,))):
        lake.put(f"{root}/_v/{run}/dt={dt}/part-0.parquet", day(*views))
        lake.set_partition("rollup", [dt], f"s3://{BUCKET}/{root}/_v/{run}/dt={dt}")
    return f"{external}.rollup"


def test_partitions_are_read_at_the_locations_of_glue(query: Query, rollup: str) -> None:
    assert query(f"select dt::varchar, job_id, views from {rollup} order by 1, 2") == [
        ["2026-01-01", "j1", 1],
        ["2026-01-01", "j2", 2],
        ["2026-01-02", "j3", 3],
    ]


def test_a_swapped_partition_is_seen_by_the_next_statement(
    query: Query, lake: Lake, rollup: str
) -> None:
    total = f"select sum(views) from {rollup}"
    assert query(total) == [[6]]
    lake.put(f"{lake.database}/elsewhere/x.parquet", day(10, 20))
    lake.set_partition("rollup", ["2026-01-02"], f"s3://{BUCKET}/{lake.database}/elsewhere")
    assert query(total) == [[33]]
    lake.put(f"{lake.database}/elsewhere/y.parquet", day(100))
    assert query(total) == [[133]]
    lake.glue.delete_partition(
        DatabaseName=lake.database, TableName="rollup", PartitionValues=["2026-01-02"]
    )
    assert query(total) == [[3]]


def test_the_system_views_are_glue_as_it_is_now(
    query: Query, lake: Lake, external: str, rollup: str
) -> None:
    partitions = (
        "select values, location, serialization_lib, compressed, parameters "
        f"from svv_external_partitions where schemaname = '{external}' order by 1"
    )
    before = query(partitions)
    assert [row[0] for row in before] == ['["2026-01-01"]', '["2026-01-02"]']
    assert before[1][1] == f"s3://{BUCKET}/{lake.database}/rollup/_v/r2/dt=2026-01-02"
    assert before[0][2].endswith("ParquetHiveSerDe")
    assert before[0][3:] == [0, "{}"]
    lake.set_partition("rollup", ["2026-01-02"], f"s3://{BUCKET}/moved")
    lake.set_partition("rollup", ["2026-01-03"], f"s3://{BUCKET}/new")
    assert [row[1] for row in query(partitions)][1:] == [
        f"s3://{BUCKET}/moved",
        f"s3://{BUCKET}/new",
    ]
    assert query(
        "select columnname, external_type, columnnum, part_key from svv_external_columns "
        f"where schemaname = '{external}' order by columnnum"
    ) == [["job_id", "string", 1, 0], ["views", "bigint", 2, 0], ["dt", "date", 3, 1]]
    assert query(
        f"select tablename, location from svv_external_tables where schemaname = '{external}'"
    ) == [["rollup", f"s3://{BUCKET}/{lake.database}/rollup"]]
    assert query(
        f"select databasename from svv_external_schemas where schemaname = '{external}'"
    ) == [[lake.database]]


def test_partition_values_can_be_taken_apart(query: Query, external: str, rollup: str) -> None:
    assert query(
        "select json_extract_array_element_text(values, 0)::date::varchar "
        f"from svv_external_partitions where schemaname = '{external}' order by 1"
    ) == [["2026-01-01"], ["2026-01-02"]]


def test_a_condition_on_the_partition_reads_no_other(query: Query, lake: Lake, rollup: str) -> None:
    lake.s3.put_object(
        Bucket=BUCKET, Key=f"{lake.database}/rollup/_v/r1/dt=2026-01-01/bad.parquet", Body=b"x"
    )
    assert query(f"select sum(views) from {rollup} where dt = '2026-01-02'") == [[3]]
    with pytest.raises(ProgrammingError) as raised:
        query(f"select sum(views) from {rollup}")
    assert "bad.parquet" in error_of(raised)["D"]


def test_changes_are_seen_inside_a_transaction_and_by_prepared_statements(
    query: Query, lake: Lake, rollup: str
) -> None:
    query("begin")
    total = f"select sum(views) from {rollup} where views > %s"
    assert query(total, 0) == [[6]]
    lake.put(f"{lake.database}/rollup/_v/r2/dt=2026-01-02/part-1.parquet", day(40))
    assert query(total, 0) == [[46]]
    query("rollback")


def test_a_late_binding_view_follows_glue(
    query: Query, lake: Lake, rollup: str, schema: str
) -> None:
    query(f"create view v as select dt, views from {rollup} with no schema binding")
    query("create view over_v as select sum(views) as total from v with no schema binding")
    assert query("select total from over_v") == [[6]]
    lake.put(f"{lake.database}/rollup/_v/r2/dt=2026-01-02/part-1.parquet", day(40))
    assert query("select total from over_v") == [[46]]


def test_a_materialized_view_follows_glue_when_refreshed(
    query: Query, lake: Lake, rollup: str, schema: str
) -> None:
    query(f"create materialized view m as select sum(views) as total from {rollup}")
    lake.put(f"{lake.database}/rollup/_v/r2/dt=2026-01-02/part-1.parquet", day(40))
    assert query("select total from m") == [[6]]
    query("refresh materialized view m")
    assert query("select total from m") == [[46]]


def test_a_bound_view_over_an_external_table_is_refused(
    query: Query, rollup: str, schema: str
) -> None:
    with pytest.raises(ProgrammingError) as raised:
        query(f"create view v as select * from {rollup}")
    assert error_of(raised)["M"] == "External tables are not supported in views"


def test_a_column_added_in_glue_is_there(query: Query, lake: Lake, rollup: str) -> None:
    assert query(f"select count(*) from {rollup}") == [[3]]
    lake.create_table(
        "rollup",
        {**COLUMNS, "viewers": "bigint"},
        f"s3://{BUCKET}/{lake.database}/rollup",
        {"dt": "date"},
    )
    assert query(f"select count(*), count(viewers) from {rollup}") == [[3, 0]]


def test_a_table_that_is_gone_from_glue_is_gone(query: Query, lake: Lake, rollup: str) -> None:
    assert query(f"select count(*) from {rollup}") == [[3]]
    lake.glue.delete_table(DatabaseName=lake.database, Name="rollup")
    with pytest.raises(ProgrammingError) as raised:
        query(f"select count(*) from {rollup}")
    assert error_of(raised)["C"] == "42P01"


def test_a_table_without_partitions_follows_its_location(
    query: Query, lake: Lake, external: str
) -> None:
    for run, views in (("r1", 1), ("r2", 2)):
        lake.put(f"{lake.database}/flat/_v/{run}/x.parquet", day(views))
        lake.create_table("flat", COLUMNS, f"s3://{BUCKET}/{lake.database}/flat/_v/{run}")
        assert query(f"select views from {external}.flat") == [[views]]


def test_a_null_partition_is_null(query: Query, lake: Lake, rollup: str) -> None:
    lake.put(f"{lake.database}/null/x.parquet", day(5))
    lake.set_partition(
        "rollup", ["__HIVE_DEFAULT_PARTITION__"], f"s3://{BUCKET}/{lake.database}/null"
    )
    assert query(f"select views from {rollup} where dt is null") == [[5]]


def test_raw_json_is_listed_and_not_read(query: Query, lake: Lake, external: str) -> None:
    serde = "org.openx.data.jsonserde.JsonSerDe"
    location = f"s3://{BUCKET}/{lake.database}/raw"
    lake.create_table("raw", {"a": "string"}, location, serde=serde)
    lake.glue.update_table(
        DatabaseName=lake.database,
        TableInput={
            "Name": "raw",
            "StorageDescriptor": {
                "Columns": [{"Name": "a", "Type": "string"}],
                "Location": location,
                "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
                "SerdeInfo": {"SerializationLibrary": serde},
            },
        },
    )
    assert query(f"select tablename from svv_external_tables where schemaname = '{external}'") == [
        ["raw"]
    ]
    with pytest.raises(ProgrammingError) as raised:
        query(f"select * from {external}.raw")
    assert "is not Parquet" in error_of(raised)["M"]
    assert serde in error_of(raised)["M"]


def test_external_tables_are_read_only(query: Query, rollup: str) -> None:
    query(f"select count(*) from {rollup}")
    with pytest.raises(ProgrammingError) as raised:
        query(f"delete from {rollup}")
    assert error_of(raised)["C"] == "42501"


def test_a_database_that_glue_lacks_is_refused_unless_created(query: Query, lake: Lake) -> None:
    create = f"create external schema y_{lake.database} from data catalog database 'y_{lake.database}' {ROLE}"
    with pytest.raises(ProgrammingError) as raised:
        query(create)
    assert error_of(raised)["C"] == "3D000"
    query(f"{create} create external database if not exists")
    assert lake.glue.get_database(Name=f"y_{lake.database}")


def test_an_external_schema_can_be_dropped_and_made_again(
    query: Query, lake: Lake, external: str, rollup: str
) -> None:
    create = f"create external schema if not exists {external} from data catalog database '{lake.database}' {ROLE}"
    query(create)
    assert query(f"select count(*) from {rollup}") == [[3]]
    query(f"drop schema {external}")
    assert query(f"select * from svv_external_schemas where schemaname = '{external}'") == []
    query(create)
    assert query(f"select count(*) from {rollup}") == [[3]]
    assert lake.glue.get_table(DatabaseName=lake.database, Name="rollup")


def test_every_session_reads_the_same(stand_in: StandIn, query: Query, rollup: str) -> None:
    with stand_in.connect() as other:
        assert query_on(other)(f"select sum(views) from {rollup}") == [[6]]
    assert query(f"select sum(views) from {rollup}") == [[6]]
