"""A sandbox of Kafka and S3 for the fault tests, and a stage for each."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_proxy import FaultProxy
from fault_stage import Platform, Stage

from datacore.cli import COMMANDS
from datacore.settings import read_env_file

PARTS = ("kafka", "aws")


def sandbox(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "datacore", "sandbox", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="session")
def small_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The directory of a sandbox of Kafka and S3 alone."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    state = tmp_path_factory.mktemp("faults") / "sandbox"
    try:
        up = sandbox("up", *PARTS, "--state", state, "--free-ports")
        if up.returncode != 0:
            pytest.fail(f"the sandbox does not start\n{up.stderr}", pytrace=False)
        yield state
    finally:
        sandbox("down", "--state", state)


@pytest.fixture(scope="session")
def platform(small_sandbox: Path) -> Iterator[Platform]:
    """Clients of that sandbox."""
    made = Platform.of(read_env_file(small_sandbox / "env"))
    yield made
    made.close()


@pytest.fixture
def stage(platform: Platform, tmp_path: Path) -> Iterator[Stage]:
    """A new topic and a contract that claims its records."""
    made = Stage.make(platform, tmp_path)
    yield made
    made.close()


@pytest.fixture
def proxy(platform: Platform) -> Iterator[FaultProxy]:
    """A proxy before the sandbox's S3 and Glue."""
    made = FaultProxy(platform.env["AWS_ENDPOINT_URL"].removeprefix("http://"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def audited(platform: Platform) -> Iterator[None]:
    """After a module's cases `datacore audit` finds nothing either."""
    yield
    if "audit" not in COMMANDS:
        return
    done = subprocess.run(
        [sys.executable, "-m", "datacore", "audit", "--json"],
        env={**os.environ, **platform.env},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"the audit found a difference\n{done.stdout}{done.stderr}"
    assert json.loads(done.stdout)
