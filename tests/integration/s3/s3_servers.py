"""The S3 servers that ingest is held against: versitygw over a folder, and moto's.

Comes in: ports and folders. Goes out: a process for as long as a block runs. Neither was made by us,
and they share no code; what holds on both is S3, not one server's way.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from datacore.settings import ROOT
from sandbox.ports import HOST, free_ports, listening

START_LIMIT = 60
END_LIMIT = 10
"""Seconds."""


@dataclass(frozen=True)
class S3Server:
    """A running server, and what it can do."""

    name: str
    endpoint: str
    encrypts: bool
    """Buckets have a default encryption, and objects tell theirs."""
    refuses: bool
    """Wrong credentials are refused."""
    process: subprocess.Popen[bytes]


def find_versitygw() -> Path:
    """The binary: DATACORE_VERSITYGW, else what `make versitygw` built, else on PATH."""
    named = os.environ.get("DATACORE_VERSITYGW")
    if named:
        if not os.access(named, os.X_OK):
            pytest.fail(f"DATACORE_VERSITYGW: {named} is no program", pytrace=False)
        return Path(named)
    built = ROOT / ".cache" / "bin" / "versitygw"
    if os.access(built, os.X_OK):
        return built
    on_path = shutil.which("versitygw")
    if on_path is None:
        pytest.skip(
            "no versitygw: `make versitygw` builds it (needs Go), or set DATACORE_VERSITYGW"
        )
    return Path(on_path)


@contextmanager
def running_versitygw(folder: Path, port: int | None = None) -> Iterator[S3Server]:
    """versitygw; the objects are files under `folder` and outlive it. A test may kill it."""
    program, port = find_versitygw(), port or free_ports(1)[0]
    objects = folder / "objects"
    objects.mkdir(exist_ok=True)
    command = (str(program), "--port", f"{HOST}:{port}", "--keep-alive", "--quiet", "posix", str(objects))  # fmt: skip
    secrets = {
        "ROOT_ACCESS_KEY": os.environ["AWS_ACCESS_KEY_ID"],
        "ROOT_SECRET_KEY": os.environ["AWS_SECRET_ACCESS_KEY"],
    }
    with running(command, port, folder / "versitygw.log", secrets) as process:
        yield S3Server("versitygw", f"http://{HOST}:{port}", False, True, process)


@contextmanager
def running_moto(folder: Path) -> Iterator[S3Server]:
    """The sandbox's server for S3, Glue and KMS, all in memory."""
    port = free_ports(1)[0]
    command = (sys.executable, "-m", "sandbox.aws_server", HOST, str(port))
    with running(command, port, folder / "moto.log", {}) as process:
        yield S3Server("moto", f"http://{HOST}:{port}", True, False, process)


@contextmanager
def running(
    command: tuple[str, ...], port: int, log: Path, env: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A server's process, up once its port answers; ended whatever happens."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **env}, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + START_LIMIT
        while not listening(port):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{command[0]} does not start\n{log.read_text()}", pytrace=False)
            time.sleep(0.05)  # between two looks
        yield process
    finally:
        process.kill()  # nothing of it is kept, and versitygw would wait for its connections to end
        process.wait(END_LIMIT)
