"""The metastore's calls on a stub Glue, with files on a temporary disk."""

from pathlib import Path

import pytest
from hmsclient.genthrift.hive_metastore import ttypes
from hypothesis import HealthCheck, settings
from stub_glue import StubGlue

from metastore.calls.catalog import Catalog
from metastore.commands import answers_of
from metastore.files import Files
from metastore.glue import Glue
from metastore.glue.faults import Backoff
from metastore.wire.answers import Answers

# A busy machine is no failure: what is tested is the answer, not its time.
settings.register_profile("metastore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("metastore")


@pytest.fixture
def stub() -> StubGlue:
    return StubGlue()


@pytest.fixture
def pauses() -> list[float]:
    """The seconds that the client waited between attempts."""
    return []


@pytest.fixture
def glue(stub: StubGlue, pauses: list[float]) -> Glue:
    return Glue(stub, Backoff(pause=pauses.append, chance=lambda: 1.0))


@pytest.fixture
def catalog(glue: Glue, tmp_path: Path) -> Catalog:
    return Catalog(glue, Files(s3=None), f"file:{tmp_path}/warehouse", cache_seconds=60)


@pytest.fixture
def answers(catalog: Catalog) -> Answers:
    """All calls, with the database `lake` on the temporary disk."""
    answering = answers_of(catalog)
    answering.create_database(ttypes.Database("lake", None, None, {}, None, None, None))
    return answering
