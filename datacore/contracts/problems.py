"""What is wrong in a contract: a fact with its place, collected before any is raised.

Comes in: facts found by the reader. Goes out: `ContractError`, which names every one of them with
file, line, field, value and next step. Nothing here reads files.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from datacore.errors import UsageError, shorten


@dataclass(frozen=True, order=True)
class Problem:
    """One fact about one place of a contract.

    `field` is the path as a person would say it (`schema[0].properties[job_id].physicalType`), empty
    for the file as a whole; `value` is what stands there, as text, or None where nothing does.
    """

    file: Path
    line: int
    field: str
    fact: str
    value: str | None
    next_step: str

    def __str__(self) -> str:
        place = f"{shown(self.file)}:{self.line}"
        field = f"{self.field}: " if self.field else ""
        value = "" if self.value is None else f" (found {shorten(self.value)})"
        return f"{place}: {field}{self.fact}{value}; {self.next_step}"


class ContractError(UsageError):
    """Contracts that cannot be used, with all that is wrong in them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        lines = [str(problem) for problem in self.problems]
        if len(lines) > 1:
            lines = [f"{len(lines)} problems in the contracts", *(f"  {line}" for line in lines)]
        super().__init__(
            "\n".join(lines),
            "`datacore type check` checks again; docs/contracts.md explains the fields",
        )


def shown(file: Path) -> str:
    """The path as a person would type it from here: relative where it lies below."""
    relative = os.path.relpath(file)
    return str(file) if relative.startswith("..") else relative
