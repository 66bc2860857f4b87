"""A randomized run: logs are written, tailed and landed while processes are killed and paused at random.

`make soak SECONDS=60 SEED=1`. Comes in: how long, and the seed of every choice; only the machine's
timing is not repeated. Goes out: one line of figures, exit 1 with what differs. At the end everything is
drained, and each line written must be in Kafka once and on S3 once; `datacore audit` must agree.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from fault_child import STEPS, Break, Child
from fault_proxy import Fault, FaultProxy
from fault_stage import Platform, Stage

from datacore.settings import read_env_file

PARTITIONS = 3
LOGS = 2
QUICK = ("--cut-seconds", "0.5", "--cut-mib", "0.01")
TAIL_STEPS = ("begin", "send-lines", "send-position", "commit")
LAND_STEPS = (
    "rules",
    "manifest",
    "object",
    "acknowledge",
    "glue-hours",
    "glue-chain",
    "glue-block",
    "log-entry",
)
FAULTS = ("500", "503", "409", "reset", "reset-done", "twice")
OLD_S = 6.0
"""A process that is so old may always be harmed, a younger one the less often the younger it is."""
FAULTY = 0.02
"""Of the requests to S3 and Glue, how many are broken."""
EXPECTED = {0, 3, -signal.SIGKILL, -signal.SIGTERM}
"""Exit codes: done or told to stop; a service that was away; killed; stopped before it could listen."""


@dataclass
class Figures:
    """What happened."""

    kills: int = 0
    at_steps: int = 0
    pauses: int = 0
    stops: int = 0
    lines: int = 0
    codes: Counter[int] = field(default_factory=Counter)


@dataclass
class Worker:
    """A command that is started again whenever it ends."""

    name: str
    arguments: tuple[str | Path, ...]
    steps: Sequence[str]
    process: ForkServerProcess | None = None
    wakes_at: float = 0.0
    """When it is let go on; 0 while it runs."""
    started_at: float = 0.0
    killed: bool = False
    """By us, and not by its own break."""


class Soak:
    """One run on a stage of its own."""

    def __init__(self, stage: Stage, proxy: FaultProxy, seed: int) -> None:
        self._stage = stage
        self._proxy = proxy
        self._choose = random.Random(seed)
        self._written: list[bytes] = []
        self.figures = Figures()
        self.faults = [Fault(kind, self._sometimes, times=10**9) for kind in FAULTS]
        logs = [stage.folder / f"app-{number}.log" for number in range(LOGS)]
        for log in logs:
            log.touch()
        self._logs = logs
        self._turns = [0] * LOGS
        group = stage.land_arguments(*QUICK)
        alone = stage.land_arguments(*QUICK, "--until-caught-up")
        self._workers = [
            *(Worker(log.stem, stage.tail_arguments(log), TAIL_STEPS) for log in logs),
            *(Worker(f"group-{number}", group, LAND_STEPS) for number in range(2)),
            Worker("alone", alone, LAND_STEPS),
        ]

    def run(self, seconds: float) -> None:
        """Let it all run, and do harm."""
        choose = self._choose
        self._proxy.faults = self.faults
        began = time.monotonic()
        harm_at = began
        rotate_at = began + 10
        while (now := time.monotonic()) < began + seconds:
            self._write()
            for worker in self._workers:
                self._look_after(worker, now)
            if now >= harm_at:
                self._harm(now)
                harm_at = now + choose.uniform(0.1, 0.4)
            if now >= rotate_at:
                self._rotate(choose.randrange(LOGS))
                rotate_at = now + choose.uniform(10, 20)
            time.sleep(0.02)  # the pace of the writers
        self._proxy.faults = []

    def drain(self) -> str | None:
        """End everything, send and land what is left; what differs."""
        stage = self._stage
        for worker in self._workers:
            if worker.process is not None:
                self._wake(worker)
                worker.process.terminate()
        for worker in self._workers:
            if worker.process is not None:
                self._count(worker, stage.wait(worker.process))
        for log in self._logs:
            every = sorted(log.parent.glob(f"{log.name}*"))
            if (code := stage.tail(*every)) != 0:
                return f"tail of {log.name} exits with {code}\n{stage.told()[-4000:]}"
        if (code := stage.land()) != 0:
            return f"land exits with {code}\n{stage.told()[-4000:]}"
        if unexpected := set(self.figures.codes) - EXPECTED:
            return f"processes exited with {sorted(unexpected)}\n{stage.told()[-20000:]}"
        return self._differs()

    def _differs(self) -> str | None:
        kafka = self._stage.kafka()
        sent, written = Counter(kafka.values.values()), Counter(self._written)
        if sent != written:
            return f"in Kafka: missing {written - sent}; too many {sent - written}"
        try:
            self._stage.witness.check(kafka, self._stage.platform.glue)
        except AssertionError as error:
            return f"on S3: {error}"
        done = subprocess.run(
            [sys.executable, "-m", "datacore", "audit"],
            env={**os.environ, **self._stage.platform.env},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        return None if done.returncode == 0 else f"the audit: {done.stdout}{done.stderr}"

    def _sometimes(self, method: str, path: str, operation: str) -> bool:
        return self._choose.random() < FAULTY / len(FAULTS)

    def _write(self) -> None:
        for log in self._logs:
            lines = self._stage.lines(self._choose.randrange(4))
            self._stage.write(log.name, lines)
            self._written += lines
            self.figures.lines += len(lines)

    def _rotate(self, number: int) -> None:
        log = self._logs[number]
        self._turns[number] += 1
        log.rename(log.with_name(f"{log.name}.{self._turns[number]}"))
        log.touch()

    def _look_after(self, worker: Worker, now: float) -> None:
        """Start what ended; wake what slept long enough."""
        if worker.wakes_at and now >= worker.wakes_at:
            self._wake(worker)
        if worker.process is not None and worker.process.exitcode is None:
            return
        if worker.process is not None:
            self._count(worker, worker.process.exitcode)
        where = None
        if self._choose.random() < 0.7:
            step = self._choose.choice(worker.steps)
            assert step in STEPS
            nth = self._choose.choice((0, 0, 1, 2, 5))
            where = Break(step, nth, self._choose.random() < 0.5)
        env = {} if worker.name.startswith("app") else {"AWS_ENDPOINT_URL": self._proxy.url}
        worker.process = self._stage.start(*worker.arguments, how=Child(where), env=env)
        worker.wakes_at = 0.0
        worker.started_at = now

    def _count(self, worker: Worker, code: int | None) -> None:
        assert code is not None
        self.figures.codes[code] += 1
        if code == -signal.SIGKILL:
            self.figures.kills += 1
            self.figures.at_steps += not worker.killed
        worker.killed = False

    def _harm(self, now: float) -> None:
        """Kill, pause or stop one that runs, most often one that had time to get to work."""
        running = [
            w for w in self._workers
            if w.process is not None and w.process.is_alive() and not w.wakes_at
        ]  # fmt: skip
        if not running:
            return
        worker = self._choose.choice(running)
        if now - worker.started_at < self._choose.uniform(0, OLD_S):
            return
        assert worker.process is not None
        assert worker.process.pid is not None
        what = self._choose.random()
        if what < 0.7:
            worker.process.kill()
            worker.killed = True
        elif what < 0.85:
            os.kill(worker.process.pid, signal.SIGSTOP)
            worker.wakes_at = now + self._choose.choice((0.3, 1.0, 8.0))
            self.figures.pauses += 1
        else:
            worker.process.terminate()
            self.figures.stops += 1

    def _wake(self, worker: Worker) -> None:
        if worker.wakes_at and worker.process is not None and worker.process.pid is not None:
            os.kill(worker.process.pid, signal.SIGCONT)
            worker.wakes_at = 0.0


def sandbox(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "datacore", "sandbox", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)


def soak(seconds: float, seed: int, folder: Path) -> int:
    """Run on a sandbox of its own; the exit code."""
    state = folder / "sandbox"
    sandbox("up", "kafka", "aws", "--state", state, "--free-ports")
    try:
        platform = Platform.of(read_env_file(state / "env"))
        proxy = FaultProxy(platform.env["AWS_ENDPOINT_URL"].removeprefix("http://"))
        stage = Stage.make(platform, folder, PARTITIONS)
        try:
            run = Soak(stage, proxy, seed)
            run.run(seconds)
            faults = sum(fault.met for fault in run.faults)
            differs = run.drain()
            told = run.figures
            cuts = sum(len(chain) for chain in stage.witness.manifests().values())
            print(
                f"soak of {seconds:g} s, seed {seed}: {told.kills} kills"
                f" ({told.at_steps} of them at a chosen step), {told.pauses} pauses,"
                f" {told.stops} told to stop, {faults} requests broken; {told.lines} lines in"
                f" {cuts} cuts; {'a difference' if differs else '0 differences'}"
            )
            if differs:
                print(differs, file=sys.stderr)
            return 1 if differs else 0
        finally:
            stage.close()
            proxy.close()
            platform.close()
    finally:
        sandbox("down", "--state", state)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--seconds", type=float, default=60)
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        sys.exit(soak(given.seconds, given.seed, Path(folder)))


if __name__ == "__main__":
    main()
