"""A full disk: `tail` and `land` only read files, so it costs no line and ends neither."""

from pathlib import Path

import pytest
from fault_child import Child
from fault_stage import Stage

pytestmark = pytest.mark.sandbox

FULL = "/dev/full"


@pytest.mark.parametrize("stream", ["FAULT_FD1", "FAULT_FD2"], ids=["stdout", "stderr"])
def test_a_full_disk_under_the_logs_ends_neither_tail_nor_land(stage: Stage, stream: str) -> None:
    path = stage.write("app.log", stage.lines(60))
    full = {stream: FULL}
    # what cannot be said is not said; that the summary could not be written is an exit code
    code = 3 if stream == "FAULT_FD1" else 0
    assert stage.wait(stage.start(*stage.tail_arguments(path), "--once", env=full)) == code
    assert stage.wait(stage.start_land(env=full)) == code, stage.told()
    assert "Traceback" not in stage.told()
    assert stage.check() == 60


def test_a_process_that_may_write_no_file_tails_and_lands(stage: Stage, tmp_path: Path) -> None:
    path = stage.write("app.log", stage.lines(60))
    limited = Child(file_limit=0)
    nowhere = {"FAULT_FD1": "/dev/null", "FAULT_FD2": "/dev/null", "TMPDIR": str(tmp_path / "no")}
    tail = stage.start(*stage.tail_arguments(path), "--once", how=limited, env=nowhere)
    assert stage.wait(tail) == 0
    assert stage.wait(stage.start_land(how=limited, env=nowhere)) == 0
    assert stage.check() == 60


def test_dev_full_is_full() -> None:
    """The other tests would prove nothing otherwise."""
    with pytest.raises(OSError, match="No space left"):
        Path(FULL).write_text("x")
