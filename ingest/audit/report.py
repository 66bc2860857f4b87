"""A report for people, as tables, and for machines, as JSON.

Comes in: a `Report`. Goes out: text. What is wrong with the store and what is lost for good are two
tables: the one can be mended.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from rich.table import Table
from rich.text import Text

from ingest.audit.audit import Report
from ingest.audit.finding import Finding, FindingKind
from ingest.audit.sizes import Sizes

MIB = 1024 * 1024


def findings_table(findings: Iterable[Finding], title: str, rows: int) -> Table:
    """At most `rows` findings of a kind, the rest counted; the next step once a kind."""
    table = Table(title=title, title_justify="left", show_lines=True)
    table.add_column("finding", no_wrap=True)
    table.add_column("what is wrong", overflow="fold")
    table.add_column("next")
    for kind, found in by_kind(findings).items():
        lines = [f"{finding.key}: {finding.wrong}" for finding in found[:rows]]
        if len(found) > rows:
            lines.append(f"… and {len(found) - rows:,} more")
        name = f"{kind} ({len(found):,})" if len(found) > 1 else str(kind)
        # keys and reasons are text, whatever brackets they hold
        table.add_row(name, Text("\n".join(lines)), Text(found[0].next))
    return table


def by_kind(findings: Iterable[Finding]) -> dict[FindingKind, list[Finding]]:
    """Findings by kind, in the order of the kinds."""
    found: dict[FindingKind, list[Finding]] = defaultdict(list)
    for finding in findings:
        found[finding.kind].append(finding)
    return {kind: found[kind] for kind in FindingKind if kind in found}


def sizes_table(sizes: Iterable[Sizes]) -> Table:
    """How large the objects are that readers open, a row a data type."""
    table = Table(title="objects that readers open, as stored", title_justify="left")
    table.add_column("data type")
    for name in ("objects", "MiB", "median MiB", "below 1 MiB", "below 128 MiB"):
        table.add_column(name, justify="right")
    for one in sizes:
        table.add_row(
            one.data_type,
            f"{one.objects:,}",
            f"{one.bytes / MIB:,.2f}",
            f"{one.median / MIB:,.3f}",
            f"{one.below_small:.0%}",
            f"{one.below_large:.0%}",
        )
    return table


def summary(report: Report, seconds: float) -> str:
    """The last line."""
    faults = sum(not finding.is_loss for finding in report.findings)
    losses = len(report.findings) - faults
    line = (
        f"manifests {report.manifests} objects {report.objects} records {report.records} "
        f"bytes {report.bytes} wrong {faults} lost {losses} in {seconds:.1f} s"
    )
    if report.on_the_way:
        line += f"; {report.on_the_way} lines may still be on their way"
    return line


def as_json(report: Report, seconds: float) -> dict[str, Any]:
    """Everything, for machines."""
    return {
        "ok": not report.findings,
        "manifests": report.manifests,
        "objects": report.objects,
        "records": report.records,
        "bytes": report.bytes,
        "on_the_way": report.on_the_way,
        "seconds": round(seconds, 3),
        "findings": list(_findings(report.findings)),
        "sizes": [vars(one) for one in report.sizes],
    }


def _findings(findings: Iterable[Finding]) -> Iterator[dict[str, Any]]:
    for finding in findings:
        yield {
            "kind": str(finding.kind),
            "key": finding.key,
            "wrong": finding.wrong,
            "next": finding.next,
            "loss": finding.is_loss,
        }
