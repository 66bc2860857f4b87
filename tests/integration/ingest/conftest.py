"""A new topic, or a new stream, for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from ingest_stage import PARTITIONS, Stage, wait_until
from kafka.admin import NewTopic
from kinesis_stage import SHARDS, KinesisStage

from datacore.settings import ROOT

if TYPE_CHECKING:
    from tests.conftest import Sandbox


def claimed(folder: Path) -> tuple[str, Path]:
    """A new data type's name, and the directory of its contract: its topic is `<name>-topic`."""
    letters = uuid4().hex[:8].translate(str.maketrans("0123456789", "ghijklmnop"))
    name = f"ingest_{letters}"
    contracts = folder / "contracts"
    contracts.mkdir()
    text = (ROOT / "contracts" / "job_view.odcs.yaml").read_text()
    text = text.replace("value: marketplace", f"value: {name}-topic").replace("job_view", name)
    (contracts / f"{name}.odcs.yaml").write_text(text)
    return name, contracts


@pytest.fixture
def stage(sandbox: "Sandbox", tmp_path: Path) -> Iterator[Stage]:
    """A new topic and a contract that claims its records."""
    name, contracts = claimed(tmp_path)
    made = Stage(sandbox, f"{name}-topic", name, contracts, tmp_path)
    made.admin.create_topics([NewTopic(made.topic, PARTITIONS, -1)])
    wait_until(lambda: made.topic in made.admin.list_topics(), "the topic")
    yield made
    made.admin.close()
    end(made)


@pytest.fixture
def stream_stage(sandbox: "Sandbox", tmp_path: Path) -> Iterator[KinesisStage]:
    """A new stream and a contract that claims its records."""
    name, contracts = claimed(tmp_path)
    made = KinesisStage(sandbox, f"{name}-topic", name, contracts, tmp_path)
    made.kinesis.create_stream(StreamName=made.topic, ShardCount=SHARDS)
    yield made
    end(made)


def end(stage: Stage) -> None:
    """Kill what still runs, and clear away."""
    for process in stage.started:
        process.kill()
        process.wait()
    shutil.rmtree(stage.folder)
