"""The lake on the session's sandbox: a few events of three days, landed and built once."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from datacore.settings import ROOT
from dbt_project import DbtProject

if TYPE_CHECKING:
    from tests.conftest import Sandbox

FIRST, SECOND = "2025-03-01", "2025-03-02"
"""Days that no other test writes to."""


def event(number: int, data_type: str, day: str, **fields: Any) -> dict[str, Any]:
    """A record of the marketplace at 05:00 of a day."""
    occurred_at = f"{day}T05:00:00.{number:03}Z"
    event_id = str(uuid.UUID(int=number))
    return {"event_id": event_id, "type": data_type, "occurred_at": occurred_at, **fields}


def search(number: int, day: str, **fields: Any) -> dict[str, Any]:
    known = {"search_id": f"s{number}", "user_id": "u1", "query": "日本", "category": "nursing"}
    return event(number, "search", day, **{**known, "results": 3, **fields})


def view(number: int, day: str, **fields: Any) -> dict[str, Any]:
    known = {"job_id": "j1", "user_id": "u1", "category": "nursing", "duration_ms": 40}
    return event(
        number, "job_view", day, **{**known, "source": "search", "device": "phone", **fields}
    )


def posting(number: int, day: str, action: str) -> dict[str, Any]:
    known = {"job_id": "j1", "employer_id": "e1", "title": "Krankenpfleger", "category": "nursing"}
    return event(number, "job_posting", day, action=action, remote=False, **known)


def application(number: int, day: str) -> dict[str, Any]:
    known = {"application_id": "a1", "job_id": "j1", "user_id": "u1", "category": "nursing"}
    return event(number, "job_application", day, **known)


def exposure(number: int, day: str) -> dict[str, Any]:
    known = {"experiment_id": "ranking", "variant": "control", "user_id": "u1"}
    return {**event(number, "", day, **known), "type": None}


def land(sandbox: "Sandbox", folder: Path, topic: str, events: list[dict[str, Any]]) -> None:
    """Bring events the way that log lines go: file, Kafka, S3, Glue."""
    log = folder / f"{topic}-{uuid.uuid4().hex}.log"
    log.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in events))
    sandbox.run("tail", log, "--topic", topic, "--host", log.stem, "--once")
    sandbox.run("land", "--topic", topic, "--until-caught-up")


@pytest.fixture(scope="module")
def lake(sandbox: "Sandbox", tmp_path_factory: pytest.TempPathFactory) -> Iterator[DbtProject]:
    """The project `lake`, built once."""
    folder = tmp_path_factory.mktemp("lake")
    marketplace = [
        search(1, FIRST),
        search(1, FIRST),
        search(2, FIRST, results="many"),
        search(3, SECOND),
        view(4, FIRST),
        view(5, FIRST, duration_ms=2**70),
        view(6, FIRST, user_id=None),
        view(7, SECOND),
        application(8, SECOND),
        posting(9, FIRST, "posted"),
        posting(10, SECOND, "closed"),
    ]
    land(sandbox, folder, "marketplace", marketplace)
    land(sandbox, folder, "experiments", [exposure(11, FIRST), exposure(12, SECOND)])
    project = DbtProject(sandbox, ROOT, f"t{uuid.uuid4().hex[:8]}", folder)
    built = project.dbt("build")
    assert built.exit_code == 0, built.text
    yield project
    project.query("drop database {db} cascade")


@pytest.fixture(scope="module")
def probe(sandbox: "Sandbox", tmp_path_factory: pytest.TempPathFactory) -> Iterator["Probe"]:
    """A project of one model, whose SQL the tests write."""
    root = tmp_path_factory.mktemp("probe")
    macros = [str(ROOT / "macros" / folder) for folder in ("spark", "shared")]
    (root / "dbt_project.yml").write_text(
        json.dumps({"name": "probe", "profile": "lake", "macro-paths": macros})
    )
    (root / "models").mkdir()
    project = DbtProject(sandbox, root, f"t{uuid.uuid4().hex[:8]}", root / "target")
    yield Probe(project)
    project.query("drop database {db} cascade")


class Probe:
    """The model `probe`, by day with the key `n`; its data come from its own SQL."""

    def __init__(self, project: DbtProject) -> None:
        self.project = project

    def write(self, sql: str) -> None:
        """Write the model."""
        location = (
            f"s3://{self.project.sandbox.env['DATACORE_LAKE_BUCKET']}/{self.project.database}"
        )
        config = (
            "config(materialized='incremental', incremental_strategy='swap_partitions',"
            f" partition_by='dt', unique_key=['dt', 'n'], location_root='{location}')"
        )
        model = self.project.project / "models" / "probe.sql"
        model.write_text("{{ " + config + " }}\n" + sql)

    def rows(self) -> list[tuple[Any, ...]]:
        """What readers see."""
        return self.project.query("select * from {db}.probe order by dt, n")
