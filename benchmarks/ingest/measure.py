"""Runs a sink and measures it: CPU of the process and its children, wall, peak memory.

Comes in: a command. Goes out: a `Run`. CPU is what the kernel counted until the process and its
children had ended; memory is its high-water mark, looked at until shortly before the end.
"""

import os
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One run of a sink to the end of a topic."""

    cpu: float
    """Seconds of user and system time, of children too."""
    wall: float
    """Seconds from start to end."""
    memory: int
    """The most bytes that the process had resident (of Spark: Java, without the driver's Python)."""


@dataclass(frozen=True)
class Steady:
    """What one pass more costs: the run over twice the data less the run over it once."""

    once: Run
    twice: Run
    bytes: int
    """Of one pass."""
    records: int

    @property
    def cpu(self) -> float:
        """Seconds of CPU for a pass."""
        return self.twice.cpu - self.once.cpu

    @property
    def mb_per_cpu_second(self) -> float:
        """Megabytes of values (10^6 bytes)."""
        return self.bytes / 1e6 / self.cpu

    @property
    def records_per_cpu_second(self) -> float:
        """Records of a pass."""
        return self.records / self.cpu

    @property
    def mb_per_second(self) -> float:
        """Megabytes a second of wall time."""
        return self.bytes / 1e6 / (self.twice.wall - self.once.wall)

    @property
    def memory(self) -> int:
        """The most bytes that either run had resident."""
        return max(self.once.memory, self.twice.memory)


def run(command: Sequence[str], variables: Mapping[str, str], log: Path) -> Run:
    """Run `command` to its end. Raises RuntimeError with its last words if it fails."""
    began = time.monotonic()
    memory = 0
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=variables, stdout=out, stderr=out)
        while True:
            pid, status, used = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            memory = high_water(process.pid) or memory
            time.sleep(0.02)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - began
    if process.returncode:
        words = log.read_text(errors="replace")[-3_000:]
        raise RuntimeError(f"{' '.join(command)[:200]} ended with {process.returncode}\n{words}")
    return Run(used.ru_utime + used.ru_stime, wall, memory)


def high_water(pid: int) -> int:
    """The most bytes that the process had resident so far; 0 if it is gone.

    Not ru_maxrss: that counts what the parent had when it started the process.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0
