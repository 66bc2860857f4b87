"""The broker goes away and comes back, or is killed, under a tail and landers: every line once."""

import os
import signal
from pathlib import Path

import psutil
import pytest
from fault_stage import Stage, wait_until

from sandbox.state import State
from tests.faults.conftest import sandbox

pytestmark = pytest.mark.sandbox


def kill_broker(state: Path) -> None:
    run = State(state).read_run()
    assert run is not None
    broker = psutil.Process(run.pids["kafka"])
    broker.kill()
    psutil.wait_procs([broker], timeout=10)


@pytest.mark.parametrize("killed", [False, True], ids=["restarted", "killed"])
def test_a_tail_and_landers_outlive_the_broker(
    stage: Stage, small_sandbox: Path, killed: bool
) -> None:
    lines = stage.lines(200)
    path = stage.write("app.log", lines[:50])
    tail = stage.start(*stage.tail_arguments(path))
    landers = [stage.start_land("--cut-seconds", "0.5", follow=True) for _ in range(2)]
    wait_until(lambda: stage.witness.landed().total() == 50, "the first lines on S3")
    stage.write("app.log", lines[50:100])
    if killed:
        kill_broker(small_sandbox)
    again = sandbox("restart", "kafka", "--state", small_sandbox)
    assert again.returncode == 0, again.stderr
    stage.platform.reconnect()
    stage.write("app.log", lines[100:])
    # either rode it out, or ended with 3 and is started again by whoever supervises it
    for process in (tail, *landers):
        if process.exitcode is not None:
            assert process.exitcode == 3, stage.told()
    if tail.exitcode is None:
        wait_until(
            lambda: tail.exitcode is not None or len(stage.kafka().values) == 200, "the tail"
        )
    for process in (tail, *landers):
        if process.exitcode is None and process.pid is not None:
            os.kill(process.pid, signal.SIGTERM)
        assert stage.wait(process) in (0, 3), stage.told()
    assert stage.tail(path) == 0, stage.told()
    assert stage.land_and_check() == 200
    assert sorted(stage.kafka().values.values()) == sorted(lines)
    assert "Traceback" not in stage.told()
