"""The sandbox's directory: what runs here, its environment, its logs, and one user at a time.

Comes in: a directory. Goes out: paths in it, the record of the run, an env file with mode 0600.
Never removes a directory that no sandbox made.
"""

import fcntl
import json
import os
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from datacore.errors import Locked, UsageError


@dataclass(frozen=True)
class Run:
    """What `up` started: written before the first process, so that `down` can find them all."""

    id: str
    """In the environment of every process of the run, as `RUN_VARIABLE`."""
    started_at: str
    """ISO 8601, UTC."""
    ports: Mapping[str, int]
    pids: Mapping[str, int] = field(default_factory=dict)
    """Pid of each part that was started."""
    seconds: float | None = None
    """How long `up` took; None while it is at it, or if it was cut off."""
    parts: Sequence[str] = field(default_factory=list)
    """The parts that were asked for, with those that they need; empty: all."""

    def with_pid(self, part: str, pid: int) -> "Run":
        """This run with one part more."""
        return replace(self, pids={**self.pids, part: pid})


@dataclass(frozen=True)
class State:
    """The directory of one sandbox."""

    directory: Path

    @property
    def record(self) -> Path:
        """The run, as JSON; also the sign that the directory is a sandbox's."""
        return self.directory / "sandbox.json"

    @property
    def env(self) -> Path:
        """`export NAME='value'` lines for shells; `datacore` reads it by itself."""
        return self.directory / "env"

    def home(self, part: str) -> Path:
        """A part's own directory: working directory, data, scratch."""
        return self.directory / part

    def log(self, part: str) -> Path:
        """What a part printed."""
        return self.directory / "log" / f"{part}.log"

    def read_run(self) -> Run | None:
        """The run that was started here, if any. Raises UsageError if its record is damaged."""
        try:
            return Run(**json.loads(self.record.read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise UsageError(
                f"{self.record}: damaged: {error}", "end its processes, then remove the directory"
            ) from error

    def write_run(self, run: Run) -> None:
        """Replace the record in one step."""
        new = self.record.with_suffix(".new")
        new.write_text(json.dumps(asdict(run), indent=2))
        new.replace(self.record)

    def write_env(self, variables: Mapping[str, str]) -> None:
        """Write the env file, readable by its owner only."""
        lines = [f"export {name}={quote(value)}\n" for name, value in variables.items()]
        write_private(self.env, "".join(lines))

    def require_ours(self) -> None:
        """Raises UsageError if the directory holds something that no sandbox put there."""
        if not self.directory.is_dir():
            if self.directory.exists():
                raise UsageError(f"{self.directory} is not a directory", "choose another --state")
            return
        if any(self.directory.iterdir()) and not self.record.exists():
            raise UsageError(
                f"{self.directory} is not empty and not a sandbox's", "choose another --state"
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory for `up` or `down`, making it. Raises Locked if another one does."""
        self.require_ours()
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self.directory, os.O_RDONLY)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                same = os.path.samestat(os.fstat(handle), os.stat(self.directory))
            except OSError:
                same = False
            if not same:
                raise Locked(
                    f"another `datacore sandbox` is starting or stopping in {self.directory}",
                    "wait for it, or use another --state",
                )
            yield
        finally:
            os.close(handle)

    def discard(self) -> None:
        """Remove the directory and all in it; the record last, so that a cut-off try can go on."""
        self.require_ours()
        for entry in list(self.directory.iterdir()):
            if entry == self.record:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        self.record.unlink(missing_ok=True)
        self.directory.rmdir()


def quote(value: str) -> str:
    """`value` in single quotes, as the env file has it."""
    quoted = shlex.quote(value)
    return quoted if quoted.startswith("'") else f"'{quoted}'"


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whatever the umask."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
