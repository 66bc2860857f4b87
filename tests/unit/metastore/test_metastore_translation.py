"""What Spark writes comes back as it was, through all of Glue's limits."""

import copy
from typing import Any

import pytest
from hive_objects import hive_table
from hmsclient.genthrift.hive_metastore import ttypes
from hypothesis import given
from hypothesis import strategies as st
from stub_glue import StubGlue

from metastore.translate.columns import hive_type
from metastore.translate.databases import database_to_glue, database_to_hive
from metastore.translate.functions import function_to_glue, function_to_hive
from metastore.translate.limits import description, one_line
from metastore.translate.partitions import name_to_spec, partition_keys, partition_name
from metastore.translate.tables import table_to_glue, table_to_hive

# Thrift carries any text but half of a surrogate pair.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=600)
names = st.from_regex(r"[a-z_][a-z0-9_]{0,20}", fullmatch=True)
types = st.sampled_from(["string", "bigint", "array<string>", "struct<a:bigint,long:string>"])
long_comments = st.builds(lambda text, times: text * times, texts, st.integers(1, 8))
parameters = st.dictionaries(names.map(lambda name: f"p.{name}"), texts, max_size=4)


@st.composite
def tables(draw: st.DrawFn) -> Any:
    unique = draw(st.lists(names, min_size=2, max_size=6, unique=True))
    fields = [
        ttypes.FieldSchema(name, draw(types), draw(st.none() | long_comments.filter(bool)))
        for name in unique
    ]
    cut = draw(st.integers(1, len(fields)))
    given_parameters = draw(parameters)
    comment = draw(st.none() | long_comments.filter(bool))
    if comment is not None:
        given_parameters["comment"] = comment
    external = draw(st.booleans())
    return hive_table(
        draw(names),
        owner=draw(names),
        tableType="EXTERNAL_TABLE" if external else "MANAGED_TABLE",
        partitionKeys=fields[cut:],
        parameters={**given_parameters, **({"EXTERNAL": "TRUE"} if external else {})},
        sd=ttypes.StorageDescriptor(
            cols=fields[:cut],
            location=draw(st.none() | st.just("s3://lake/t")),
            inputFormat="in",
            outputFormat="out",
            compressed=draw(st.booleans()),
            numBuckets=draw(st.integers(-1, 8)),
            serdeInfo=ttypes.SerDeInfo("s", "org.example.SerDe", draw(parameters)),
            bucketCols=[fields[0].name],
            sortCols=[ttypes.Order(fields[0].name, 1)],
            parameters=draw(parameters),
            skewedInfo=ttypes.SkewedInfo([], [], {}),
            storedAsSubDirectories=False,
        ),
        rewriteEnabled=False,
    )


def through_glue(table: Any) -> Any:
    """The table as read after it was written to a Glue that checks its limits."""
    stub = StubGlue()
    stub.create_database(DatabaseInput={"Name": "lake"})
    made = table_to_glue(copy.deepcopy(table))
    stub.create_table(DatabaseName="lake", TableInput=made)
    read = table_to_hive(stub.get_table(DatabaseName="lake", Name=made["Name"])["Table"])
    read.createTime = table.createTime
    return read


@given(tables())
def test_table_comes_back_as_it_was_written(table: Any) -> None:
    assert through_glue(table) == table


@given(tables())
def test_table_that_was_read_and_written_is_the_same_in_glue(table: Any) -> None:
    stub = StubGlue()
    stub.create_database(DatabaseInput={"Name": "lake"})
    stub.create_table(DatabaseName="lake", TableInput=table_to_glue(table))
    before = stub.tables["lake", table.tableName]
    again = table_to_glue(table_to_hive(copy.deepcopy(before)), before)
    assert {**before, **again} == before


def test_view_keeps_its_texts_and_sparks_properties() -> None:
    view = hive_table(
        "v",
        tableType="VIRTUAL_VIEW",
        partitionKeys=[],
        parameters={"view.catalogAndNamespace.numParts": "2", "view.query.out.col.0": "dt"},
        viewOriginalText="select '\n' as x -- größe",
        viewExpandedText="select '\n' as x -- größe",
    )
    read = through_glue(view)
    assert read.viewOriginalText == view.viewOriginalText
    assert read.viewExpandedText == view.viewExpandedText
    assert read.tableType == "VIRTUAL_VIEW"
    assert read.parameters == view.parameters


def test_comment_edited_in_glue_wins_over_the_long_one_kept() -> None:
    table = hive_table()
    table.sd.cols[0].comment = "long " * 100
    table.parameters["comment"] = "longer " * 500
    made = {**table_to_glue(table), "DatabaseName": "lake"}
    assert table_to_hive(made).sd.cols[0].comment == "long " * 100
    assert table_to_hive(made).parameters["comment"] == "longer " * 500
    made["StorageDescriptor"]["Columns"][0]["Comment"] = "edited"
    made["Description"] = "edited too"
    assert table_to_hive(made).sd.cols[0].comment == "edited"
    assert table_to_hive(made).parameters["comment"] == "edited too"


def test_comment_taken_away_by_spark_is_gone_from_glue() -> None:
    table = hive_table(parameters={"comment": "x"})
    made = {**table_to_glue(table), "DatabaseName": "lake"}
    assert made["Description"] == "x"
    table.parameters.pop("comment")
    assert "Description" not in table_to_glue(table, made)


def test_own_parameters_are_not_shown() -> None:
    table = hive_table()
    table.sd.cols[0].comment = "two\nlines"
    made = {**table_to_glue(table), "DatabaseName": "lake"}
    assert made["Parameters"]["datacore.metastore.comment.order_id"] == "two\nlines"
    assert "datacore.metastore.comment.order_id" not in table_to_hive(made).parameters


def test_properties_of_the_lakes_tables_are_shown() -> None:
    made = {
        **table_to_glue(hive_table(parameters={"datacore.seen.marketplace": "7"})),
        "DatabaseName": "lake",
    }
    assert table_to_hive(made).parameters["datacore.seen.marketplace"] == "7"


def raw_table() -> dict[str, Any]:
    return {
        "Name": "job_view",
        "DatabaseName": "raw",
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"spark.sql.sources.provider": "json"},
        "PartitionKeys": [{"Name": "dt", "Type": "date"}],
        "LastAnalyzedTime": "kept",
        "StorageDescriptor": {
            "Columns": [{"Name": "job_id", "Type": "string", "Parameters": {"glue": "only"}}],
            "SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"},
            "SchemaReference": {"SchemaVersionNumber": 1},
        },
    }


def test_openx_serde_is_hidden_from_spark_and_put_back() -> None:
    glue_table = raw_table()
    shown = table_to_hive(glue_table)
    assert shown.sd.serdeInfo.serializationLib.endswith("LazySimpleSerDe")
    assert shown.parameters["EXTERNAL"] == "TRUE"
    written = table_to_glue(shown, glue_table)
    serde = written["StorageDescriptor"]["SerdeInfo"]
    assert serde["SerializationLibrary"] == "org.openx.data.jsonserde.JsonSerDe"


def test_serde_is_shown_where_spark_reads_by_it() -> None:
    glue_table = raw_table() | {"Parameters": {}}
    assert table_to_hive(glue_table).sd.serdeInfo.serializationLib.startswith("org.openx")


def test_what_only_glue_knows_survives_an_alter() -> None:
    glue_table = raw_table()
    written = table_to_glue(table_to_hive(glue_table), glue_table)
    assert written["LastAnalyzedTime"] == "kept"
    assert written["StorageDescriptor"]["SchemaReference"] == {"SchemaVersionNumber": 1}
    assert written["StorageDescriptor"]["Columns"][0]["Parameters"] == {"glue": "only"}


@pytest.mark.parametrize("table_type", ["EXTERNAL_TABLE", "MANAGED_TABLE", None])
def test_glue_table_without_a_descriptor_is_readable(table_type: str | None) -> None:
    read = table_to_hive({"Name": "t", "DatabaseName": "d", "TableType": table_type})
    assert (read.tableName, read.sd.cols, read.partitionKeys) == ("t", [], [])


@given(texts)
def test_shortened_comments_fit_glue_and_short_ones_stay(text: str) -> None:
    for shorten, limit in ((one_line, 255), (description, 2048)):
        assert len(shorten(text * 9).encode("utf-16-le")) // 2 <= limit
    if text.isprintable() and len(text) < 100:
        assert one_line(text) == text


@given(st.lists(texts.filter(bool), min_size=2, max_size=2))
def test_partition_name_is_a_path_that_gives_its_values_back(values: list[str]) -> None:
    keys = partition_keys({"PartitionKeys": [{"Name": "Dt"}, {"Name": "hour"}]})
    name = partition_name(keys, values)
    assert name.count("/") == 1
    assert name_to_spec(name) == {"dt": values[0], "hour": values[1]}


def test_name_that_is_no_partition_name_is_refused() -> None:
    with pytest.raises(ttypes.MetaException):
        name_to_spec("dt")


@pytest.mark.parametrize(
    ("glue", "hive"),
    [
        ("integer", "int"),
        ("array<long>", "array<bigint>"),
        ("struct<long:long,a:array<byte>>", "struct<long:bigint,a:array<tinyint>>"),
        ("numeric(10,2)", "decimal(10,2)"),
        ("varchar(10)", "varchar(10)"),
    ],
)
def test_type_is_shown_in_hives_spelling(glue: str, hive: str) -> None:
    assert hive_type(glue) == hive


@given(texts.filter(bool), parameters, st.none() | st.sampled_from([1, 2]))
def test_database_comes_back_as_it_was_written(
    text: str, given_parameters: dict[str, str], owner_type: int | None
) -> None:
    database = ttypes.Database(
        "lake", text * 6, "s3://lake", given_parameters, None, "root", owner_type
    )
    made = database_to_glue(database)
    StubGlue().create_database(DatabaseInput=made)
    assert database_to_hive(made) == database


def test_function_comes_back_as_it_was_written() -> None:
    function = ttypes.Function(
        "f", "lake", "x.Y", "root", ttypes.PrincipalType.USER, 0, ttypes.FunctionType.JAVA,
        [ttypes.ResourceUri(ttypes.ResourceType.JAR, "s3://lake/f.jar")],
    )  # fmt: skip
    assert function_to_hive({**function_to_glue(function), "DatabaseName": "lake"}) == function
