"""Landers that sleep and wake, share a topic, are doubled, or are told to stop: every line once."""

import functools
import os
import signal
import time
from multiprocessing.context import ForkServerProcess

import pytest
from fault_child import Break, Child
from fault_stage import Stage, wait_until

pytestmark = pytest.mark.sandbox

SMALL = ("--cut-mib", "0.01")
EAGER, COOPERATIVE = ("--rebalance", "eager"), ("--rebalance", "cooperative")
QUICK = ("--cut-seconds", "0.5")


def asleep(process: ForkServerProcess) -> bool:
    """Whether the process is stopped."""
    with open(f"/proc/{process.pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] == "T"


def wake(process: ForkServerProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGCONT)


def stop(stage: Stage, *processes: ForkServerProcess) -> None:
    """End landers with SIGTERM; each must end well."""
    for process in processes:
        process.terminate()
    for process in processes:
        assert stage.wait(process) == 0, stage.told()


@pytest.mark.parametrize(
    "where",
    [
        Break(step, nth, after, signal.SIGSTOP)
        for step, nth in (("manifest", 0), ("object", 2), ("acknowledge", 0), ("log-entry", 0))
        for after in (False, True)
    ],
    ids=str,
)
def test_a_lander_that_slept_at_any_step_lands_nothing_twice(stage: Stage, where: Break) -> None:
    stage.produce(120)
    zombie = stage.start_land(*SMALL, how=Child(where))
    wait_until(lambda: asleep(zombie), f"the lander to stop {where}")
    stage.produce(20)
    assert stage.land(*SMALL) == 0, stage.told()
    wake(zombie)
    assert stage.wait(zombie) == 0, stage.told()
    assert stage.check() == 140


@pytest.mark.parametrize("rebalance", [EAGER, COOPERATIVE], ids=["eager", "cooperative"])
def test_a_lander_whose_partitions_moved_while_it_slept_wakes_up_harmless(
    stage: Stage, rebalance: tuple[str, str]
) -> None:
    stage.produce(60)
    zombie = stage.start_land("--cut-seconds", "600", *rebalance, follow=True)
    wait_until(lambda: '"partition": 1' in stage.told(), "the lander to open both partitions")
    time.sleep(0.5)  # so that it holds records; whether it does decides nothing
    assert zombie.pid is not None
    os.kill(zombie.pid, signal.SIGSTOP)
    other = stage.start_land(*QUICK, *rebalance, follow=True)
    wait_until(lambda: sum(stage.witness.landed().values()) == 60, "the other to take over")
    wait_until(lambda: stage.committed(0) > 0 < stage.committed(1), "the other to acknowledge")
    wake(zombie)
    stage.produce(20)
    wait_until(lambda: stage.told().count("partition_left") >= 1, "the zombie to see what it lost")
    stop(stage, zombie, other)
    assert stage.land_and_check() == 80
    assert [stage.committed(p) for p in (0, 1)] == [stage.kafka().ends[p] for p in (0, 1)]


@pytest.mark.parametrize("stage", [3], indirect=True, ids=["3 partitions"])
@pytest.mark.parametrize("rebalance", [EAGER, COOPERATIVE], ids=["eager", "cooperative"])
def test_landers_that_come_and_go_share_a_topic(stage: Stage, rebalance: tuple[str, str]) -> None:
    running: list[ForkServerProcess] = []
    for _ in range(3):
        lander = stage.start_land(*QUICK, *rebalance, follow=True)
        running.append(lander)
        stage.produce(30, partitions=3)
        wait_until(functools.partial(stage.has_opened, lander), "each to be given a partition")
    running.pop(0).kill()
    stage.produce(30, partitions=3)
    wait_until(lambda: sum(stage.witness.landed().values()) == 120, "the others to land all")
    stop(stage, *running)
    assert stage.land_and_check() == 120


def test_two_landers_at_once_land_each_record_once(stage: Stage) -> None:
    stage.produce(300)
    both = [stage.start_land(*SMALL) for _ in range(3)]
    assert [stage.wait(process) for process in both] == [0, 0, 0], stage.told()
    assert stage.check() == 300


def test_told_to_stop_a_lander_lands_what_it_holds(stage: Stage) -> None:
    stage.produce(60)
    lander = stage.start_land("--cut-seconds", "600", follow=True)
    wait_until(lambda: '"partition": 1' in stage.told(), "the lander to open both partitions")
    time.sleep(0.5)  # it may hold records or not
    stop(stage, lander)
    assert stage.land_and_check() == 60


def test_a_lander_that_cannot_stop_in_time_ends_with_3_and_loses_nothing(stage: Stage) -> None:
    stage.produce(60)
    slow = Child(Break("manifest", 0, False, signal.SIGALRM), slow_seconds=60)
    lander = stage.start_land("--stop-seconds", "1", *QUICK, how=slow, follow=True)
    wait_until(lambda: "slow now" in stage.told(), "the lander to hang in a step")
    lander.terminate()
    assert stage.wait(lander, 10) == 3, stage.told()
    assert "not done within 1 s of being told to stop" in stage.told()
    assert stage.land_and_check() == 60
