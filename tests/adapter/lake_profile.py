"""A pytest plugin: dbt's functional tests on the sandbox, with this project's macros in their projects.

It stands in for the conftest.py of the adapter's suite. What `cannot.toml` names is run and must
fail, each for the reason given there; everything else must pass.
"""

import os
import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from dbt.tests.fixtures.project import *  # noqa: F403 — the fixtures of dbt's own plugin
from dbt.tests.util import write_file

from datacore.settings import ROOT, Address

CANNOT = Path(__file__).with_name("cannot.toml")


@pytest.fixture(scope="class")
def dbt_profile_target() -> dict[str, Any]:
    """The sandbox's Spark, as profiles.yml has it."""
    address = Address.parse(os.environ["DATACORE_THRIFT"], "DATACORE_THRIFT")
    return {
        "type": "spark",
        "method": "thrift",
        "host": address.host,
        "port": address.port,
        "user": "dbt",
        "threads": 4,
        "poll_interval": 1,
        "connect_retries": 3,
        "connect_timeout": 2,
    }


@pytest.fixture(scope="class")
def dbt_project_yml(project_root: Path, project_config_update: Any, unique_schema: str) -> Any:
    """The project of a test: its own configuration over this project's macros and locations."""
    bucket = os.environ["DATACORE_LAKE_BUCKET"]
    config = {
        "name": "test",
        "profile": "test",
        "flags": {"send_anonymous_usage_stats": False},
        "macro-paths": ["macros", str(ROOT / "macros" / "spark")],
        "models": {"+location_root": f"s3://{bucket}/{unique_schema}"},
        "snapshots": {"+location_root": f"s3://{bucket}/{unique_schema}"},
    }
    asked = project_config_update or {}
    if isinstance(asked, str):
        asked = yaml.safe_load(asked)
    for name, value in asked.items():
        own = config.get(name)
        config[name] = {**own, **value} if isinstance(own, Mapping) else value
    write_file(yaml.safe_dump(config), project_root, "dbt_project.yml")
    return config


def reasons() -> dict[str, str]:
    """Why a test cannot pass, by `file::class` or `file::class::test`."""
    groups = tomllib.loads(CANNOT.read_text())
    return {name: group["why"] for group in groups.values() for name in group["tests"]}


def reason_for(item: pytest.Item, known: Mapping[str, str]) -> str | None:
    """What is known of a test, or of its class."""
    name = f"{item.path.name}::{item.nodeid.partition('::')[2].partition('[')[0]}"
    return known.get(name) or known.get(name.rpartition("::")[0])


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "skip_profile(profile): of dbt-spark's suite; not heeded")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    known = reasons()
    for item in items:
        if why := reason_for(item, known):
            item.add_marker(pytest.mark.xfail(reason=why, strict=True))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many passed, and how many cannot, by reason."""
    told = terminalreporter.stats
    why = Counter(report.wasxfail.removeprefix("reason: ") for report in told.get("xfailed", []))
    terminalreporter.write_line(f"{len(told.get('passed', []))} pass")
    for reason, count in why.most_common():
        terminalreporter.write_line(f"{count} cannot: {reason}")
