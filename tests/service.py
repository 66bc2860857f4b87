"""A server of a test's own, for as long as a block runs."""

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def running(
    name: str, command: Sequence[str], folder: Path, answers: Callable[[], bool], patience_s: float
) -> Iterator[None]:
    """Start `command` in a folder, wait until it answers, kill it at the end.

    Where it ends or does not answer in time, the test fails with the end of its log.
    """
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + patience_s
        while not answers():
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{name} does not start\n{log.read_text()[-3000:]}")
            time.sleep(0.3)  # between two looks
        yield
    finally:
        process.kill()
        process.wait(30)
