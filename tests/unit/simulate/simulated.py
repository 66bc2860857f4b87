"""Simulations for tests: the usual options, and how to write one."""

import json
from datetime import date
from pathlib import Path
from typing import Any

from sandbox.simulate.output import fill
from sandbox.simulate.simulation import Options, Simulation

OPTIONS = Options(events=20_000, seed=7, days=3, hosts=3, start=date(2026, 1, 1))


def write(directory: Path, options: Options) -> dict[str, Any]:
    fill(directory, False, lambda out: Simulation(options, out).run(lambda written: None))
    truth: dict[str, Any] = json.loads((directory / "truth.json").read_text())
    return truth
