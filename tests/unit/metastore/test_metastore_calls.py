"""What the calls do to the catalog and to files, on a Glue that enforces its limits."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hive_objects import hive_partition, hive_table
from hmsclient.genthrift.hive_metastore import ttypes
from stub_glue import StubGlue, client_error

from metastore.calls.catalog import Catalog, pattern
from metastore.commands import answers_of
from metastore.files import Files
from metastore.glue import Glue
from metastore.wire.answers import Answers

CHANGED = client_error("UpdateTable", "ConcurrentModificationException")
NO_MORE = "ResourceNumberLimitExceededException"


def fill(answers: Answers, location: str, text: str = "data") -> Path:
    """A file at a location of a table or partition."""
    path = Path(location.removeprefix("file:"))
    path.mkdir(parents=True, exist_ok=True)
    (path / "part-0.parquet").write_text(text)
    return path


def location_of(answers: Answers, table: str = "orders") -> str:
    location: str = answers.get_table("lake", table).sd.location
    return location


def parts(answers: Answers, text: str, table: str = "orders") -> list[list[str]]:
    return [p.values for p in answers.get_partitions_by_filter("lake", table, text, -1)]


# databases


def test_database_without_a_location_lies_in_the_warehouse(
    answers: Answers, tmp_path: Path
) -> None:
    assert answers.get_database("LAKE").locationUri == f"file:{tmp_path}/warehouse/lake"
    assert answers.get_databases("l*") == ["lake"]
    assert answers.get_all_databases() == ["lake"]


def test_database_that_glue_holds_without_a_location_gets_one(
    answers: Answers, stub: StubGlue, tmp_path: Path
) -> None:
    stub.create_database(DatabaseInput={"Name": "athena"})
    assert answers.get_database("athena").locationUri == f"file:{tmp_path}/warehouse/athena"


def test_database_with_tables_is_not_dropped_without_cascade(answers: Answers) -> None:
    answers.create_table(hive_table())
    with pytest.raises(ttypes.InvalidOperationException, match="not empty"):
        answers.drop_database("lake", True, False)
    answers.drop_database("lake", True, True)
    assert answers.get_all_databases() == []
    with pytest.raises(ttypes.NoSuchObjectException):
        answers.get_database("lake")


def test_description_too_long_for_glue_comes_back_whole(answers: Answers) -> None:
    database = answers.get_database("lake")
    database.description = "why\n" * 1000
    answers.alter_database("lake", database)
    assert answers.get_database("lake").description == "why\n" * 1000


# tables


def test_table_in_a_missing_database_says_so(answers: Answers) -> None:
    with pytest.raises(ttypes.NoSuchObjectException, match="nowhere"):
        answers.create_table(hive_table(dbName="nowhere"))
    assert answers.get_tables("nowhere", "*") == []


def test_tables_that_are_named_cost_one_page_however_many_there_are(
    answers: Answers, stub: StubGlue
) -> None:
    for name in ("orders", "Users", *(f"t{number}" for number in range(20))):
        answers.create_table(hive_table(name))
    asked = stub.calls["get_tables"]
    assert answers.get_tables("lake", "Orders|users|none") == ["orders", "users"]
    assert stub.calls["get_tables"] == asked + 1
    assert len(answers.get_tables("lake", "*")) == 22
    assert stub.calls["get_tables"] > asked + 2


def test_second_table_of_a_name_already_exists(answers: Answers) -> None:
    answers.create_table(hive_table())
    with pytest.raises(ttypes.AlreadyExistsException):
        answers.create_table(hive_table())


def test_tables_are_listed_by_pattern_and_type(answers: Answers, stub: StubGlue) -> None:
    for number in range(20):
        answers.create_table(hive_table(f"t{number}"))
    answers.create_table(hive_table("v", tableType="VIRTUAL_VIEW", partitionKeys=[]))
    assert len(answers.get_all_tables("lake")) == 21
    assert sorted(answers.get_tables("lake", "t1|T2|v*")) == ["t1", "t2", "v"]
    assert answers.get_tables("lake", "t1|T2|v") == ["t1", "t2", "v"]
    assert answers.get_tables_by_type("lake", "*", "VIRTUAL_VIEW") == ["v"]
    assert [m.tableName for m in answers.get_table_meta("l*", "v", [])] == ["v"]
    asked = stub.calls["get_table"]
    assert len(answers.get_table_objects_by_name("lake", ["t1", "T2", "t3", "none"])) == 3
    answers.get_table("lake", "t7")
    assert stub.calls["get_table"] == asked, "a list fills the cache"


def test_pattern_takes_names_literally_but_for_star_bar_and_dot() -> None:
    assert pattern("a*|B").fullmatch("b")
    assert pattern(".*").fullmatch("")
    assert pattern("a.c").fullmatch("abc")
    assert not pattern("a+").fullmatch("aa")
    assert pattern(None).fullmatch("anything")


def test_dropped_managed_table_takes_its_files_along(answers: Answers) -> None:
    answers.create_table(hive_table())
    path = fill(answers, location_of(answers))
    beside = fill(answers, location_of(answers) + "2")
    answers.drop_table("lake", "orders", True)
    assert not path.exists()
    assert beside.exists()


@pytest.mark.parametrize(
    "external",
    [
        {"tableType": "EXTERNAL_TABLE"},
        {"parameters": {"EXTERNAL": "true"}},
        {"tableType": "EXTERNAL_TABLE", "parameters": {"EXTERNAL": "FALSE"}},
    ],
)
def test_dropped_external_table_leaves_its_files(answers: Answers, external: Any) -> None:
    answers.create_table(hive_table(**external))
    path = fill(answers, location_of(answers))
    answers.drop_table("lake", "orders", True)
    assert path.exists()


def test_table_over_the_whole_database_leaves_its_files(answers: Answers) -> None:
    table = hive_table()
    table.sd.location = answers.get_database("lake").locationUri
    answers.create_table(table)
    path = fill(answers, table.sd.location)
    answers.drop_table("lake", "orders", True)
    assert path.exists()


def test_drop_without_data_leaves_the_files(answers: Answers) -> None:
    answers.create_table(hive_table())
    path = fill(answers, location_of(answers))
    answers.drop_table_with_environment_context("lake", "orders", False, None)
    assert path.exists()


def test_drop_of_an_external_table_that_was_just_shown_asks_glue_once(
    answers: Answers, stub: StubGlue
) -> None:
    answers.create_table(hive_table(tableType="EXTERNAL_TABLE"))
    path = fill(answers, location_of(answers))
    asked = stub.calls["get_table"]
    answers.drop_table("lake", "orders", True)
    assert stub.calls["get_table"] == asked
    assert path.exists()


# altering


def test_alter_replaces_the_version_that_was_shown_in_one_call(
    answers: Answers, stub: StubGlue
) -> None:
    answers.create_table(hive_table())
    table = answers.get_table("lake", "orders")
    table.parameters["k"] = "v"
    asked = stub.calls["get_table"]
    answers.alter_table("lake", "orders", table)
    assert stub.calls["get_table"] == asked
    assert stub.tables["lake", "orders"]["VersionId"] == "1"
    assert answers.get_table("lake", "orders").parameters["k"] == "v"


def test_alter_meets_another_writer_between_read_and_write(
    answers: Answers, stub: StubGlue
) -> None:
    """The other wrote statistics only, so nobody's change is lost: read again, written."""
    answers.create_table(hive_table())
    table = answers.get_table("lake", "orders")
    table.parameters["k"] = "v"

    def other() -> None:
        stub.tables["lake", "orders"]["VersionId"] = "7"
        stub.tables["lake", "orders"]["Parameters"]["numRows"] = "1"

    stub.before["update_table"] = other
    answers.alter_table("lake", "orders", table)
    assert stub.calls["update_table"] == 2
    assert stub.tables["lake", "orders"]["VersionId"] == "8"


def test_alter_of_a_table_that_changed_since_it_was_read_is_refused(
    answers: Answers, stub: StubGlue
) -> None:
    answers.create_table(hive_table())
    table = answers.get_table("lake", "orders")
    stub.tables["lake", "orders"]["StorageDescriptor"]["Columns"].append(
        {"Name": "added", "Type": "int"}
    )
    stub.tables["lake", "orders"]["VersionId"] = "1"
    with pytest.raises(ttypes.MetaException, match="changed in Glue since it was read"):
        answers.alter_table("lake", "orders", table)
    again = answers.get_table("lake", "orders")
    assert [field.name for field in again.sd.cols] == ["order_id", "added"]
    answers.alter_table("lake", "orders", again)


def test_change_between_read_and_write_is_refused_too(answers: Answers, stub: StubGlue) -> None:
    answers.create_table(hive_table())
    table = answers.get_table("lake", "orders")

    def other() -> None:
        stub.tables["lake", "orders"].update(VersionId="7", ViewOriginalText="other")

    stub.before["update_table"] = other
    with pytest.raises(ttypes.MetaException, match="changed in Glue"):
        answers.alter_table("lake", "orders", table)
    assert stub.tables["lake", "orders"]["ViewOriginalText"] == "other"


def test_a_table_becomes_another_in_one_write_and_keeps_name_and_partitions(
    answers: Answers, stub: StubGlue
) -> None:
    answers.create_table(hive_table(parameters={"spark.sql.sources.schema": "old", "run": "1"}))
    answers.add_partition(hive_partition("2026-01-01", "00"))
    other = hive_table(
        "beside", tableType="EXTERNAL_TABLE", parameters={"spark.sql.sources.schema": "new"}
    )
    other.sd.cols = [ttypes.FieldSchema("customer", "string", "who")]
    answers.create_table(other)
    table = answers.get_table("lake", "orders")
    table.parameters["datacore.becomes"] = "Beside"
    answers.alter_table("lake", "orders", table)
    assert stub.calls["update_table"] == 1
    became, beside = answers.get_table("lake", "orders"), answers.get_table("lake", "beside")
    assert became.sd == beside.sd
    assert became.parameters["spark.sql.sources.schema"] == "new"
    assert not became.parameters.keys() & {"run", "datacore.becomes"}
    assert len(answers.get_partitions("lake", "orders", -1)) == 1


def test_a_view_becomes_another_in_one_write_and_no_table(answers: Answers, stub: StubGlue) -> None:
    for name, text in (("seen", "select 1"), ("beside", "select 2")):
        answers.create_table(hive_table(name, tableType="VIRTUAL_VIEW", viewOriginalText=text))
    answers.create_table(hive_table("whole", tableType="EXTERNAL_TABLE"))
    view = answers.get_table("lake", "seen")
    view.parameters["datacore.becomes"] = "whole"
    with pytest.raises(ttypes.InvalidOperationException, match="whole, which is no view"):
        answers.alter_table("lake", "seen", view)
    view.parameters["datacore.becomes"] = "beside"
    answers.alter_table("lake", "seen", view)
    assert stub.calls["update_table"] == 1
    assert answers.get_table("lake", "seen").viewOriginalText == "select 2"


def test_a_table_becomes_no_other_that_is_missing_managed_a_view_or_has_other_partition_keys(
    answers: Answers, stub: StubGlue
) -> None:
    answers.create_table(hive_table())
    answers.create_table(hive_table("whole", tableType="EXTERNAL_TABLE", partitionKeys=[]))
    answers.create_table(hive_table("managed"))
    answers.create_table(hive_table("view", tableType="VIRTUAL_VIEW", viewOriginalText="select 1"))
    table = answers.get_table("lake", "orders")
    for other, error, said in [
        ("managed", ttypes.InvalidOperationException, "no external table"),
        ("view", ttypes.InvalidOperationException, "no external table"),
        ("whole", ttypes.InvalidOperationException, "its partitions have the keys"),
        ("missing", ttypes.MetaException, "Table missing not found"),
    ]:
        table.parameters["datacore.becomes"] = other
        with pytest.raises(error, match=said):
            answers.alter_table("lake", "orders", table)
    assert stub.calls["update_table"] == 0


def test_a_table_that_changed_since_it_was_read_becomes_no_other(
    answers: Answers, stub: StubGlue
) -> None:
    answers.create_table(hive_table())
    answers.create_table(hive_table("beside", tableType="EXTERNAL_TABLE"))
    table = answers.get_table("lake", "orders")
    stub.tables["lake", "orders"].update(VersionId="7", ViewOriginalText="other")
    table.parameters["datacore.becomes"] = "beside"
    with pytest.raises(ttypes.MetaException, match="changed in Glue since it was read"):
        answers.alter_table("lake", "orders", table)


def test_endless_conflict_is_reported(answers: Answers, stub: StubGlue) -> None:
    answers.create_table(hive_table())
    stub.faults["update_table"] = [CHANGED] * 99
    with pytest.raises(ttypes.MetaException, match="ConcurrentModification"):
        answers.alter_table("lake", "orders", answers.get_table("lake", "orders"))


def test_clients_own_compare_and_set_holds(answers: Answers) -> None:
    answers.create_table(hive_table(parameters={"metadata_location": "1"}))
    table = answers.get_table("lake", "orders")
    table.parameters["metadata_location"] = "2"

    def expecting(value: str) -> Any:
        return ttypes.EnvironmentContext(
            {
                "expected_parameter_key": "metadata_location",
                "expected_parameter_value": value,
            }
        )

    with pytest.raises(ttypes.MetaException, match="has been modified"):
        answers.alter_table_with_environment_context("lake", "orders", table, expecting("0"))
    answers.alter_table_with_environment_context("lake", "orders", table, expecting("1"))
    assert answers.get_table("lake", "orders").parameters["metadata_location"] == "2"


def test_missing_table_is_asked_for_once_and_seen_as_soon_as_it_is_made(
    answers: Answers, stub: StubGlue
) -> None:
    for _ in range(3):
        with pytest.raises(ttypes.NoSuchObjectException, match="orders"):
            answers.get_table("lake", "orders")
    assert stub.calls["get_table"] == 1
    answers.create_table(hive_table())
    assert answers.get_table("lake", "orders").tableName == "orders"
    answers.drop_table("lake", "orders", False)
    with pytest.raises(ttypes.NoSuchObjectException, match="orders"):
        answers.get_table("lake", "orders")


def test_table_that_is_listed_is_no_longer_missing(answers: Answers, stub: StubGlue) -> None:
    with pytest.raises(ttypes.NoSuchObjectException):
        answers.get_table("lake", "orders")
    stub.create_table(DatabaseName="lake", TableInput={"Name": "orders", "StorageDescriptor": {}})
    assert answers.get_all_tables("lake") == ["orders"]
    assert answers.get_table("lake", "orders").tableName == "orders"


def test_missing_table_is_not_remembered_while_it_is_made(answers: Answers, stub: StubGlue) -> None:
    stub.before["get_table"] = lambda: answers.create_table(hive_table())
    stub.faults["get_table"] = [client_error("GetTable", "EntityNotFoundException")]
    with pytest.raises(ttypes.NoSuchObjectException):
        answers.get_table("lake", "orders")
    assert answers.get_table("lake", "orders").tableName == "orders"


def test_nothing_is_remembered_as_missing_without_a_cache(
    glue: Glue, stub: StubGlue, tmp_path: Path
) -> None:
    reading = answers_of(Catalog(glue, Files(s3=None), f"file:{tmp_path}", cache_seconds=0))
    for _ in range(2):
        with pytest.raises(ttypes.NoSuchObjectException):
            reading.get_table("lake", "orders")
    assert stub.calls["get_table"] == 2


def test_own_write_is_seen_at_once_by_every_thread(answers: Answers) -> None:
    answers.create_table(hive_table())

    def write_and_read(number: int) -> bool:
        name = f"t{number}"
        answers.create_table(hive_table(name))
        for value in range(20):
            table = answers.get_table("lake", name)
            table.parameters["k"] = str(value)
            answers.alter_table("lake", name, table)
            answers.get_tables("lake", "*")
            if answers.get_table("lake", name).parameters["k"] != str(value):
                return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(write_and_read, range(6)))


# renaming


def test_renamed_managed_table_moves_with_partitions_and_files(
    answers: Answers, stub: StubGlue
) -> None:
    answers.create_table(hive_table())
    partitions = [hive_partition("2026-01-02", f"{hour:02d}") for hour in range(24)]
    elsewhere = hive_partition("2026-01-03", "00", location="s3://lake/elsewhere")
    answers.add_partitions([*partitions, elsewhere])
    old = fill(answers, f"{location_of(answers)}/dt=2026-01-02/hour=05")
    table = answers.get_table("lake", "orders")
    table.tableName = "sales"
    table.sd.serdeInfo.parameters["path"] = "where Spark thinks it goes"
    answers.alter_table("lake", "orders", table)

    moved = answers.get_table("lake", "sales")
    assert moved.sd.location.endswith("/warehouse/lake/sales")
    assert moved.sd.serdeInfo.parameters["path"] == moved.sd.location
    assert not old.exists()
    found = answers.get_partitions("lake", "sales", -1)
    assert [p.sd.location for p in found] == [
        *(f"{moved.sd.location}/dt=2026-01-02/hour={hour:02d}" for hour in range(24)),
        "s3://lake/elsewhere",
    ]
    assert (Path(found[5].sd.location.removeprefix("file:")) / "part-0.parquet").exists()
    held = stub.partitions["lake", "sales"]["2026-01-02", "05"]
    assert held["StorageDescriptor"]["Columns"], "a partition keeps its columns for Athena"
    with pytest.raises(ttypes.NoSuchObjectException):
        answers.get_table("lake", "orders")


def test_renamed_external_table_stays_where_it_is(answers: Answers) -> None:
    answers.create_table(hive_table(tableType="EXTERNAL_TABLE"))
    location = location_of(answers)
    table = answers.get_table("lake", "orders")
    table.tableName = "sales"
    answers.alter_table("lake", "orders", table)
    assert location_of(answers, "sales") == location


def test_rename_onto_a_table_changes_nothing(answers: Answers) -> None:
    answers.create_table(hive_table())
    answers.create_table(hive_table("sales"))
    path = fill(answers, location_of(answers))
    table = answers.get_table("lake", "orders")
    table.tableName = "sales"
    with pytest.raises(ttypes.InvalidOperationException, match="already exists"):
        answers.alter_table("lake", "orders", table)
    assert path.exists()
    assert answers.get_table("lake", "orders")


def test_rename_that_fails_midway_leaves_the_old_whole(answers: Answers, stub: StubGlue) -> None:
    answers.create_table(hive_table())
    answers.add_partitions([hive_partition("2026-01-02", "05")])
    path = fill(answers, f"{location_of(answers)}/dt=2026-01-02/hour=05")
    stub.entry_faults["batch_create_partition", ("2026-01-02", "05")] = [NO_MORE]
    table = answers.get_table("lake", "orders")
    table.tableName = "sales"
    with pytest.raises(ttypes.MetaException):
        answers.alter_table("lake", "orders", table)
    assert (path / "part-0.parquet").exists()
    assert len(answers.get_partitions("lake", "orders", -1)) == 1
    assert answers.get_all_tables("lake") == ["orders"]
    assert not path.parents[2].joinpath("sales").exists()


# partitions


@pytest.fixture
def orders(answers: Answers) -> Answers:
    """`lake.orders` with three days of 24 hours."""
    answers.create_table(hive_table())
    answers.add_partitions(
        [
            hive_partition(f"2026-01-0{day}", f"{hour:02d}")
            for day in (1, 2, 3)
            for hour in range(24)
        ]
    )
    return answers


def test_partitions_are_found_by_name_by_values_and_all(orders: Answers) -> None:
    assert len(orders.get_partitions("lake", "orders", -1)) == 72
    assert orders.get_partition_names("lake", "orders", 2) == [
        "dt=2026-01-01/hour=00",
        "dt=2026-01-01/hour=01",
    ]
    assert orders.get_partition_by_name("lake", "orders", "dt=2026-01-02/hour=05").values == [
        "2026-01-02",
        "05",
    ]
    assert len(orders.get_partitions_ps("lake", "orders", ["2026-01-02"], -1)) == 24
    assert len(orders.get_partitions_ps("lake", "orders", ["", "05"], -1)) == 3
    assert orders.get_partition_names_ps("lake", "orders", ["2026-01-02", "05"], -1) == [
        "dt=2026-01-02/hour=05"
    ]
    names = ["dt=2026-01-02/hour=05", "dt=2030-01-01/hour=00"]
    assert len(orders.get_partitions_by_names("lake", "orders", names)) == 1
    with pytest.raises(ttypes.NoSuchObjectException):
        orders.get_partition("lake", "orders", ["2030-01-01", "00"])


def test_filter_is_pushed_to_glue_and_answered_exactly(orders: Answers, stub: StubGlue) -> None:
    assert parts(orders, 'dt = "2026-01-02" and (hour) in ("05","06")') == [
        ["2026-01-02", "05"],
        ["2026-01-02", "06"],
    ]
    assert stub.expressions == ["dt = '2026-01-02' AND hour IN ('05', '06')"]
    assert orders.get_num_partitions_by_filter("lake", "orders", "dt > 2026-01-02") == 24
    assert len(orders.get_partitions_by_filter("lake", "orders", "", -1)) == 72


def test_filter_that_glue_refuses_is_answered_here(orders: Answers) -> None:
    """A default partition under a date key makes Glue refuse every comparison of that key."""
    orders.add_partitions([hive_partition("__HIVE_DEFAULT_PARTITION__", "00")])
    assert len(parts(orders, "dt >= '2026-01-03'")) == 24
    assert len(parts(orders, "dt <> '2026-01-03'")) == 48


def test_long_filter_is_shortened_for_glue_and_answered_exactly(
    orders: Answers, stub: StubGlue
) -> None:
    days = ", ".join(f'"20{year}-01-02"' for year in range(10, 99))
    text = f'(dt) in ({days}, "2026-01-01", {days}, {days}) and hour = "05"'
    assert len(text) > 2048
    many = " or ".join(f'(dt = "2026-01-02" and hour = "{hour:03d}")' for hour in range(100))
    assert parts(orders, text) == [["2026-01-01", "05"], ["2026-01-02", "05"]]
    assert parts(orders, f'({many}) or hour = "07"') == [[f"2026-01-0{d}", "07"] for d in (1, 2, 3)]
    assert all(len(expression) <= 2048 for expression in stub.expressions)


@pytest.mark.parametrize(
    "text", ["dt ==", "amount = 1", "dt = 'monday'", "(((", "\x00", "select 1"]
)
def test_filter_that_makes_no_sense_is_a_meta_exception(orders: Answers, text: str) -> None:
    with pytest.raises(ttypes.MetaException):
        orders.get_partitions_by_filter("lake", "orders", text, -1)


def test_partition_gets_its_location_from_its_values(answers: Answers) -> None:
    answers.create_table(hive_table())
    answers.append_partition_by_name("lake", "orders", "dt=2026-01-02/hour=a%2Fb%3A")
    found = answers.get_partition("lake", "orders", ["2026-01-02", "a/b:"])
    assert found.sd.location == f"{location_of(answers)}/dt=2026-01-02/hour=a%2Fb%3A"
    assert Path(found.sd.location.removeprefix("file:")).is_dir()


def test_none_is_added_where_one_exists(orders: Answers) -> None:
    both = [hive_partition("2026-01-03", "05"), hive_partition("2026-01-04", "00")]
    with pytest.raises(ttypes.AlreadyExistsException, match="2026-01-03"):
        orders.add_partitions(both)
    assert parts(orders, "dt = '2026-01-04'") == []
    request = ttypes.AddPartitionsRequest("lake", "orders", both, True, True)
    assert [p.values for p in orders.add_partitions_req(request).partitions] == [
        ["2026-01-04", "00"]
    ]


def test_what_may_exist_is_added_in_one_call(orders: Answers, stub: StubGlue) -> None:
    both = [hive_partition("2026-01-03", "05"), hive_partition("2026-01-04", "00")]
    stub.calls.clear()
    orders.add_partitions_req(ttypes.AddPartitionsRequest("lake", "orders", both, True, True))
    assert stub.calls["batch_create_partition"] == 1
    assert stub.calls["batch_get_partition"] == 0
    assert len(parts(orders, "dt = '2026-01-04'")) == 1


def test_none_is_added_where_one_fails(answers: Answers, stub: StubGlue) -> None:
    answers.create_table(hive_table())
    many = [hive_partition("2026-01-02", f"{number:03d}") for number in range(150)]
    stub.entry_faults["batch_create_partition", ("2026-01-02", "149")] = [NO_MORE]
    with pytest.raises(ttypes.MetaException, match="none was added"):
        answers.add_partitions(many)
    assert answers.get_partition_names("lake", "orders", -1) == []


def test_partition_with_too_few_values_is_refused(answers: Answers) -> None:
    answers.create_table(hive_table())
    with pytest.raises(ttypes.InvalidObjectException, match="1 values for the 2"):
        answers.add_partition(hive_partition("2026-01-02"))


def test_location_of_partitions_is_swapped_in_batches(orders: Answers, stub: StubGlue) -> None:
    found = orders.get_partitions("lake", "orders", -1)
    for partition in found:
        partition.sd.location = f"s3://lake/_v/2/{partition.values[1]}"
    orders.alter_partitions("lake", "orders", found)
    assert stub.calls["batch_update_partition"] == 1
    swapped = orders.get_partition("lake", "orders", ["2026-01-02", "05"])
    assert swapped.sd.location == "s3://lake/_v/2/05"


def test_failed_swap_says_which_partition(orders: Answers) -> None:
    missing = hive_partition("2030-01-01", "00", location="s3://lake/x")
    with pytest.raises(ttypes.InvalidOperationException, match="2030-01-01"):
        orders.alter_partition("lake", "orders", missing)


def test_dropped_partition_takes_its_files_only_below_the_table(orders: Answers) -> None:
    outside = fill(orders, location_of(orders) + "_outside")
    swapped = hive_partition("2026-01-02", "06", location=f"file:{outside}")
    orders.alter_partition("lake", "orders", swapped)
    at_root = hive_partition("2026-01-02", "07", location=location_of(orders))
    orders.alter_partition("lake", "orders", at_root)
    inside = fill(orders, f"{location_of(orders)}/dt=2026-01-02/hour=05")
    for hour in ("05", "06", "07"):
        assert orders.drop_partition("lake", "orders", ["2026-01-02", hour], True)
    assert not inside.exists()
    assert outside.exists()
    assert inside.parent.parent.exists()


def test_dropping_a_missing_partition_says_so_unless_told_otherwise(orders: Answers) -> None:
    with pytest.raises(ttypes.NoSuchObjectException):
        orders.drop_partition_by_name("lake", "orders", "dt=2030-01-01/hour=00", True)
    names = ["dt=2030-01-01/hour=00", "dt=2026-01-01/hour=00"]
    request = ttypes.DropPartitionsRequest(
        "lake", "orders", ttypes.RequestPartsSpec(names=names), True, True
    )
    orders.drop_partitions_req(request)
    assert len(orders.get_partition_names("lake", "orders", -1)) == 71


def test_renamed_partition_moves_its_files(orders: Answers) -> None:
    fill(orders, f"{location_of(orders)}/dt=2026-01-02/hour=05")
    orders.rename_partition(
        "lake", "orders", ["2026-01-02", "05"], hive_partition("2026-01-04", "05")
    )
    moved = orders.get_partition("lake", "orders", ["2026-01-04", "05"]).sd.location
    assert moved == f"{location_of(orders)}/dt=2026-01-04/hour=05"
    assert (Path(moved.removeprefix("file:")) / "part-0.parquet").exists()


# functions


def test_functions_are_kept_in_glue(answers: Answers) -> None:
    function = ttypes.Function(
        "F", "lake", "x.Y", "root", ttypes.PrincipalType.USER, 0, ttypes.FunctionType.JAVA, []
    )
    answers.create_function(function)
    assert answers.get_functions("lake", "f*") == ["f"]
    assert answers.get_function("lake", "F").className == "x.Y"
    assert len(answers.get_all_functions().functions) == 1
    answers.drop_function("lake", "f")
    with pytest.raises(ttypes.NoSuchObjectException, match="does not exist"):
        answers.get_function("lake", "f")


def test_endpoint_without_functions_has_none(answers: Answers, stub: StubGlue) -> None:
    unbuilt = client_error("Any", "500", "<!doctype html>", status=500)
    stub.faults = {
        "get_user_defined_function": [unbuilt],
        "get_user_defined_functions": [unbuilt] * 2,
        "create_user_defined_function": [unbuilt],
    }
    assert answers.get_functions("lake", "*") == []
    assert answers.get_all_functions().functions == []
    with pytest.raises(ttypes.NoSuchObjectException, match=r"lake\.f does not exist"):
        answers.get_function("lake", "f")
    with pytest.raises(ttypes.MetaException, match="does not answer this call"):
        answers.create_function(ttypes.Function("f", "lake", "x.Y"))
