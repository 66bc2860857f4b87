"""`dbt` and `datacore` in processes of their own, which begin where the imports end.

Comes in: a command, its arguments and variables, a directory. Goes out: a running command that can be
waited for or killed. Both need seconds of CPU to import themselves; here a server of `multiprocessing`
imports them once for the session, and each run is forked from that. From there on it is what the
command does that a person types.
"""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from datacore.cli import COMMANDS

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        *("pytest", "dbt.cli.main", "tests.dbt_schemas"),
        *(place.split(":")[0] for place, _ in COMMANDS.values()),
    ]
)


def dbt() -> None:
    """The command `dbt`, as its script calls it."""
    from dbt.cli.main import cli

    cli()


def datacore() -> None:
    """The command `datacore`, as its script calls it."""
    from datacore.cli import main

    main()


class Run:
    """A command under way, in a process group of its own. What it says goes to two files, or to one."""

    def __init__(
        self,
        command: Callable[[], None],
        arguments: Sequence[str | Path],
        env: Mapping[str, str],
        directory: Path,
        output: Path,
        errors: Path | None = None,
    ) -> None:
        """`errors` gets what the command says on stderr; without it, `output` gets that too."""
        self._output, self._errors = output, errors
        self._output.parent.mkdir(parents=True, exist_ok=True)
        argv = [command.__name__, *map(str, arguments)]
        asked = (command, argv, dict(env), directory, output, errors)
        for file in filter(None, (output, errors)):
            file.write_bytes(b"")
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
        return "".join(file.read_text() for file in (self._output, self._errors) if file)

    def wait(self, limit_s: float) -> int:
        """Its exit code. Raises TimeoutError, having killed it, where it takes longer."""
        self._process.join(limit_s)
        if self.exit_code is None:
            self.kill()
            raise TimeoutError(f"it did not end within {limit_s} s; it said\n{self.text}")
        return self.exit_code

    def kill(self) -> None:
        """SIGKILL to its group, and wait for its end."""
        os.killpg(self.pid, signal.SIGKILL)
        self._process.join()


def _run(
    command: Callable[[], None],
    argv: list[str],
    env: dict[str, str],
    directory: Path,
    output: Path,
    errors: Path | None,
) -> None:
    """The command in this process."""
    os.setsid()
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    for stream, file in ((sys.stdout, output), (sys.stderr, errors or output)):
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND)
        os.dup2(descriptor, stream.fileno())
        os.close(descriptor)
    sys.argv = argv
    command()
