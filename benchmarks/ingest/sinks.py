"""The sinks that are measured, as commands, and how each lays out what it wrote.

Comes in: a workload's topic and a bucket. Goes out: commands, variables, and patterns of keys.
"""

import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from benchmarks.ingest.spark.submit import spark_command, spark_variables
from benchmarks.ingest.workload import Workload


@dataclass(frozen=True)
class Task:
    """What a sink has to do."""

    workload: Workload
    topic: str
    bucket: str
    variables: Mapping[str, str]
    """Where Kafka and S3 are."""
    folder: Path
    """For this run alone."""


@dataclass(frozen=True)
class Sink:
    """Something that lands a topic, or only reads it."""

    name: str
    command: Callable[[Task], list[str]]
    layout: re.Pattern[str] | None
    """Keys of objects, with groups `type`, `day` and `hour`; None for one that writes nothing."""
    variables: Callable[[], dict[str, str]] = field(default=dict)


def own_variables(task: Task, sink: Sink) -> dict[str, str]:
    """The process's variables: this platform's, not the caller's."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("AWS_", "DATACORE_"))}
    return {**kept, **task.variables, "DATACORE_BUCKET": task.bucket, **sink.variables()}


def land_command(task: Task) -> list[str]:
    """The lander on the task's topic, until it is ended."""
    contracts = task.folder / "contracts"
    write_contracts(contracts, task.workload, task.topic)
    return [
        *(sys.executable, "-m", "datacore", "land", "--allow-unencrypted"),
        *("--contracts", str(contracts), "--topic", task.topic),
    ]


def _land(task: Task) -> list[str]:
    return [*land_command(task), "--until-caught-up"]


def write_contracts(folder: Path, workload: Workload, topic: str) -> None:
    """A contract for each data type of the workload."""
    folder.mkdir(exist_ok=True)
    text = {"logicalType": "string"}
    named = [
        {"name": "id", **text, "required": True, "primaryKey": True},
        {"name": workload.type_field, **text, "required": True},
    ]
    if workload.time_field != "dt":  # a column that every raw table has
        named.append({"name": workload.time_field, "logicalType": "timestamp", "required": True})
    for kind in workload.types:
        name = type_name(kind)
        contract = {
            "apiVersion": "v3.1.0",
            "kind": "DataContract",
            "id": f"urn:datacore:bench:{name}",
            "name": name,
            "version": "1.0.0",
            "status": "active",
            "domain": "bench",
            "team": {"name": "bench"},
            "customProperties": [
                {"property": "topic", "value": topic},
                {"property": "match", "value": {"field": workload.type_field, "equals": kind}},
                {"property": "eventTime", "value": workload.time_field},
            ],
            "schema": [
                {
                    "name": name,
                    "logicalType": "object",
                    "description": f"One record per {kind}.",
                    "properties": named,
                }
            ],
        }
        (folder / f"{name}.odcs.yaml").write_text(yaml.safe_dump(contract, sort_keys=False))


def type_name(kind: str) -> str:
    """The data type of a value of the type field."""
    return f"bench_{kind.lower()}"


def _spark(task: Task) -> list[str]:
    scratch = task.folder / "spark"
    scratch.mkdir()
    fields = [task.workload.type_field, task.workload.time_field]
    broker = task.variables["DATACORE_KAFKA"]
    arguments = [broker, task.topic, task.bucket, *fields, str(task.folder / "checkpoint")]
    return spark_command(task.variables, scratch, arguments)


def _naive(client: str) -> Callable[[Task], list[str]]:
    return lambda task: [
        *(sys.executable, "-m", "benchmarks.ingest.naive", client, task.topic, task.bucket),
        *(task.workload.type_field, task.workload.time_field),
    ]


def _floor(client: str) -> Callable[[Task], list[str]]:
    return lambda task: [sys.executable, "-m", "benchmarks.ingest.floor", client, task.topic]


def _columns(client: str) -> Callable[[Task], list[str]]:
    return lambda task: [sys.executable, "-m", "benchmarks.ingest.columns", client, task.topic]


RAW = re.compile(
    r"production-logs/bench_(?P<type>[^/]+)/(?P<day>\d{4}/\d\d/\d\d)/(?P<hour>\d\d)/.+\.jsonl\.gz"
)
HIVE = re.compile(r"spark/type=(?P<type>[^/]+)/dt=(?P<day>[^/]+)/hour=(?P<hour>\d\d)/.+\.gz")
NAIVE = re.compile(r"naive/(?P<type>[^/]+)/(?P<day>[^/T]+)T(?P<hour>\d\d)/.+\.gz")

LAND = Sink("land, kafka-python", _land, RAW)
PEER = Sink("Spark Structured Streaming", _spark, HIVE, spark_variables)
SINKS = (
    Sink("reading only, kafka-python", _floor("kafka-python"), None),
    Sink("reading only, confluent-kafka", _floor("confluent"), None),
    Sink("reading only, land's reader on kafka-python", _columns("kafka-python"), None),
    Sink("reading only, land's reader on confluent-kafka", _columns("confluent"), None),
    LAND,
    Sink("land, confluent-kafka", _land, RAW, lambda: {"DATACORE_KAFKA_CLIENT": "confluent"}),
    Sink("naive loop, kafka-python", _naive("kafka-python"), NAIVE),
    Sink("naive loop, confluent-kafka", _naive("confluent"), NAIVE),
    PEER,
)
