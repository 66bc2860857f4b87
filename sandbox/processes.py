"""Starts a part's processes so that they outlive us, finds them again, ends them all.

A process belongs to a run if it carries the run's id in its environment, or descends from one
that does, or shares a session with one. So a reused pid is never taken for ours, and a child that
left its parent (as PostgreSQL's do) is still found.
"""

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

RUN_VARIABLE = "DATACORE_SANDBOX_RUN"

FOREIGN_PREFIXES = ("AWS_", "DATACORE_", "HADOOP_", "HIVE_", "KAFKA_", "MOTO_", "PG", "SPARK_")
FOREIGN = frozenset({"CLASSPATH", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "LOG_DIR"})
"""Variables of the caller that would change what a part does."""

TERM_LIMIT = 10.0
"""Seconds that processes have to end by themselves."""
KILL_LIMIT = 5.0
POLL = 0.05
"""Seconds between two looks at processes that are to end."""


def part_environment(variables: Mapping[str, str], run_id: str, scratch: Path) -> dict[str, str]:
    """The caller's environment without what would mislead a part, and with what it needs."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(FOREIGN_PREFIXES) and name not in FOREIGN
    }
    ours = {RUN_VARIABLE: run_id, "TMPDIR": str(scratch), "PYTHONUNBUFFERED": "1"}
    return {**inherited, **variables, **ours}


def spawn(
    command: tuple[str, ...], environment: Mapping[str, str], directory: Path, log: Path
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, its output appended to `log`."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def of_run(run_id: str) -> list[psutil.Process]:
    """Every living process of the run."""
    living: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        if _carries(process, run_id):
            living[process.pid] = process
            living.update((child.pid, child) for child in _descendants(process))
    sessions = {_session(pid) for pid in living} - {None, _session(os.getpid())}
    for process in psutil.process_iter():
        if process.pid not in living and _session(process.pid) in sessions and _runs(process):
            living[process.pid] = process
    return list(living.values())


def of_part(run_id: str, pid: int | None) -> list[psutil.Process]:
    """A part's first process and its session's, or [] if the first is gone or another's by now."""
    if pid is None:
        return []
    try:
        first = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return []
    if not _carries(first, run_id):
        return []
    descendants = _descendants(first)
    return [first, *descendants]


def end_part(run_id: str, pid: int | None) -> list[int]:
    """End a part's processes: asked first, killed after a limit. The pids that remain."""
    family = of_part(run_id, pid)
    for process in family:
        _signal(process, kill=False)
    _, left = psutil.wait_procs(family, timeout=TERM_LIMIT)
    for process in left:
        _signal(process, kill=True)
    _, left = psutil.wait_procs(left, timeout=KILL_LIMIT)
    return [process.pid for process in left if _runs(process)]


def end_run(run_id: str) -> list[int]:
    """End every process of the run: asked first, killed after a limit. The pids that remain."""
    processes = of_run(run_id)
    for process in processes:
        _signal(process, kill=False)
    _wait_until_gone(processes, TERM_LIMIT)
    deadline = time.monotonic() + KILL_LIMIT
    while left := of_run(run_id):
        if time.monotonic() > deadline:
            return [process.pid for process in left]
        for process in left:
            _signal(process, kill=True)
        _wait_until_gone(left, 1.0)
    return []


def _wait_until_gone(processes: list[psutil.Process], limit: float) -> None:
    """Wait up to `limit` seconds. psutil's own waiting fails where a thread has got an old pid."""
    deadline = time.monotonic() + limit
    while any(one.is_running() and _runs(one) for one in processes):
        if time.monotonic() > deadline:
            return
        time.sleep(POLL)


def resident_bytes(processes: list[psutil.Process]) -> int:
    """Resident memory of the processes together; pages that they share count once for each."""
    total = 0
    for process in processes:
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total


def _carries(process: psutil.Process, run_id: str) -> bool:
    try:
        return process.environ().get(RUN_VARIABLE) == run_id and _runs(process)
    except (psutil.Error, OSError):
        return False


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [child for child in process.children(recursive=True) if _runs(child)]
    except psutil.Error:
        return []


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _signal(process: psutil.Process, *, kill: bool) -> None:
    try:
        process.kill() if kill else process.terminate()
    except psutil.NoSuchProcess:
        return
