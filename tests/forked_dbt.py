"""dbt in a process of its own, which begins where dbt's imports end.

Comes in: arguments, variables, a directory. Goes out: a running dbt that can be waited for or killed.
`dbt` needs seconds of CPU to import itself; here a server of `multiprocessing` imports it once for
the session, and each run is forked from that. From there on it is what the command `dbt` does.
"""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    ["pytest", "dbt.cli.main", "dbt.adapters.spark", "dbt.adapters.redshift"]
)


class DbtRun:
    """dbt under way, in a process group of its own. What it says goes to `output`."""

    def __init__(
        self, arguments: list[str], env: Mapping[str, str], directory: Path, output: Path
    ) -> None:
        self._output = output
        self._output.parent.mkdir(parents=True, exist_ok=True)
        self._output.write_bytes(b"")
        asked = (arguments, dict(env), str(directory), str(output))
        self._process = _CONTEXT.Process(target=_run, args=asked)
        self._process.start()

    @property
    def pid(self) -> int:
        """Of the process and of its group."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; below 0 the signal that ended it."""
        return self._process.exitcode

    @property
    def text(self) -> str:
        """What it said until now, on stdout and stderr."""
        return self._output.read_text()

    def wait(self, limit_s: float) -> int:
        """Its exit code. Raises TimeoutError, having killed it, where it takes longer."""
        self._process.join(limit_s)
        if self.exit_code is None:
            self.kill()
            raise TimeoutError(f"dbt did not end within {limit_s} s; it said\n{self.text}")
        return self.exit_code

    def kill(self) -> None:
        """SIGKILL to its group, and wait for its end."""
        os.killpg(self.pid, signal.SIGKILL)
        self._process.join()


def _run(arguments: list[str], env: dict[str, str], directory: str, output: str) -> None:
    """The command `dbt`, as its script calls it, in this process."""
    os.setsid()
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    descriptor = os.open(output, os.O_WRONLY | os.O_APPEND)
    os.dup2(descriptor, sys.stdout.fileno())
    os.dup2(descriptor, sys.stderr.fileno())
    os.close(descriptor)

    from dbt.cli.main import cli

    sys.argv = ["dbt", *arguments]
    sys.exit(cli())
