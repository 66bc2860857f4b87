"""A PySpark job, or any that Spark's submit takes, on a running sandbox's catalog and S3.

Comes in: a state directory and what to run. Goes out: the job's exit code. The job is a Spark of its
own beside the Thrift server, with the same settings; its output is the caller's.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from datacore.errors import UsageError
from sandbox.java import find_java
from sandbox.parts.thrift import PROPERTIES, spark_home, spark_submit
from sandbox.platform import jar_paths
from sandbox.ports import HOST
from sandbox.state import State


def submit(state: State, arguments: Sequence[str]) -> int:
    """Run `arguments` as Spark's submit takes them. Raises UsageError without a running sandbox."""
    properties = state.home("thrift") / PROPERTIES
    if not properties.exists():
        raise UsageError(
            f"no sandbox with Spark runs in {state.directory}", "start it: `datacore sandbox up`"
        )
    python = spark_home() / "python"
    (bridge,) = (python / "lib").glob("py4j-*-src.zip")
    environment = {
        **os.environ,
        "SPARK_HOME": str(spark_home()),
        "SPARK_LOCAL_IP": HOST,
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": os.pathsep.join([str(python), str(bridge)]),
    }
    with TemporaryDirectory(prefix="datacore-job-") as folder:
        scratch = Path(folder)
        (scratch / "tmp").mkdir()
        own = scratch / PROPERTIES
        # scratch directories of its own: Hive removes them when a session ends
        text = properties.read_text().replace(str(properties.parent), str(scratch))
        own.write_text(text)
        command = spark_submit(find_java(), jar_paths("s3a"), scratch, own)
        return subprocess.run([*command, *arguments], env=environment, check=False).returncode
