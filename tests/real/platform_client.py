"""The platform as these tests use it: its commands, and what can be read at its far ends.

Comes in: the sandbox's environment. Goes out: rows of Spark and Redshift, lines on S3. Commands run
as a person types them, and a failed one shows what it printed.
"""

import base64
import gzip
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datacore.settings import ROOT
from tests.forked import Run, dbt

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
        self._kinesis = sandbox.kinesis
        self._spark = sandbox.thrift()
        self._bucket = sandbox.env["DATACORE_BUCKET"]

    def send(self, topic: str, *files: Path) -> None:
        """The files' lines into a new topic."""
        self._sandbox.run("sandbox", "topic", topic)
        self._sandbox.run("tail", *files, "--topic", topic, "--once")

    def put(self, stream: str, some: Sequence[bytes], shards: int = 0) -> None:
        """Lines into a Kinesis stream, by their content over its shards; `shards`: a new one."""
        if shards:
            self._kinesis.create_stream(StreamName=stream, ShardCount=shards)
        for at in range(0, len(some), 400):
            records: list[Any] = [
                {"Data": line, "PartitionKey": hashlib.sha256(line).hexdigest()}
                for line in some[at : at + 400]
            ]
            done = self._kinesis.put_records(StreamName=stream, Records=records)
            assert done["FailedRecordCount"] == 0

    def split(self, stream: str, number: int) -> None:
        """Split a shard of a stream in the middle."""
        shard = self._kinesis.list_shards(StreamName=stream)["Shards"][number]
        keys = shard["HashKeyRange"]
        middle = (int(keys["StartingHashKey"]) + int(keys["EndingHashKey"])) // 2
        self._kinesis.split_shard(
            StreamName=stream, ShardToSplit=shard["ShardId"], NewStartingHashKey=str(middle)
        )

    def land(self, contracts: Path, topic: str, *more: str) -> None:
        """All that the topic holds onto S3."""
        asked = ("land", "--contracts", contracts, "--topic", topic, "--until-caught-up")
        self._sandbox.run(*asked, *more)

    def drift(self, contracts: Path, data_type: str, day: str) -> list[dict[str, Any]]:
        """What a day's records carry that the contract does not say."""
        asked = ("drift", "--contracts", contracts, "--type", data_type, "--day", day, "--json")
        return [json.loads(line) for line in self._sandbox.run(*asked).stdout.splitlines()]

    def dbt(self, project: str, *arguments: str) -> None:
        """Run dbt on the project `lake` or `warehouse` of these tests. Raises DbtFailed.

        In target `ci` every schema's name begins with `real_`.
        """
        directories = ("--project-dir", HERE / project, "--profiles-dir", ROOT)
        scratch = ("--target-path", self._scratch / project, "--log-path", self._scratch)
        run = Run(
            dbt,
            [*arguments, "--target", "ci", *directories, *scratch],
            env={**os.environ, **self._sandbox.env, "DATACORE_CI_SCHEMA": "real"},
            directory=ROOT,
            output=self._scratch / "said",
        )
        if (exit_code := run.wait(LIMIT_SECONDS)) != 0:
            raise DbtFailed(f"dbt exited with {exit_code}\n{run.text}")

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

    def quarantine_counts(self, topic: str) -> list[dict[str, Any]]:
        """What `datacore quarantine list` says of a topic."""
        done = self._sandbox.run("quarantine", "list", "--topic", topic, "--json")
        return [json.loads(line) for line in done.stdout.splitlines()]

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
