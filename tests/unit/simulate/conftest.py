"""One simulation of 20,000 lines for all tests that only read it."""

import json
from pathlib import Path
from typing import Any

import pytest

from datacore.contracts import Contract, load_contracts
from datacore.settings import ROOT
from tests.unit.simulate.simulated import OPTIONS, write


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("simulated")
    write(directory, OPTIONS)
    return directory


@pytest.fixture(scope="session")
def truth(logs: Path) -> Any:
    return json.loads((logs / "truth.json").read_text())


@pytest.fixture(scope="session")
def contracts() -> tuple[Contract, ...]:
    return load_contracts(ROOT / "contracts")
