"""Many partitions get other locations in one call, on a Glue that enforces its limits."""

import json

import pytest
from hive_objects import hive_partition, hive_table
from hmsclient.genthrift.hive_metastore import ttypes
from stub_glue import StubGlue, client_error

from metastore.wire.answers import Answers

HOURS = [(f"2026-01-{day:02d}", f"{hour:02d}") for day in range(1, 12) for hour in range(24)]
NAMES = [f"dt={day}/hour={hour}" for day, hour in HOURS]
NEW = "s3://lake/new/"


@pytest.fixture
def orders(answers: Answers) -> Answers:
    """`orders` with 264 partitions."""
    answers.create_table(hive_table(parameters={"run": "1"}))
    partitions = [hive_partition(*values) for values in HOURS]
    for partition in partitions:
        partition.parameters = {"totalSize": "7", "spark.sql.statistics.numRows": "1", "k": "v"}
    answers.add_partitions(partitions)
    return answers


def relocate(answers: Answers, asked: str) -> None:
    table = answers.get_table("lake", "orders")
    table.parameters["datacore.relocate"] = asked
    answers.alter_table("lake", "orders", table)


def asking(*partitions: str) -> str:
    return json.dumps({"to": NEW, "partitions": partitions})


def locations(answers: Answers) -> dict[tuple[str, ...], str]:
    return {tuple(p.values): p.sd.location for p in answers.get_partitions("lake", "orders", -1)}


def test_partitions_go_below_the_directory_under_their_names_and_the_others_stay(
    orders: Answers, stub: StubGlue
) -> None:
    before, table = locations(orders), orders.get_table("lake", "orders")
    relocate(orders, asking(*NAMES[:250]))
    after = locations(orders)
    assert [after[values] for values in HOURS[:250]] == [NEW + name for name in NAMES[:250]]
    assert [after[values] for values in HOURS[250:]] == [before[values] for values in HOURS[250:]]
    assert (stub.calls["batch_update_partition"], stub.calls["update_table"]) == (3, 0)
    assert orders.get_table("lake", "orders") == table


def test_a_partition_that_was_relocated_keeps_all_but_the_statistics_of_its_old_files(
    orders: Answers,
) -> None:
    before = orders.get_partition("lake", "orders", list(HOURS[0]))
    relocate(orders, asking("dt=2026-01-01/hour=00"))
    after = orders.get_partition("lake", "orders", list(HOURS[0]))
    assert after.parameters.keys() == {"k", "transient_lastDdlTime"}
    before.sd.location = after.sd.location
    assert after.sd == before.sd


def test_a_name_is_read_as_hive_escapes_it(answers: Answers) -> None:
    answers.create_table(hive_table())
    answers.append_partition_by_name("lake", "orders", "dt=2026-01-02/hour=a%2Fb")
    relocate(answers, asking("dt=2026-01-02/hour=a%2Fb"))
    assert locations(answers) == {("2026-01-02", "a/b"): "s3://lake/new/dt=2026-01-02/hour=a%2Fb"}


def test_where_one_is_missing_none_is_changed(orders: Answers, stub: StubGlue) -> None:
    asked = asking("dt=2026-01-01/hour=00", "dt=2030-01-01/hour=00")
    with pytest.raises(ttypes.InvalidOperationException, match=r"1 of 2 .*'2030-01-01'.*none was"):
        relocate(orders, asked)
    assert stub.calls["batch_update_partition"] == 0


def test_what_glue_refuses_is_named(orders: Answers, stub: StubGlue) -> None:
    stub.faults["batch_update_partition"] = [
        client_error("BatchUpdatePartition", "AccessDeniedException")
    ]
    with pytest.raises(ttypes.MetaException, match="AccessDenied"):
        relocate(orders, asking("dt=2026-01-01/hour=00"))


def test_what_glue_refuses_of_a_batch_is_counted_and_named_and_the_others_are_moved(
    orders: Answers, stub: StubGlue
) -> None:
    before, refused = locations(orders), [HOURS[5], HOURS[150]]
    for values in refused:
        stub.entry_faults["batch_update_partition", values] = ["InvalidInputException"]
    with pytest.raises(
        ttypes.InvalidOperationException,
        match=r"2 of 264 partitions were not changed, among them .*'2026-01-01', '05'.*InvalidInput",
    ):
        relocate(orders, asking(*NAMES))
    after = locations(orders)
    assert [values for values in HOURS if after[values] == before[values]] == refused

    stub.entry_faults.clear()
    relocate(orders, asking(*NAMES))
    assert locations(orders) == {v: NEW + name for v, name in zip(HOURS, NAMES, strict=True)}


def test_what_glue_has_no_time_for_is_asked_again(orders: Answers, stub: StubGlue) -> None:
    stub.entry_faults["batch_update_partition", HOURS[1]] = ["ThrottlingException"] * 2
    relocate(orders, asking(*NAMES[:3]))
    moved = {values for values, place in locations(orders).items() if place.startswith(NEW)}
    assert moved == set(HOURS[:3])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("{", "is not"),
        ("[]", "is not"),
        ('{"to": "s3://lake/new"}', "is not"),
        ('{"to": 1, "partitions": []}', "is not"),
        (asking("dt=2026-01-01"), "no partition of orders"),
        (asking("hour=00/dt=2026-01-01"), "no partition of orders"),
        (asking("2026-01-01"), "not a partition name"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_what_was_said(
    orders: Answers, stub: StubGlue, asked: str, said: str
) -> None:
    with pytest.raises(ttypes.MetaException, match=said):
        relocate(orders, asked)
    assert stub.calls["batch_update_partition"] == 0


def test_of_nothing_nothing_is_written(orders: Answers, stub: StubGlue) -> None:
    relocate(orders, asking())
    assert not stub.calls.keys() & {"batch_update_partition", "update_table"}
