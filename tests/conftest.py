"""The session's sandbox, started for the first test that asks for it, ended whatever happens.

No test sees the variables or the sandbox of whoever runs it.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import boto3
import hypothesis
import pytest
import redshift_connector
from pyhive import hive

from datacore.settings import Address, read_env_file
from tests.forked import Run, datacore

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client

KEPT = frozenset(
    {
        "AWS_CA_BUNDLE",
        "DATACORE_JARS_DIR",
        "DATACORE_MAVEN_REPOSITORY",
        "DATACORE_REAL_DATA",
        "DATACORE_SANDBOX_SPARK_CONF",
        "DATACORE_SANDBOX_SPARK_HOME",
        "DATACORE_SANDBOX_SPARK_JARS",
        "DATACORE_VERSITYGW",
    }
)
"""Variables that say where things come from, not where they go."""

UP_LIMIT = 300
DOWN_LIMIT = 60
RUN_LIMIT = 300
"""Seconds."""

# A loaded machine is no finding: no property is judged by its time.
hypothesis.settings.register_profile(
    "datacore", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("datacore")


class CommandFailed(AssertionError):
    """`datacore …` exited with another code than 0."""


@dataclass(frozen=True)
class Sandbox:
    """A running platform: its variables, its directory, and clients for it."""

    state: Path
    env: dict[str, str]
    """What `<state>/env` holds."""

    def run(
        self,
        *arguments: str | Path,
        check: bool = True,
        env: Mapping[str, str] | None = None,
        limit: float = RUN_LIMIT,
    ) -> subprocess.CompletedProcess[str]:
        """Run `datacore` with `arguments` on this sandbox, `env` over its variables.

        Raises CommandFailed with what it printed, unless `check` is False.
        """
        with TemporaryDirectory() as folder:
            output, errors = Path(folder) / "output", Path(folder) / "errors"
            variables = {**os.environ, **self.env, **(env or {})}
            run = Run(datacore, arguments, variables, Path.cwd(), output, errors)
            exit_code = run.wait(limit)
            done = subprocess.CompletedProcess(
                arguments, exit_code, output.read_text(), errors.read_text()
            )
        if check and done.returncode != 0:
            shown = " ".join(map(str, arguments))
            raise CommandFailed(
                f"datacore {shown} exited with {done.returncode}\n{done.stdout}{done.stderr}"
            )
        return done

    @property
    def s3(self) -> "S3Client":
        """S3 of this sandbox."""
        return self._session().client("s3", endpoint_url=self.env["AWS_ENDPOINT_URL"])

    @property
    def glue(self) -> "GlueClient":
        """Glue of this sandbox."""
        return self._session().client("glue", endpoint_url=self.env["AWS_ENDPOINT_URL"])

    @property
    def kinesis(self) -> "KinesisClient":
        """Kinesis of this sandbox."""
        return self._session().client("kinesis", endpoint_url=self.env["AWS_ENDPOINT_URL"])

    def thrift(self) -> Any:
        """A new PyHive connection to Spark; the caller closes it."""
        address = Address.parse(self.env["DATACORE_THRIFT"], "DATACORE_THRIFT")
        return hive.connect(address.host, address.port, username="datacore")

    def redshift(self) -> Any:
        """A new redshift_connector connection; the caller closes it."""
        address = Address.parse(self.env["DATACORE_REDSHIFT"], "DATACORE_REDSHIFT")
        return redshift_connector.connect(
            host=address.host,
            port=address.port,
            database=self.env["DATACORE_REDSHIFT_DATABASE"],
            user=self.env["DATACORE_REDSHIFT_USER"],
            password=self.env["DATACORE_REDSHIFT_PASSWORD"],
            ssl=False,
        )

    def _session(self) -> boto3.Session:
        return boto3.Session(
            aws_access_key_id=self.env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.env["AWS_SECRET_ACCESS_KEY"],
            region_name=self.env["AWS_REGION"],
        )


@pytest.fixture(scope="session", autouse=True)
def _own_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No variable of the caller's platform, and a sandbox directory that is not there."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(("AWS_", "DATACORE_")) and name not in KEPT:
                patch.delenv(name)
        nowhere = tmp_path_factory.mktemp("nowhere") / "sandbox"
        patch.setenv("DATACORE_SANDBOX_DIR", str(nowhere))
        # A Spark of the tests lives for minutes: what its Java would compile better is not used enough.
        # With one compiler Java keeps 48 MB for its code, which Spark fills; this is its usual size.
        options = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m -XX:+UseSerialGC"
        patch.setenv("DATACORE_SANDBOX_SPARK_OPTIONS", options)
        yield


@contextmanager
def running_sandbox(state: Path, *asked: str) -> Iterator[Sandbox]:
    """A sandbox on free ports for as long as the block runs. That it does not start is an error.

    `asked` are parts, or options of `up`.
    """
    command = [sys.executable, "-m", "datacore", "sandbox"]
    try:
        up = subprocess.run(
            [*command, "up", *asked, "--state", str(state), "--free-ports"],
            capture_output=True,
            text=True,
            timeout=UP_LIMIT,
            check=False,
        )
        if up.returncode != 0:
            pytest.fail(f"the sandbox does not start\n{up.stderr}", pytrace=False)
        yield Sandbox(state, read_env_file(state / "env"))
    finally:
        subprocess.run(
            [*command, "down", "--state", str(state)],
            capture_output=True,
            timeout=DOWN_LIMIT,
            check=True,
        )


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The session's sandbox."""
    # a CI that cancels sends TERM; as Ctrl-C it ends the session through its fixtures
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    state = tmp_path_factory.mktemp("platform") / "sandbox"
    with running_sandbox(state, "--secure-kafka") as running:
        yield running
