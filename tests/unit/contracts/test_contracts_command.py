"""`datacore type` as a person runs it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from datacore.cli import main
from datacore.contracts import load_contracts
from datacore.contracts.sources import dbt_sources
from datacore.settings import ROOT


class Run(NamedTuple):
    code: int
    out: str
    err: str


Datacore = Callable[..., Run]


@pytest.fixture
def datacore(capsys: pytest.CaptureFixture[str]) -> Datacore:
    """`datacore type …` in this process."""

    def run(*arguments: object) -> Run:
        code = 0
        try:
            main(["type", *map(str, arguments)])
        except SystemExit as stop:
            code = int(stop.code or 0)
        return Run(code, *capsys.readouterr())

    return run


def test_check_prints_a_line_a_type(datacore: Datacore) -> None:
    run = datacore("check", ROOT / "contracts")

    assert run.code == 0
    assert "job_view" in run.out
    assert "valid contracts: 5" in run.out


def test_check_names_the_mistakes_and_exits_2(
    datacore: Datacore, valid: str, tmp_path: Path
) -> None:
    (tmp_path / "click.odcs.yaml").write_text(valid.replace("domain: web", "domain: W"))

    run = datacore("check", tmp_path)

    assert run.code == 2
    assert "click.odcs.yaml:7: domain: is not lower_snake" in run.err
    assert "Traceback" not in run.err


def test_list_gives_a_name_a_line(datacore: Datacore) -> None:
    assert datacore("list").out.split() == [one.name for one in load_contracts(ROOT / "contracts")]


def test_sources_are_written_once_and_then_equal(
    datacore: Datacore, valid: str, tmp_path: Path
) -> None:
    (tmp_path / "click.odcs.yaml").write_text(valid)
    out = tmp_path / "models" / "_sources.yml"
    arguments = ("sources", "--contracts", tmp_path, "--out", out)

    assert datacore(*arguments, "--check").code == 1
    assert not out.exists()
    assert datacore(*arguments).code == 0
    assert datacore(*arguments, "--check").code == 0
    assert out.read_text().startswith("# Made from the contracts by `datacore type sources`")


def test_the_committed_sources_are_what_the_contracts_say(datacore: Datacore) -> None:
    assert datacore("sources", "--check").code == 0


def test_sources_say_all_that_staging_needs(valid: str, tmp_path: Path) -> None:
    (tmp_path / "click.odcs.yaml").write_text(valid)

    (source,) = yaml.safe_load(dbt_sources(load_contracts(tmp_path)))["sources"]

    (table,) = source["tables"]
    meta = table["config"]["meta"]
    columns = {column["name"]: column for column in table["columns"]}
    assert (source["name"], source["schema"], table["name"]) == ("raw", "raw", "click")
    assert (meta["event_id"], meta["event_time"]) == (["id"], "clicked_at")
    assert columns["page"]["data_type"] == "struct<url:string,seen_at:bigint>"
    assert columns["clicked_at"]["config"]["meta"] == {
        "logical_type": "timestamp",
        "required": True,
        "event_id": False,
        "time_unit": "iso8601",
    }
    assert [*columns][-3:] == ["_corrupt_record", "dt", "hour"]


def test_dbt_reads_the_sources_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("dbt.cli.main")
    (tmp_path / "models").mkdir()
    text = dbt_sources(load_contracts(ROOT / "contracts"))
    (tmp_path / "models" / "_sources.yml").write_text(text)
    (tmp_path / "dbt_project.yml").write_text("name: t\nversion: 1.0.0\nprofile: t\n")
    (tmp_path / "profiles.yml").write_text(
        "t: {target: a, outputs: {a: {type: spark, method: thrift, host: h, schema: lake}}}\n"
    )

    run = subprocess.run(
        [Path(sys.executable).parent / "dbt", "--warn-error", "parse", "--show-all-deprecations"],
        cwd=tmp_path,
        env={
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "HOME": str(tmp_path),
            "PATH": "/usr/bin:/bin",
        },
        capture_output=True,
        text=True,
    )

    assert run.returncode == 0, run.stdout
    assert "Deprecat" not in run.stdout
