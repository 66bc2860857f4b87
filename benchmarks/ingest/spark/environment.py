"""The environment of the peer: pyspark at the version measured, its jars by a lock of its own.

Another pyspark than the sandbox's, so that the peer is what a company would run, not what we happen to.
`python -m benchmarks.ingest.spark.environment lock` writes jars.lock anew.
"""

import sys
from pathlib import Path

from datacore.settings import ROOT
from sandbox.jars.own import OwnJars
from sandbox.other_spark import OtherSpark

PYSPARK = "4.1.1"
HERE = Path(__file__).resolve().parent
SPARK = OtherSpark(
    environment=ROOT / ".cache" / "benchmark-spark",
    packages=(f"pyspark=={PYSPARK}",),
    jars=OwnJars(HERE),
)

if __name__ == "__main__":
    if sys.argv[1:] != ["lock"]:
        sys.exit("usage: python -m benchmarks.ingest.spark.environment lock")
    SPARK.lock()
