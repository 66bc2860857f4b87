"""The simulation: the marketplace's events, through their troubles, into the hosts' files.

Comes in: `Options`. Goes out: log files and the truth about them, a pure function of the options.
Memory holds the events that are still to be written (late ones, follow-ups) and the truth's counts.
"""

import heapq
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from sandbox.simulate.clock import DAY, Period
from sandbox.simulate.files import RotatedLog
from sandbox.simulate.marketplace import Event, Marketplace
from sandbox.simulate.troubles import (
    REPEATED,
    Fate,
    Line,
    lateness,
    lateness_name,
    write_line,
)
from sandbox.simulate.truth import TOPICS, Truth

PROGRESS_EVERY = 5000
LONGEST_REPEAT_GAP = 6 * 3_600_000


@dataclass(frozen=True)
class Options:
    """What to simulate: `events` log lines in all, by `hosts` hosts on `days` days from `start`."""

    events: int
    seed: int
    days: int
    hosts: int
    start: date

    def document(self) -> dict[str, Any]:
        """The options as the truth shows them."""
        return {**asdict(self), "start": self.start.isoformat()}


@dataclass(slots=True)
class _Repeat:
    """A line that is to be written again."""

    line: Line


class Simulation:
    """Writes `options.events` lines below a directory."""

    def __init__(self, options: Options, directory: Path) -> None:
        self.options = options
        self.directory = directory
        self.rng = Random(options.seed)  # noqa: S311 - the same seed gives the same files
        self.period = Period(options.start, options.days)
        self.marketplace = Marketplace(self.rng, options.events)
        self.truth = Truth()
        self.hosts = [f"web-{number:02d}" for number in range(1, options.hosts + 1)]
        self.logs = {
            (host, topic): RotatedLog(directory / host / f"{topic}.log")
            for host in self.hosts
            for topic in dict.fromkeys(TOPICS.values())
        }
        self._due: list[tuple[int, int, Event | _Repeat]] = []
        self._scheduled = 0

    def run(self, progress: Callable[[int], None]) -> dict[str, Any]:
        """Write all lines and return the truth. `progress` is told how many lines are written."""
        events = self.options.events
        day = self.period.first // DAY
        for number in range(events):
            share = (number + self.rng.random()) / events
            now = self.period.moment(share)
            if now // DAY != day:
                day = now // DAY
                self._rotate()
            self._write(self._next(now), share, now)
            if number % PROGRESS_EVERY == 0:
                progress(number)
        for log in self.logs.values():
            log.close()
        progress(events)
        return self.truth.document(self.options.document(), self._files())

    def _next(self, now: int) -> Event | _Repeat:
        """What is due by `now`; where nothing is, somebody acts."""
        if not self._due or self._due[0][0] > now:
            for event in self.marketplace.act(now):
                if event.at < self.period.end:
                    self._schedule(event.at + lateness(self.rng), event)
        return heapq.heappop(self._due)[2]

    def _schedule(self, moment: int, what: Event | _Repeat) -> None:
        self._scheduled += 1
        heapq.heappush(self._due, (moment, self._scheduled, what))

    def _write(self, what: Event | _Repeat, share: float, now: int) -> None:
        host = int(self.rng.random() * self.options.hosts)
        if isinstance(what, _Repeat):
            line, topic = what.line, TOPICS[what.line.data_type or ""]
            self.truth.add_repeat(line)
        else:
            line, topic = write_line(what, host, share, self.rng), TOPICS[what.data_type]
            self.truth.add(what, line, lateness_name(now - what.at))
        self.logs[self.hosts[host], topic].write(line.data)
        if line.fate in (Fate.STAGED, Fate.REJECTED) and self.rng.random() < REPEATED:
            gap = int(self.rng.random() ** 3 * LONGEST_REPEAT_GAP)
            self._schedule(now + gap, _Repeat(line))

    def _rotate(self) -> None:
        for log in self.logs.values():
            log.rotate()

    def _files(self) -> dict[str, dict[str, int]]:
        files: dict[str, dict[str, int]] = {}
        for (_, topic), log in self.logs.items():
            for path, lines in log.lines().items():
                files.setdefault(topic, {})[path.relative_to(self.directory).as_posix()] = lines
        return files
