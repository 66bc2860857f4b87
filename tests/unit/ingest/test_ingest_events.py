"""docs/operations.md lists every event that the code logs, with its level, and no other."""

import ast
import re

import pytest

from datacore.settings import ROOT
from ingest.land.commands import land
from ingest.meter_prometheus import PrometheusMeter

LEVELS = {"info", "warning", "error"}


def logged() -> dict[str, str]:
    """Every `log.<level>("<event>", …)` of ingest and of the server of its metrics."""
    found: dict[str, str] = {}
    for path in [*(ROOT / "ingest").rglob("*.py"), ROOT / "datacore" / "metrics.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "log"
                and node.func.attr in LEVELS
            ):
                event = node.args[0]
                assert isinstance(event, ast.Constant), f"{path}:{node.lineno}: no plain name"
                assert found.get(event.value, node.func.attr) == node.func.attr
                found[event.value] = node.func.attr
    return found


def text() -> str:
    return (ROOT / "docs" / "operations.md").read_text()


def test_every_event_is_documented_with_its_level() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (info|warning|error) \|", text(), re.MULTILINE)
    assert dict(rows) == logged()


def test_every_error_and_warning_says_what_to_do() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (?:warning|error) \|.*\| (.*?) ?\|$", text(), re.MULTILINE)
    assert len(rows) > 5
    assert [event for event, advice in rows if not advice.strip()] == []


def test_every_metric_is_documented() -> None:
    named = {
        prefix + name
        for row in re.findall(r"^\| (`datacore_.*?) \|", text(), re.MULTILINE)
        for prefix, name in _spelled_out(re.findall(r"`(\w+)`", row))
    }
    families = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in PrometheusMeter().registry.collect()
        if family.name.startswith("datacore_")
    }
    assert named == families


def _spelled_out(names: list[str]) -> list[tuple[str, str]]:
    """`datacore_land_cuts_total`, `_adopted_cuts_total`: the later ones share the first's beginning."""
    room = re.match(r"datacore_(land_|tail_)?", names[0])
    assert room is not None
    return [("", name) if name.startswith("datacore") else (room[0][:-1], name) for name in names]


def test_metrics_are_off_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATACORE_METRICS_PORT", raising=False)
    given = land.make_context("land", []).params
    assert (given["metrics_host"], given["metrics_port"]) == ("127.0.0.1", None)
    monkeypatch.setenv("DATACORE_METRICS_PORT", "9464")
    monkeypatch.setenv("DATACORE_METRICS_HOST", "0.0.0.0")
    given = land.make_context("land", []).params
    assert (given["metrics_host"], given["metrics_port"]) == ("0.0.0.0", 9464)
