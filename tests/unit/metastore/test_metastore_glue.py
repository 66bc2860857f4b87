"""The Glue client: pages, batches, faults."""

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError, ReadTimeoutError
from stub_glue import StubGlue, client_error

from metastore.glue import (
    Changed,
    Glue,
    InvalidRequest,
    NotFound,
    Refused,
    Unreachable,
    UnsupportedByEndpoint,
)
from metastore.glue.faults import Backoff, Busy, Faulty

THROTTLE = client_error("Any", "ThrottlingException", "Rate exceeded")
CREATE = "batch_create_partition"


def make_table(glue: Glue, count: int = 0) -> list[tuple[str, str]]:
    """`lake.t` partitioned by dt and n, with so many partitions."""
    glue.create_database({"Name": "lake"})
    keys = [{"Name": "dt", "Type": "date"}, {"Name": "n", "Type": "int"}]
    glue.create_table("lake", {"Name": "t", "PartitionKeys": keys, "StorageDescriptor": {}})
    values = [("2026-01-02", str(number)) for number in range(count)]
    assert glue.create_partitions("lake", "t", [partition(*each) for each in values]) == []
    return values


def partition(*values: str, location: str = "s3://lake/t") -> dict[str, Any]:
    return {"Values": list(values), "StorageDescriptor": {"Location": location, "Columns": []}}


def test_every_page_is_read(glue: Glue) -> None:
    values = make_table(glue, 40)
    assert sorted(tuple(p["Values"]) for p in glue.list_partitions("lake", "t")) == sorted(values)
    for number in range(20):
        glue.create_database({"Name": f"d{number}"})
        glue.create_table("lake", {"Name": f"t{number}", "PartitionKeys": []})
    assert len(glue.list_databases()) == 21
    assert len(glue.list_tables("lake")) == 21


def test_batches_keep_to_glues_sizes(glue: Glue, stub: StubGlue) -> None:
    values = make_table(glue, 2100)
    assert stub.calls["batch_create_partition"] == 21
    assert len(glue.get_partitions("lake", "t", values)) == 2100
    assert stub.calls["batch_get_partition"] == 3
    moved = [partition(*each, location="s3://lake/new") for each in values]
    assert glue.update_partitions("lake", "t", moved) == []
    assert stub.calls["batch_update_partition"] == 21
    assert glue.delete_partitions("lake", "t", values) == []
    assert stub.calls["batch_delete_partition"] == 84
    assert list(glue.list_partitions("lake", "t")) == []


def test_throttled_call_is_sent_again_after_growing_waits(
    glue: Glue, stub: StubGlue, pauses: list[float]
) -> None:
    stub.faults["create_database"] = [THROTTLE] * 4
    glue.create_database({"Name": "lake"})
    assert pauses == [0.1, 0.2, 0.4, 0.8]


def test_throttling_without_end_is_reported(glue: Glue, stub: StubGlue) -> None:
    stub.faults["get_database"] = [THROTTLE] * 99
    with pytest.raises(Busy, match="ThrottlingException: Rate exceeded"):
        glue.get_database("lake")
    assert stub.calls["get_database"] == 10


def test_no_attempt_is_begun_after_a_minute(stub: StubGlue) -> None:
    times = iter([0.0, 30.0, 61.0])
    stub.faults["get_database"] = [ReadTimeoutError(endpoint_url="http://glue.stub")] * 9
    patient = Glue(stub, Backoff(pause=lambda seconds: None, clock=lambda: next(times)))
    with pytest.raises(Faulty):
        patient.get_database("lake")
    assert stub.calls["get_database"] == 2


def test_throttled_entries_of_a_batch_are_sent_again(glue: Glue, stub: StubGlue) -> None:
    make_table(glue)
    stub.entry_faults = {
        (CREATE, ("2026-01-02", "1")): ["ThrottlingException", "InternalServiceException"],
        (CREATE, ("2026-01-02", "2")): ["ThrottlingException"],
    }
    made = [partition("2026-01-02", str(number)) for number in range(5)]
    assert glue.create_partitions("lake", "t", made) == []
    assert len(list(glue.list_partitions("lake", "t"))) == 5
    assert stub.calls["batch_create_partition"] == 3


def test_unprocessed_keys_are_asked_for_again(glue: Glue, stub: StubGlue) -> None:
    values = make_table(glue, 3)
    stub.entry_faults = {("batch_get_partition", values[1]): ["ThrottlingException"] * 2}
    assert len(glue.get_partitions("lake", "t", values)) == 3


def test_refused_entries_are_returned_and_the_rest_is_written(glue: Glue) -> None:
    make_table(glue, 2)
    failures = glue.create_partitions(
        "lake", "t", [partition("2026-01-02", "1"), partition("2026-01-02", "9")]
    )
    assert [(f.values, f.code) for f in failures] == [
        (("2026-01-02", "1"), "AlreadyExistsException")
    ]
    assert len(list(glue.list_partitions("lake", "t"))) == 3


def test_read_is_repeated_after_a_fault_and_a_write_is_not(glue: Glue, stub: StubGlue) -> None:
    glue.create_database({"Name": "lake"})
    fault = client_error("Any", "InternalServiceException", status=500)
    stub.faults = {"get_database": [fault], "create_table": [fault]}
    assert glue.get_database("lake") == {"Name": "lake"}
    with pytest.raises(Faulty):
        glue.create_table("lake", {"Name": "t"})
    assert stub.calls["create_table"] == 1


def test_lost_answer_to_a_write_is_not_repeated(glue: Glue, stub: StubGlue) -> None:
    stub.faults["delete_table"] = [ReadTimeoutError(endpoint_url="http://glue.stub")]
    with pytest.raises(Faulty, match=r"http://glue\.stub"):
        glue.delete_table("lake", "t")
    assert stub.calls["delete_table"] == 1


def test_unreachable_endpoint_is_named_after_three_attempts(glue: Glue, stub: StubGlue) -> None:
    stub.faults["get_databases"] = [EndpointConnectionError(endpoint_url="http://glue.stub")] * 9
    with pytest.raises(Unreachable, match=r"no connection to http://glue\.stub"):
        glue.list_databases()
    assert stub.calls["get_databases"] == 3


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (client_error("Any", "EntityNotFoundException"), NotFound),
        (client_error("Any", "ConcurrentModificationException"), Changed),
        (client_error("Any", "InvalidInputException"), InvalidRequest),
        (client_error("Any", "AccessDeniedException"), Refused),
        (client_error("Any", "500", "<!doctype html>", status=500), UnsupportedByEndpoint),
        (NoCredentialsError(), Refused),
    ],
)
def test_each_fault_has_its_type(
    glue: Glue, stub: StubGlue, fault: Exception, expected: type[Exception]
) -> None:
    stub.faults["get_table"] = [fault]
    with pytest.raises(expected):
        glue.get_table("lake", "t")


def test_update_of_another_version_is_refused(glue: Glue) -> None:
    make_table(glue)
    table = {"Name": "t", "PartitionKeys": [], "StorageDescriptor": {}}
    glue.update_table("lake", table, version="0")
    with pytest.raises(Changed):
        glue.update_table("lake", table, version="0")
    glue.update_table("lake", table, version=None)
