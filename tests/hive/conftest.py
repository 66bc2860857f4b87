"""A sandbox whose Spark and lander use a real Hive Metastore; nothing of it is in Glue."""

import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hive_metastore import hive_metastore

from datacore.settings import ROOT
from sandbox.platform import make_site
from sandbox.ports import HOST, choose_ports, free_ports
from sandbox.state import State
from tests.conftest import Sandbox, running_sandbox

sys.path.append(str(ROOT / "tests" / "integration" / "lake"))  # events, and dbt as analysts run it


@pytest.fixture(scope="session")
def on_hive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Kafka, S3, the Hive Metastore and Spark on it."""
    folder = tmp_path_factory.mktemp("hive")
    state = tmp_path_factory.mktemp("platform") / "sandbox"
    ports = choose_ports(free=True)
    (port,) = free_ports(1)
    variables = make_site(State(state), ports).variables
    conf = f"spark.hadoop.hive.metastore.uris=thrift://{HOST}:{port}"
    with pytest.MonkeyPatch.context() as patch, hive_metastore(folder, port, variables):
        patch.setenv("DATACORE_SANDBOX_SPARK_CONF", conf)
        moved = ("--port", f"aws={ports['aws']}")
        with running_sandbox(state, *moved, "kafka", "aws", "thrift") as running:
            settings = {"DATACORE_CATALOG": "hive", "DATACORE_METASTORE": f"{HOST}:{port}"}
            yield replace(running, env={**running.env, **settings})
