"""A Spark whose metastore speaks TLS, as where the two are not on one machine."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from spark_sql import Query

from tests.certificates import Authority

if TYPE_CHECKING:
    from tests.conftest import Sandbox

pytestmark = pytest.mark.sandbox

PASSWORD = "of-the-trust-store"
JOB = """
import sys
from pyspark.sql import SparkSession

spark = SparkSession.builder.enableHiveSupport().getOrCreate()
spark.sql(f"create table {sys.argv[1]}.over_tls using parquet as select 7 as n")
"""


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


@pytest.fixture
def port(sandbox: "Sandbox", authority: Authority) -> Iterator[int]:
    """Where a metastore on the sandbox's Glue speaks TLS alone."""
    pair = authority.pair("server")
    command = [
        *(sys.executable, "-m", "datacore", "metastore", "--port", "0"),
        *("--tls-cert", str(pair.certificate), "--tls-key", str(pair.key)),
    ]
    environment = {**os.environ, **sandbox.env}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stderr is not None
            started = json.loads(process.stderr.readline())
            assert (started["event"], started["tls"]) == ("listening", "server certificate only")
            yield started["port"]
        finally:
            process.terminate()


def test_a_table_made_over_tls_is_read_by_the_others(
    sandbox: "Sandbox", query: Query, database: str, port: int, authority: Authority, tmp_path: Path
) -> None:
    settings = {
        "uris": f"thrift://localhost:{port}",
        "use.SSL": "true",
        "truststore.path": str(authority.trust_store(PASSWORD.encode())),
        "truststore.password": PASSWORD,
    }
    given = (f"--conf=spark.hadoop.hive.metastore.{name}={settings[name]}" for name in settings)
    (tmp_path / "job.py").write_text(JOB)
    sandbox.run(
        *("sandbox", "submit", "--state", sandbox.state, *given, tmp_path / "job.py", database)
    )
    assert query(f"select n from {database}.over_tls") == [(7,)]
