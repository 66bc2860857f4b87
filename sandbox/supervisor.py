"""Brings parts up, each as soon as those it needs answer; if one fails, none is left.

Comes in: parts, a state directory, a run. Goes out: running processes that outlive this one.
"""

import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

from datacore.errors import DatacoreError, ServiceUnreachable
from sandbox import processes
from sandbox.part import Part, Site
from sandbox.ports import listening
from sandbox.state import Run, write_private

POLL = 0.2
"""Seconds between two questions to a part that does not answer yet."""

LOG_LINES = 15
"""How much of a failed part's log is shown."""


class PartFailed(ServiceUnreachable):
    """A part died or did not answer in time."""

    def __init__(self, part: Part, what: str, log: Path) -> None:
        super().__init__(
            f"{part.name} (port {part.port}): {what}",
            "its last lines:\n" + (last_lines(log, LOG_LINES) or "  (it printed nothing)"),
        )


class CutOff(Exception):
    """Another part failed, so this one need not go on."""


class Supervisor:
    """Starts the parts of one run. Used once."""

    def __init__(
        self, site: Site, parts: Sequence[Part], run: Run, ready: Callable[[Part, float], None]
    ) -> None:
        """`ready` is told each part that answers, with its seconds from start to answer."""
        self.site = site
        self.parts = parts
        self.run = run
        self._ready = ready
        self._answering = {part.name: threading.Event() for part in parts}
        self._stop = threading.Event()
        self._record = threading.Lock()

    def bring_up(self) -> Run:
        """Start all and return the run with their pids. Raises PartFailed, after ending all."""
        try:
            with ThreadPoolExecutor(len(self.parts)) as pool:
                futures = [pool.submit(self._start, part) for part in self.parts]
                try:
                    self._wait(futures)
                except BaseException:
                    # threads that still wait or ask give up as their processes end
                    self._stop.set()
                    processes.end_run(self.run.id)
                    raise
        except BaseException:
            processes.end_run(self.run.id)
            raise
        return self.run

    def bring_back(self, part: Part) -> Run:
        """Start `part` alone again, on the data that it left; the run with its new pid.

        Raises PartFailed, after ending it and no other.
        """
        try:
            self._start(replace(part, needs=(), before=(), furnish=None))
        except BaseException:
            processes.end_part(self.run.id, self.run.pids.get(part.name))
            raise
        return self.run

    def _wait(self, futures: Sequence[Future[None]]) -> None:
        done, _ = wait(futures, return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()

    def _start(self, part: Part) -> None:
        for need in part.needs:
            self._wait_for(self._answering[need])
        started = time.monotonic()
        state = self.site.state
        state.home(part.name).mkdir(parents=True, exist_ok=True)
        for path, text in part.files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_private(path, text)
        for command in part.before:
            code = self._spawn(part, command).wait()
            self._go_on()
            if code != 0:
                raise PartFailed(part, f"preparing it ended with {code}", state.log(part.name))
        process = self._spawn(part, part.command)
        with self._record:
            self.run = self.run.with_pid(part.name, process.pid)
            state.write_run(self.run)
        self._wait_until_it_answers(part, process)
        if part.furnish:
            try:
                part.furnish()
            except DatacoreError:
                raise
            except Exception as error:
                self._go_on()
                raise PartFailed(part, f"furnishing it: {error}", state.log(part.name)) from error
        self._answering[part.name].set()
        self._ready(part, time.monotonic() - started)

    def _spawn(self, part: Part, command: tuple[str, ...]) -> subprocess.Popen[bytes]:
        self._go_on()
        state = self.site.state
        environment = processes.part_environment(
            {**self.site.variables, **part.environment}, self.run.id, state.home(part.name)
        )
        log = state.log(part.name)
        log.parent.mkdir(exist_ok=True)
        return processes.spawn(command, environment, state.home(part.name), log)

    def _wait_until_it_answers(self, part: Part, process: subprocess.Popen[bytes]) -> None:
        log = self.site.state.log(part.name)
        deadline = time.monotonic() + part.patience
        while True:
            try:
                if not listening(part.port):
                    raise ConnectionRefusedError("it does not listen yet")
                part.ask()
            except Exception as error:  # noqa: BLE001 - whatever a client raises means: not yet
                answer = error
            else:
                return
            self._go_on()
            if (code := process.poll()) is not None:
                raise PartFailed(part, f"ended with {code}", log)
            if time.monotonic() > deadline:
                what = f"no answer in {part.patience:g} s: {answer}"
                raise PartFailed(part, " ".join(what.split()), log)
            self._stop.wait(POLL)

    def _wait_for(self, answering: threading.Event) -> None:
        while not answering.wait(POLL):
            self._go_on()

    def _go_on(self) -> None:
        if self._stop.is_set():
            raise CutOff


def last_lines(log: Path, count: int) -> str:
    """The last `count` lines of a log, indented; empty where there is none."""
    if not log.is_file():
        return ""
    lines = log.read_text(errors="replace").splitlines()[-count:]
    return "\n".join(f"  {line}" for line in lines)
