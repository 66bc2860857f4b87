"""The lake on the session's sandbox: a few events of two days, landed and built once."""

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from lake_dbt import DbtProject, Probe, probe_of
from lake_events import FIRST, SECOND, application, exposure, land, posting, search, view

from datacore.settings import ROOT

if TYPE_CHECKING:
    from tests.conftest import Sandbox


@pytest.fixture(scope="session")
def lake(sandbox: "Sandbox", tmp_path_factory: pytest.TempPathFactory) -> Iterator[DbtProject]:
    """The project `lake`, built once a session: landed twice, its events would count twice."""
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
    built = project.dbt("run")
    assert built.exit_code == 0, built.text
    yield project
    project.query("drop database {db} cascade")


@pytest.fixture(scope="module")
def probe(sandbox: "Sandbox", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Probe]:
    """A project of one model, whose SQL the tests write."""
    made = probe_of(sandbox, tmp_path_factory.mktemp("probe"), f"t{uuid.uuid4().hex[:8]}")
    yield made
    made.project.query("drop database {db} cascade")
