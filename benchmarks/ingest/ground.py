"""What the sinks stand on: one Kafka broker and moto's S3 and Glue, for one run of the benchmark.

Comes in: a directory. Goes out: a `Ground` with its variables; when it is left, nothing of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import boto3

from sandbox import processes
from sandbox.java import find_java
from sandbox.parts.aws import aws_part
from sandbox.parts.kafka import create_topics, kafka_part
from sandbox.platform import jar_paths, make_site
from sandbox.ports import choose_ports
from sandbox.state import Run, State
from sandbox.supervisor import Supervisor

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PARTITIONS = 4


@dataclass(frozen=True)
class Ground:
    """A broker and an object store that run."""

    directory: Path
    variables: dict[str, str]

    @property
    def kafka(self) -> str:
        """`host:port` of the broker."""
        return self.variables["DATACORE_KAFKA"]

    @property
    def s3(self) -> "S3Client":
        """A client of the object store."""
        session = boto3.Session(
            aws_access_key_id=self.variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.variables["AWS_SECRET_ACCESS_KEY"],
            region_name=self.variables["AWS_REGION"],
        )
        return session.client("s3", endpoint_url=self.variables["AWS_ENDPOINT_URL"])

    def topic(self, name: str) -> None:
        """Make a topic of four partitions."""
        create_topics(self.kafka, [name], PARTITIONS)


@contextmanager
def ground(directory: Path) -> Iterator[Ground]:
    """Start broker and object store in `directory`, which is discarded at the end."""
    state = State(directory)
    with state.locked():
        ports = choose_ports(free=True)
        site = make_site(state, ports)
        run = Run(uuid4().hex, datetime.now(UTC).isoformat(timespec="seconds"), ports)
        state.write_run(run)
        parts = [kafka_part(site, find_java(), jar_paths("kafka"), ()), aws_part(site)]
        try:
            Supervisor(site, parts, run, lambda part, seconds: None).bring_up()
            yield Ground(directory, dict(site.variables))
        finally:
            processes.end_run(run.id)
            state.discard()
