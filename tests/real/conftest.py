"""Real data, where it is present, and the platform that it is sent through.

The data stay where they are, beside the checkout or where DATACORE_REAL_DATA says.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from github_contracts import write_contracts
from platform_client import HERE, PlatformClient

from datacore.settings import ROOT

if TYPE_CHECKING:
    from tests.conftest import Sandbox

DATA = Path(os.environ.get("DATACORE_REAL_DATA") or ROOT.parent / "shared" / "data")

CONTRACTS = HERE / "contracts"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs the data and the sandbox."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.real)
            item.add_marker(pytest.mark.sandbox)
            if not DATA.is_dir():
                item.add_marker(pytest.mark.skip(reason=f"no real data in {DATA}"))


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of the real data sets."""
    return DATA


@pytest.fixture(scope="session")
def contracts() -> Path:
    """The contracts of the data sets that have one data type a topic."""
    return CONTRACTS


@pytest.fixture(scope="session")
def github_contracts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The contracts of GitHub's 28 data types."""
    directory = tmp_path_factory.mktemp("github_contracts")
    write_contracts(directory)
    return directory


@pytest.fixture(scope="session")
def platform(
    sandbox: "Sandbox", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PlatformClient]:
    """The session's sandbox."""
    client = PlatformClient(sandbox, tmp_path_factory.mktemp("dbt"))
    yield client
    client.close()
