"""Registering: what Glue should hold, and that it is made so, again and again."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from datacore.contracts import Column, Contract, load_contracts
from datacore.settings import ROOT
from ingest.land.hourlog import Hour
from ingest.register.glue import GlueCatalog
from ingest.register.registrar import Registrar
from ingest.register.tables import platform_tables, raw_table, unclaimed_table

CONTRACT = Contract(
    name="click", domain="d", version="1.2.0", topic="t", match=None, event_time="at",
    event_time_unit=None, event_id=("id",), description="What people\n clicked.", owner="o",
    file=Path("click.odcs.yaml"),
    columns=(
        Column("id", "string", "string", True, "The click."),
        Column("at", "string", "timestamp", True, "When."),
        Column("tags", "array<struct<name:string,weight:double>>", "array", False, "x" * 300),
        Column("price", "decimal(10,2)", "number", False, "What it cost."),
    ),
)  # fmt: skip


@pytest.fixture
def glue() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client(
            "glue", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )


def spark_schema(parameters: dict[str, str]) -> dict[str, Any]:
    fields = json.loads(parameters["spark.sql.sources.schema"])["fields"]
    return {field["name"]: field["type"] for field in fields}


def test_spark_shows_what_the_contract_says_of_a_column() -> None:
    parameters = raw_table(CONTRACT, "b").input["Parameters"]
    fields = json.loads(parameters["spark.sql.sources.schema"])["fields"]
    shown = {field["name"]: field["metadata"].get("comment") for field in fields}
    assert shown["id"] == "The click."
    assert shown["tags"] == "x" * 255
    assert shown["dt"] == "Day of the event, UTC."


def test_spark_reads_a_raw_table_typed_with_the_whole_line_where_a_value_does_not_fit() -> None:
    table = raw_table(CONTRACT, "b").input
    assert spark_schema(table["Parameters"]) == {
        "id": "string",
        "at": "string",
        "tags": {
            "type": "array",
            "containsNull": True,
            "elementType": {
                "type": "struct",
                "fields": [
                    {"name": "name", "type": "string", "nullable": True, "metadata": {}},
                    {"name": "weight", "type": "double", "nullable": True, "metadata": {}},
                ],
            },
        },
        "price": "decimal(10,2)",
        "_corrupt_record": "string",
        "dt": "date",
        "hour": "string",
    }
    serde = table["StorageDescriptor"]["SerdeInfo"]["Parameters"]
    assert serde["columnNameOfCorruptRecord"] == "_corrupt_record"
    assert serde["path"] == "s3://b/production-logs/click"


def test_the_other_engines_see_the_contracts_columns_only() -> None:
    table = raw_table(CONTRACT, "b").input
    assert [c["Name"] for c in table["StorageDescriptor"]["Columns"]] == [
        "id",
        "at",
        "tags",
        "price",
    ]
    assert [(c["Name"], c["Type"]) for c in table["PartitionKeys"]] == [
        ("dt", "date"),
        ("hour", "string"),
    ]


def test_texts_fit_glues_limits() -> None:
    table = raw_table(CONTRACT, "b").input
    assert table["Description"] == "What people clicked."
    assert max(len(c["Comment"]) for c in table["StorageDescriptor"]["Columns"]) == 255


def test_an_unclaimed_record_is_one_string() -> None:
    table = unclaimed_table("b").input
    assert spark_schema(table["Parameters"]) == {"value": "string", "dt": "date", "hour": "string"}
    assert table["Parameters"]["spark.sql.sources.provider"] == "text"


def test_the_ledgers_tables_have_valid_types() -> None:
    names = {table.name for table in platform_tables("b")}
    assert names == {"cut", "hour", "quarantine", "replay"}


def test_registering_again_changes_nothing(glue: Any) -> None:
    registrar = Registrar(GlueCatalog(glue), [CONTRACT], "b")
    assert registrar.tables() == 6
    assert Registrar(GlueCatalog(glue), [CONTRACT], "b").tables() == 0


def test_a_column_that_was_added_changes_the_table_and_keeps_what_others_set(glue: Any) -> None:
    Registrar(GlueCatalog(glue), [CONTRACT], "b").tables()
    table = glue.get_table(DatabaseName="raw", Name="click")["Table"]
    kept = {k: table[k] for k in ("Name", "PartitionKeys", "StorageDescriptor", "TableType")}
    parameters = {**table["Parameters"], "somebody_elses": "1"}
    glue.update_table(DatabaseName="raw", TableInput={**kept, "Parameters": parameters})
    more = replace(
        CONTRACT, columns=(*CONTRACT.columns, Column("page", "string", "string", False, "Where."))
    )
    assert Registrar(GlueCatalog(glue), [more], "b").tables() == 1
    found = glue.get_table(DatabaseName="raw", Name="click")["Table"]
    assert [c["Name"] for c in found["StorageDescriptor"]["Columns"]][-1] == "page"
    assert "page" in spark_schema(found["Parameters"])
    assert found["Parameters"]["somebody_elses"] == "1"


def test_hours_are_added_in_batches_and_once(glue: Any) -> None:
    registrar = Registrar(GlueCatalog(glue), [CONTRACT], "b")
    registrar.tables()
    hours = {
        Hour("click", f"2026-01-{day:02}", f"{hour:02}")
        for day in range(1, 12)
        for hour in range(24)
    }
    assert registrar.hours(hours) == 264
    assert registrar.hours(hours) == 0
    assert Registrar(GlueCatalog(glue), [CONTRACT], "b").hours(hours) == 0
    found = glue.get_partition(
        DatabaseName="raw", TableName="click", PartitionValues=["2026-01-02", "05"]
    )["Partition"]
    assert found["StorageDescriptor"]["Location"] == "s3://b/production-logs/click/2026/01/02/05"


def test_hours_of_a_type_without_a_contract_wait_for_it(glue: Any) -> None:
    registrar = Registrar(GlueCatalog(glue), [CONTRACT], "b")
    registrar.tables()
    assert registrar.hours({Hour("gone", "2026-01-01", "00")}) == 0


def test_the_marketplaces_contracts_make_tables(glue: Any) -> None:
    contracts = load_contracts(ROOT / "contracts")
    assert Registrar(GlueCatalog(glue), contracts, "b").tables() == len(contracts) + 5
