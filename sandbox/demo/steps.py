"""The demo's steps: each is a command that a person could type, in the order of the data's way.

Comes in: where the simulated files are and how many events they hold. Goes out: a list of `Step`s.
Nothing here runs anything.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from datacore.settings import ROOT

DATACORE = (sys.executable, "-m", "datacore")
DBT = (str(Path(sys.executable).parent / "dbt"),)
WAREHOUSE = ("--project-dir", str(ROOT / "dbt_project" / "warehouse"))

TOPICS = {"marketplace": "marketplace.log", "experiments": "experiments.log"}
"""Topic to the name of the log file that feeds it on every host."""


@dataclass(frozen=True)
class Step:
    """One command with the sentence that says what it does for the reader."""

    title: str
    command: tuple[str, ...]


def rotation_order(file: Path) -> tuple[int, str]:
    """Oldest first: `x.log.2.gz`, `x.log.1`, `x.log`."""
    number = re.search(r"\.log\.(\d+)", file.name)
    return (-int(number.group(1)) if number else 0, file.name)


def simulate_step(logs: Path, events: int, seed: int) -> Step:
    """The files and their truth; `logs` must not exist yet or be empty."""
    return Step(
        f"Simulate {events:,} events of a job marketplace on several hosts",
        (*DATACORE, "simulate", "--out", str(logs), "--events", str(events), "--seed", str(seed)),
    )


def tail_steps(logs: Path) -> list[Step]:
    """One step a host and topic, over the files as they are on disk now."""
    steps = []
    for host in sorted(path for path in logs.iterdir() if path.is_dir()):
        for topic, log in TOPICS.items():
            files = sorted(host.glob(f"{log}*"), key=rotation_order)
            if not files:
                continue
            arguments = ("--topic", topic, "--host", host.name, "--once")
            steps.append(
                Step(
                    f"Tail {len(files)} files of {host.name} into Kafka topic {topic}",
                    (*DATACORE, "tail", *map(str, files), *arguments),
                )
            )
    return steps


def platform_steps(truth: Path) -> list[Step]:
    """From Kafka to the reconciled marts."""
    return [
        Step(
            "Land Kafka on S3 by type and hour; register in Glue",
            (*DATACORE, "land", "--until-caught-up"),
        ),
        Step(
            "Build the lake: staging, intermediate, roll-ups (dbt on Spark)",
            (*DBT, "build", "--project-dir", str(ROOT)),
        ),
        Step(
            "Load the roll-ups and build the marts (dbt on Redshift)",
            (*DBT, "build", *WAREHOUSE),
        ),
        Step(
            "Write the lake's docs",
            (*DBT, "docs", "generate", "--static", "--project-dir", str(ROOT)),
        ),
        Step("Write the warehouse's docs", (*DBT, "docs", "generate", "--static", *WAREHOUSE)),
        Step(
            "Reconcile every type, from the files to the marts",
            (*DATACORE, "reconcile", "--truth", str(truth)),
        ),
    ]
