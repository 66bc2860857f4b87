"""`kill -9` before and after every numbered step of `tail` and `land`: every line once.

The steps are those of docs/guarantee.md.
"""

import pytest
from fault_child import Break, Child
from fault_stage import Stage

pytestmark = pytest.mark.sandbox

TAIL = [
    Break(step, nth, after)
    for step, nth in (
        ("begin", 0),
        ("send-lines", 0),
        ("send-lines", 30),
        ("send-position", 0),
        ("commit", 0),
    )
    for after in (False, True)
]
LAND = [
    Break(step, nth, after)
    for step, numbers in (
        ("rules", (0,)),
        ("manifest", (0, 2)),
        ("object", (0, 3)),
        ("acknowledge", (0, 2)),
        ("glue-tables", (0,)),
        ("glue-hours", (0,)),
        ("glue-chain", (1,)),
        ("glue-quarantine", (0,)),
        ("glue-block", (0,)),
        ("log-entry", (0,)),
    )
    for nth in numbers
    for after in (False, True)
]
SMALL = ("--cut-mib", "0.01")


@pytest.mark.parametrize("where", TAIL, ids=str)
def test_a_tail_that_is_killed_sends_each_line_once(stage: Stage, where: Break) -> None:
    first, second, third = stage.lines(60), stage.lines(40), stage.lines(20)
    path = stage.write("app.log", first)
    assert stage.tail(path, how=Child(where)) == -9, stage.told()
    stage.write("app.log", second)
    # after a commit that stands only the second lines are left, which are fewer
    again = Break(where.step, min(where.nth, 20), where.after)
    assert stage.tail(path, how=Child(again)) == -9, stage.told()
    stage.write("app.log", third)
    assert stage.tail(path) == 0, stage.told()
    assert sorted(stage.kafka().values.values()) == sorted([*first, *second, *third])


@pytest.mark.parametrize("where", LAND, ids=str)
def test_a_lander_that_is_killed_lands_each_record_once(stage: Stage, where: Break) -> None:
    stage.produce(120)
    stage.land_broken(where, *SMALL)
    stage.produce(20)
    assert stage.land_and_check(*SMALL) == 140


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_lander_that_is_killed_where_a_block_of_the_hour_log_begins(
    stage: Stage, after: bool
) -> None:
    two = Child(block=2)
    for _ in range(2):
        stage.produce(20)
        assert stage.land(how=two) == 0, stage.told()
    stage.produce(20)
    stage.land_broken(Break("log-totals", 0, after), block=2)
    stage.land_broken(Break("log-entry", 0, after), block=2)
    assert stage.land(how=two) == 0, stage.told()
    assert stage.check(block=2) == 60


def test_a_lander_that_is_killed_again_and_again_gets_further(stage: Stage) -> None:
    for nth in range(3):
        stage.produce(60)
        stage.land_broken(Break("object", nth), *SMALL)
        stage.land_broken(Break("manifest", 0, after=True), *SMALL)
    assert stage.land_and_check() == 180
