"""A topic of its own for a case, the commands on it, and the check afterwards."""

import contextlib
import itertools
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import fault_child
from fault_child import Break, Child
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from witness import Topic, Witness, read_topic

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client

LIMIT = 90
"""Seconds that a case waits for anything."""
PARTITIONS = 2

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: urn:datacore:faults:{name}
name: {name}
version: 1.0.0
status: active
domain: faults
team:
  name: ingest
description:
  purpose: Lines of one fault test.
  usage: Count them.
customProperties:
  - property: topic
    value: {topic}
  - property: match
    value: {{field: type, equals: {name}}}
  - property: eventTime
    value: occurred_at
schema:
  - name: {name}
    logicalType: object
    description: One record per line of the test.
    properties:
      - name: event_id
        logicalType: string
        required: true
        primaryKey: true
        description: Number of the line.
      - name: type
        logicalType: string
        required: true
        description: Routes the record.
      - name: occurred_at
        logicalType: timestamp
        required: true
        description: When it happened.
"""


def wait_until(happened: Callable[[], bool], what: str, limit: float = LIMIT) -> None:
    """Wait for a condition, with a limit."""
    deadline = time.monotonic() + limit
    while not happened():
        assert time.monotonic() < deadline, f"waited {limit} s for {what}"
        time.sleep(0.05)  # between two looks at the condition


def make_producer(address: str) -> KafkaProducer:
    """A transactional producer that learns of added partitions at once."""
    producer = KafkaProducer(
        bootstrap_servers=address,
        transactional_id=f"faults-{uuid4().hex}",
        metadata_max_age_ms=1_000,
    )
    producer.init_transactions()
    return producer


@dataclass
class Platform:
    """Kafka, S3 and Glue of one sandbox, and what the cases share."""

    env: dict[str, str]
    s3: "S3Client"
    glue: "GlueClient"
    admin: KafkaAdminClient
    producer: KafkaProducer
    """Transactional, so that topics have markers and aborted records."""

    @classmethod
    def of(cls, env: dict[str, str]) -> "Platform":
        session = boto3.Session(
            aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
            region_name=env["AWS_REGION"],
        )
        address = env["DATACORE_KAFKA"]
        return cls(
            env,
            session.client("s3", endpoint_url=env["AWS_ENDPOINT_URL"]),
            session.client("glue", endpoint_url=env["AWS_ENDPOINT_URL"]),
            KafkaAdminClient(bootstrap_servers=address),
            make_producer(address),
        )

    def close(self) -> None:
        self.producer.close()
        self.admin.close()

    def reconnect(self) -> None:
        """Clients anew once the broker was away: the old ones wait for its node's next try."""
        self.close()
        self.admin = KafkaAdminClient(bootstrap_servers=self.env["DATACORE_KAFKA"])
        self.producer = make_producer(self.env["DATACORE_KAFKA"])

    def make_topic(self, topic: str, partitions: int = PARTITIONS) -> None:
        """Make a topic and wait until it has leaders."""
        self.admin.create_topics([NewTopic(topic, partitions, -1)])
        wait_until(lambda: self.ready(topic) == partitions, f"topic {topic}")

    def ready(self, topic: str) -> int:
        """Partitions that have a leader."""
        (found,) = self.admin.describe_topics([topic])
        if found["error_code"]:
            return 0
        return sum(p["leader_id"] >= 0 for p in found["partitions"])

    def delete_topic(self, topic: str) -> None:
        """Delete a topic and wait until it is gone.

        The producer is made anew: its sequence numbers go on where they were, and a topic of the
        same name would lack what came before.
        """
        self.admin.delete_topics([topic])
        wait_until(lambda: topic not in self.admin.list_topics(), f"{topic} to go")
        self.producer.close()
        self.producer = make_producer(self.env["DATACORE_KAFKA"])


@dataclass
class Stage:
    """A topic, a data type that claims it, and the commands on them."""

    platform: Platform
    folder: Path
    topic: str
    data_type: str
    contracts: Path
    numbers: Iterator[int] = field(default_factory=itertools.count)
    started: list[ForkServerProcess] = field(default_factory=list)

    @classmethod
    def make(cls, platform: Platform, folder: Path, partitions: int = PARTITIONS) -> "Stage":
        letters = uuid4().hex[:8].translate(str.maketrans("0123456789", "ghijklmnop"))
        name = f"fault_{letters}"
        contracts = folder / "contracts"
        contracts.mkdir()
        stage = cls(platform, folder, f"{name}-topic", name, contracts)
        (contracts / f"{name}.odcs.yaml").write_text(CONTRACT.format(name=name, topic=stage.topic))
        platform.make_topic(stage.topic, partitions)
        return stage

    def close(self) -> None:
        """End what still runs."""
        for process in self.started:
            if process.is_alive() and process.pid is not None:
                process.kill()
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGCONT)
            process.join(10)

    @property
    def group(self) -> str:
        """The landers' group: one of this case alone, for killed members stay a while."""
        return f"land-{self.topic}"

    # lines

    def line(self) -> bytes:
        """A line that no other line equals: most are claimed, one in seven unclaimed, one broken."""
        number = next(self.numbers)
        if number % 7 == 5:
            return b'{"type":"nobody","event_id":"%d"}' % number
        if number % 7 == 6:
            return b"broken %d" % number
        record = {
            "event_id": str(number),
            "type": self.data_type,
            "occurred_at": f"2026-01-02T{number // 7 % 3:02}:00:00.000Z",
            "pad": "x" * 400,
        }
        return json.dumps(record).encode()

    def lines(self, count: int) -> list[bytes]:
        return [self.line() for _ in range(count)]

    def produce(self, count: int, abort: int = 3, partitions: int = PARTITIONS) -> None:
        """`count` committed records, and before them `abort` that were taken back."""
        producer = self.platform.producer
        for number, commit in ((abort, False), (count, True)):
            if not number:
                continue
            producer.begin_transaction()
            for turn, line in enumerate(self.lines(number)):
                producer.send(self.topic, line, partition=turn % partitions)
            producer.commit_transaction() if commit else producer.abort_transaction()

    def write(self, name: str, lines: list[bytes]) -> Path:
        path = self.folder / name
        with path.open("ab") as file:
            file.writelines(line + b"\n" for line in lines)
        return path

    # commands

    def start(
        self,
        *arguments: str | Path,
        how: Child | None = None,
        env: Mapping[str, str] | None = None,
    ) -> ForkServerProcess:
        """Start `datacore` in a child."""
        variables = {**self.platform.env, "FAULT_GROUP": self.group, **(env or {})}
        output = self.folder / f"run-{len(self.started)}"
        process = fault_child.start(arguments, variables, output, how)
        self.started.append(process)
        return process

    def output_of(self, process: ForkServerProcess) -> Path:
        """What a child prints is here, under `.out` and `.err`."""
        return self.folder / f"run-{self.started.index(process)}"

    def has_opened(self, lander: ForkServerProcess) -> bool:
        """Whether a lander was given a partition."""
        told = self.output_of(lander).with_suffix(".err")
        return told.exists() and "partition_opened" in told.read_text()

    def land_arguments(self, *more: str) -> tuple[str | Path, ...]:
        return ("land", "--contracts", self.contracts, "--topic", self.topic, *more)

    def start_land(
        self,
        *more: str,
        how: Child | None = None,
        env: Mapping[str, str] | None = None,
        follow: bool = False,
    ) -> ForkServerProcess:
        ending = () if follow else ("--until-caught-up",)
        return self.start(*self.land_arguments(*ending, *more), how=how, env=env)

    def land(
        self, *more: str, how: Child | None = None, env: Mapping[str, str] | None = None
    ) -> int | None:
        """Land until caught up; the exit code, below 0 for a signal."""
        return self.wait(self.start_land(*more, how=how, env=env))

    def land_broken(self, where: Break, *more: str, block: int | None = None) -> None:
        """Land until the break, which must be met."""
        code = self.land(*more, how=Child(where, block=block))
        assert code == -where.signal, f"{where} was not met: exit {code}\n{self.told()}"

    def tail_arguments(self, *paths: Path) -> tuple[str | Path, ...]:
        return ("tail", *paths, "--topic", self.topic, "--host", "web-1")

    def tail(self, *paths: Path, how: Child | None = None) -> int | None:
        """Tail files to their end; the exit code."""
        return self.wait(self.start(*self.tail_arguments(*paths), "--once", how=how))

    def wait(self, process: ForkServerProcess, limit: float = LIMIT) -> int | None:
        """The exit code of a child, which must end within the limit."""
        process.join(limit)
        assert process.exitcode is not None, f"no end within {limit} s\n{self.told()}"
        return process.exitcode

    def told(self) -> str:
        """What all children printed, for a failed assertion."""
        return "\n".join(p.read_text() for p in sorted(self.folder.glob("run-*")) if p.is_file())

    # what came of it

    @property
    def witness(self) -> Witness:
        bucket = self.platform.env["DATACORE_BUCKET"]
        return Witness(self.platform.s3, bucket, self.topic, self.data_type)

    def kafka(self) -> Topic:
        return read_topic(self.platform.env["DATACORE_KAFKA"], self.topic)

    def audit(self, block: int | None = None) -> set[str]:
        """The kinds of what `datacore audit` finds of this topic, which must be nothing else."""
        process = self.start("audit", "--topic", self.topic, "--json", how=Child(block=block))
        code = self.wait(process)
        report = json.loads(self.output_of(process).with_suffix(".out").read_text())
        assert code == (0 if report["ok"] else 1), self.told()
        return {finding["kind"] for finding in report["findings"]}

    def check(self, block: int | None = None) -> int:
        """The records of the topic, each once on S3, and a clean audit."""
        try:
            records = self.witness.check(self.kafka(), self.platform.glue)
            assert self.audit(block) == set()
            return records
        except AssertionError as error:
            error.add_note(self.told())
            raise

    def land_and_check(self, *more: str) -> int:
        """Land what is left, as whoever starts the lander again does, and check."""
        code = self.land(*more)
        assert code == 0, f"exit {code}\n{self.told()}"
        return self.check()

    def committed(self, partition: int) -> int:
        """The lander group's committed offset; -1 where there is none."""
        asked = TopicPartition(self.topic, partition)
        found: Any = self.platform.admin.list_group_offsets({self.group: [asked]})
        held = found[self.group].get(asked)
        return -1 if held is None else int(held.offset)
