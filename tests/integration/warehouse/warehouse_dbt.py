"""`dbt … --project-dir dbt_project/warehouse` in this process, and what it said.

Comes in: arguments of dbt. Goes out: whether it went well, its lines, and its results by node.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbt.cli.main import dbtRunner


@dataclass(frozen=True)
class Built:
    """What one run of dbt said."""

    success: bool
    lines: list[str]
    """As on the screen."""
    nodes: dict[str, Any]
    """Result by the node's name."""
    target: Path

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def catalog(self) -> Any:
        """What `dbt docs generate` wrote."""
        return json.loads((self.target / "catalog.json").read_text())

    def message(self, node: str) -> str:
        return str(self.nodes[node].message)


def run_dbt(target: Path, *arguments: str) -> Built:
    """Run dbt from the checkout's root; `target` takes what it writes."""
    lines: list[str] = []

    def hear(event: Any) -> None:
        if event.info.level != "debug":
            lines.append(event.info.msg)

    done = dbtRunner(callbacks=[hear]).invoke(
        [
            *("--quiet", "--no-use-colors", "--log-path", str(target)),
            *arguments,
            *("--project-dir", "dbt_project/warehouse", "--target-path", str(target)),
        ]
    )
    nodes = {found.node.name: found for found in getattr(done.result, "results", ())}
    return Built(done.success, lines, nodes, target)
