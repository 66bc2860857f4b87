"""`datacore partitions repair`: Glue equal to S3, whatever was done to it by hand."""

import pytest
from ingest_stage import Stage

pytestmark = pytest.mark.sandbox

DAY = "2026-01-02"


def repair(stage: Stage, *more: str) -> str:
    return stage.sandbox.run(
        "partitions", "repair", "--contracts", stage.contracts, "--day", DAY, *more
    ).stdout


def locations(stage: Stage) -> dict[str, str]:
    """Hour to where readers find it."""
    pages = stage.sandbox.glue.get_paginator("get_partitions").paginate(
        DatabaseName="raw", TableName=stage.data_type
    )
    return {
        p["Values"][1]: p["StorageDescriptor"]["Location"]
        for page in pages
        for p in page["Partitions"]
    }


def test_a_day_is_made_equal_to_s3_in_both_directions(stage: Stage) -> None:
    stage.tail(
        stage.write("app.log", [stage.event(number, hour=number % 4) for number in range(40)])
    )
    stage.land()
    right = locations(stage)
    assert right.keys() == {"00", "01", "02", "03"}
    glue = stage.sandbox.glue
    table = {"DatabaseName": "raw", "TableName": stage.data_type}
    glue.delete_partition(**table, PartitionValues=[DAY, "00"])
    descriptor = glue.get_table(DatabaseName="raw", Name=stage.data_type)["Table"][
        "StorageDescriptor"
    ]
    for hour, place in (("09", "09"), ("23", "23")):
        moved = {**descriptor, "Location": right["01"][:-2] + place}
        glue.create_partition(
            **table, PartitionInput={"Values": [DAY, hour], "StorageDescriptor": moved}
        )
    astray = {**descriptor, "Location": right["02"][:-2] + "77"}
    glue.update_partition(
        **table,
        PartitionValueList=[DAY, "02"],
        PartitionInput={"Values": [DAY, "02"], "StorageDescriptor": astray},
    )
    told = repair(stage, "--type", stage.data_type)
    assert f"{stage.data_type}: added 1, pointed elsewhere 1, dropped 2" in told
    assert locations(stage) == right
    again = repair(stage)
    assert again.startswith(f"{DAY}: "), "nothing is left to do for any type"
    assert "added 0, pointed elsewhere 0, dropped 0" in again


def test_a_compacted_hour_is_pointed_to_its_newest_version(stage: Stage) -> None:
    for part in range(2):
        lines = [stage.event(number + 10 * part) for number in range(10)]
        stage.tail(stage.write(f"part-{part}.log", lines))
        stage.land()
    stage.sandbox.run("compact", "--contracts", stage.contracts, "--type", stage.data_type)
    right = locations(stage)
    assert "_versioned" in right["03"]
    stage.sandbox.glue.delete_partition(
        DatabaseName="raw", TableName=stage.data_type, PartitionValues=[DAY, "03"]
    )
    assert "added 1, pointed elsewhere 0" in repair(stage, "--type", stage.data_type)
    assert locations(stage) == right


def test_what_is_wrong_is_told(stage: Stage) -> None:
    run = stage.sandbox.run
    contracts = ("--contracts", stage.contracts)
    nothing = run("partitions", "repair", *contracts, "--day", DAY, "--type", "no", check=False)
    assert (nothing.returncode, "no contract describes data type 'no'" in nothing.stderr) == (
        2,
        True,
    )
    day = run("partitions", "repair", *contracts, "--day", "yesterday", check=False)
    assert (day.returncode, "Traceback" in day.stderr) == (2, False)
