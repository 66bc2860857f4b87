"""A sandbox of Kafka and S3 for the fault tests, and a stage for each."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_proxy import FaultProxy
from fault_stage import PARTITIONS, Platform, Stage

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
def stage(platform: Platform, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A new topic and a contract that claims its records; its parameter: how many partitions."""
    made = Stage.make(platform, tmp_path, getattr(request, "param", PARTITIONS))
    yield made
    made.close()


@pytest.fixture
def proxy(platform: Platform) -> Iterator[FaultProxy]:
    """A proxy before the sandbox's S3 and Glue."""
    made = FaultProxy(platform.env["AWS_ENDPOINT_URL"].removeprefix("http://"))
    yield made
    made.close()
