"""S3 and Glue that refuse, break off, or do what was asked and lose the answer: every line once."""

from collections.abc import Callable

import pytest
from fault_child import Break
from fault_proxy import KINDS, Fault, FaultProxy
from fault_stage import Stage

pytestmark = pytest.mark.sandbox

Applies = Callable[[str, str, str], bool]


def put(*parts: str) -> Applies:
    """PUTs of keys that hold these parts."""
    return lambda method, path, operation: method == "PUT" and all(p in path for p in parts)


def gets(*parts: str) -> Applies:
    return lambda method, path, operation: (
        method in ("GET", "HEAD") and all(p in path for p in parts)
    )


def glue(*operations: str) -> Applies:
    return lambda method, path, operation: operation in operations


WRITES = {
    "rules": put("/_contracts/"),
    "manifest": put("/_cuts/"),
    "object": put(".jsonl.gz"),
    "entry": put("/_hours/"),
}


def behind(proxy: FaultProxy) -> dict[str, str]:
    return {"AWS_ENDPOINT_URL": proxy.url}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_write_that_goes_wrong_once_is_made_once(
    stage: Stage, proxy: FaultProxy, kind: str, write: str
) -> None:
    fault = Fault(kind, WRITES[write], times=2 if write == "object" else 1)
    proxy.faults = [fault]
    stage.produce(40)
    assert stage.land(env=behind(proxy)) == 0, stage.told()
    assert fault.met
    assert stage.check() == 40


@pytest.mark.parametrize("kind", ["500", "503", "409", "reset-done"])
@pytest.mark.parametrize("write", ["manifest", "object"])
def test_a_write_that_keeps_going_wrong_ends_the_run_and_the_next_one_makes_it_once(
    stage: Stage, proxy: FaultProxy, kind: str, write: str
) -> None:
    fault = Fault(kind, WRITES[write], times=10**6, skip=1)
    proxy.faults = [fault]
    stage.produce(40)
    code = stage.land(env=behind(proxy))
    assert code == 3, stage.told()
    assert "hint: try again" in stage.told() or "hint: check AWS_ENDPOINT_URL" in stage.told()
    assert "Traceback" not in stage.told()
    proxy.faults = []
    assert stage.land_and_check() == 40


@pytest.mark.parametrize("kind", ["500", "reset", "silent-done"])
@pytest.mark.parametrize("what", ["list", "manifest", "checksum"])
def test_a_read_that_goes_wrong_is_made_again(
    stage: Stage, proxy: FaultProxy, kind: str, what: str
) -> None:
    applies = {
        "list": gets("list-type=2"),
        "manifest": gets("/_cuts/", ".json"),
        "checksum": gets(".jsonl.gz"),
    }[what]
    stage.produce(40)
    stage.land_broken(Break("object", 2))
    fault = Fault(kind, applies, times=2)
    proxy.faults = [fault]
    assert stage.land(env=behind(proxy)) == 0, stage.told()
    assert fault.met
    assert stage.check() == 40


@pytest.mark.parametrize(
    "operations",
    [("CreateTable", "UpdateTable", "GetTable"), ("BatchCreatePartition",)],
    ids=["tables", "partitions"],
)
def test_glue_that_throttles_is_asked_again(
    stage: Stage, proxy: FaultProxy, operations: tuple[str, ...]
) -> None:
    fault = Fault("throttle", glue(*operations), times=3)
    proxy.faults = [fault]
    stage.produce(40)
    assert stage.land(env=behind(proxy)) == 0, stage.told()
    assert fault.met == 3
    assert stage.check() == 40


def test_glue_that_stays_throttled_costs_no_record_and_no_entry_stands_before_it_knows(
    stage: Stage, proxy: FaultProxy
) -> None:
    proxy.faults = [Fault("throttle", glue("BatchCreatePartition"), times=10**6)]
    stage.produce(40)
    assert stage.land(env=behind(proxy)) == 3, stage.told()
    assert stage.witness.entries() == []
    assert sum(stage.witness.landed().values()) == 40
    proxy.faults = []
    assert stage.land_and_check() == 40


def test_a_lost_answer_to_every_write_of_a_run(stage: Stage, proxy: FaultProxy) -> None:
    """Each write arrives twice, as if every first answer had been lost."""
    proxy.faults = [Fault("twice", put("/production-logs/"), times=10**6)]
    stage.produce(120)
    assert stage.land("--cut-mib", "0.01", env=behind(proxy)) == 0, stage.told()
    assert stage.check() == 120
