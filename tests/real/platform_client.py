"""The platform as these tests use it: its commands, and what can be read at its far ends.

Comes in: the sandbox's environment. Goes out: rows of Spark and Redshift, lines on S3. Commands run
as a person types them, and a failed one shows what it printed.
"""

import base64
import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datacore.settings import ROOT

if TYPE_CHECKING:
    from tests.conftest import Sandbox

HERE = Path(__file__).parent
LIMIT_SECONDS = 500


class DbtFailed(AssertionError):
    """dbt exited with another code than 0."""


class PlatformClient:
    """The session's sandbox, and a folder for dbt's targets and logs."""

    def __init__(self, sandbox: "Sandbox", scratch: Path) -> None:
        self._sandbox = sandbox
        self._scratch = scratch
        self._s3 = sandbox.s3
        self._spark = sandbox.thrift()
        self._bucket = sandbox.env["DATACORE_BUCKET"]

    def send(self, topic: str, *files: Path) -> None:
        """The files' lines into a new topic."""
        self._sandbox.run("sandbox", "topic", topic)
        self._sandbox.run("tail", *files, "--topic", topic, "--once")

    def land(self, contracts: Path, topic: str) -> None:
        """All that the topic holds onto S3."""
        self._sandbox.run("land", "--contracts", contracts, "--topic", topic, "--until-caught-up")

    def dbt(self, project: str, *arguments: str) -> None:
        """Run dbt on the project `lake` or `warehouse` of these tests. Raises DbtFailed.

        In target `ci` every schema's name begins with `real_`.
        """
        directories = ("--project-dir", HERE / project, "--profiles-dir", ROOT)
        scratch = ("--target-path", self._scratch / project, "--log-path", self._scratch)
        command = [Path(sys.executable).parent / "dbt", *arguments, "--target", "ci"]
        ended = subprocess.run(
            [*map(str, (*command, *directories, *scratch))],
            env={**os.environ, **self._sandbox.env, "DATACORE_CI_SCHEMA": "real"},
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        if ended.returncode != 0:
            raise DbtFailed(f"dbt exited with {ended.returncode}\n{ended.stdout}{ended.stderr}")

    def spark(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of one query through the Thrift server.

        All queries share a connection: each new one would list a table's files on S3 anew.
        """
        return _rows(self._spark, query)

    def ledger(self, topic: str) -> Counter[tuple[str, str, str]]:
        """Records landed of a topic by data type, day and hour, by its manifests."""
        landed = self.spark(f"""
            select landed.data_type, landed.dt, landed.hour, sum(landed.records)
            from platform.cut
            lateral view explode(objects) as landed
            where topic = '{topic}'
            group by landed.data_type, landed.dt, landed.hour
        """)
        return Counter({(name, dt, hour): count for name, dt, hour, count in landed})

    def redshift(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of one query through Redshift's own driver."""
        with closing(self._sandbox.redshift()) as connection:
            return _rows(connection, query)

    def close(self) -> None:
        """End the connection to Spark."""
        self._spark.close()

    def landed_lines(self, data_type: str) -> Iterator[bytes]:
        """Every line on S3 of a data type, byte for byte."""
        for body in self._bodies(f"production-logs/{data_type}/"):
            yield from body.splitlines()

    def quarantined(self, topic: str) -> list[dict[str, Any]]:
        """What was set aside of a topic; `value` is the record's bytes."""
        found = []
        for body in self._bodies(f"production-logs/_quarantine/{topic}/"):
            for record in map(json.loads, body.splitlines()):
                found.append({**record, "value": base64.b64decode(record["value"])})
        return found

    def _bodies(self, prefix: str) -> Iterator[bytes]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix
        )
        for page in pages:
            for found in page.get("Contents", []):
                answer = self._s3.get_object(Bucket=self._bucket, Key=found["Key"])
                yield gzip.decompress(answer["Body"].read())


def _rows(connection: Any, query: str) -> list[tuple[Any, ...]]:
    with closing(connection.cursor()) as cursor:
        cursor.execute(query)
        return [tuple(row) for row in cursor.fetchall()]


def write_lines(file: Path, some: Iterable[bytes]) -> Path:
    """A log file of these lines."""
    with file.open("wb") as stream:
        stream.writelines(line + b"\n" for line in some)
    return file
