"""A new topic for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from ingest_stage import PARTITIONS, Stage, wait_until
from kafka.admin import NewTopic

from datacore.settings import ROOT

if TYPE_CHECKING:
    from tests.conftest import Sandbox


@pytest.fixture
def stage(sandbox: "Sandbox", tmp_path: Path) -> Iterator[Stage]:
    """A new topic and a contract that claims its records."""
    letters = uuid4().hex[:8].translate(str.maketrans("0123456789", "ghijklmnop"))
    name = f"ingest_{letters}"
    contracts = tmp_path / "contracts"
    contracts.mkdir()
    text = (ROOT / "contracts" / "job_view.odcs.yaml").read_text()
    text = text.replace("value: marketplace", f"value: {name}-topic").replace("job_view", name)
    (contracts / f"{name}.odcs.yaml").write_text(text)
    made = Stage(sandbox, f"{name}-topic", name, contracts, tmp_path)
    made.admin.create_topics([NewTopic(made.topic, PARTITIONS, -1)])
    wait_until(lambda: made.topic in made.admin.list_topics(), "the topic")
    yield made
    made.admin.close()
    for process in made.started:
        process.kill()
        process.wait()
    shutil.rmtree(tmp_path)
