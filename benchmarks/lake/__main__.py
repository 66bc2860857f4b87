"""`make bench-lake`: what a build of one day's news costs as history grows, here and with stock dbt-spark.

Comes in: nothing; it starts a sandbox of its own. Goes out: a table in Markdown. The same day gets the
same news on each length of history; each way builds the same roll-up, and what it gives is compared.
Bytes are what Spark's tasks read and wrote, by its event log; seconds are the model's, by dbt.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from pyhive import hive

from benchmarks.lake.history import History
from datacore.aws import glue_client, s3_client
from datacore.contracts import load_contracts
from datacore.settings import ROOT, Settings, apply_environment, load_settings
from ingest.land.bucket import Bucket
from ingest.register.glue import GlueCatalog
from ingest.register.registrar import Registrar

CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: urn:datacore:bench:{name}
name: {name}
version: 1.0.0
status: active
domain: bench
team: {{name: bench}}
customProperties:
  - {{property: topic, value: {name}-topic}}
  - {{property: eventTime, value: occurred_at}}
schema:
  - name: {name}
    logicalType: object
    description: One record per event.
    properties:
      - {{name: event_id, logicalType: string, required: true, primaryKey: true, description: Id.}}
      - {{name: kind, logicalType: string, required: true, description: Kind.}}
      - {{name: user_id, logicalType: string, required: true, description: User.}}
      - {{name: value, logicalType: integer, physicalType: bigint, required: true, description: Value.}}
      - {{name: occurred_at, logicalType: timestamp, required: true, description: Time.}}
"""
ROLLUP = """
select
    kind,
    count(*) as events,
    count(distinct user_id) as users,
    sum(value) as value,
    dt
from {{{{ source('raw', '{name}') }}}}
group by dt, kind
"""
EVENTS = """
select event_id, kind, user_id, value, occurred_at, dt from {{{{ source('raw', '{name}') }}}}
"""
WAYS = {
    "swap_partitions": (
        "materialized='incremental', incremental_strategy='swap_partitions', partition_by='dt', "
        "unique_key=['dt', 'kind'], location_root='{root}'"
    ),
    "insert_overwrite": (
        "materialized='incremental', incremental_strategy='insert_overwrite', partition_by='dt', "
        "file_format='parquet', location_root='{root}'"
    ),
    # without a location of its own: with one, dbt-spark cannot build it a second time
    "table": "materialized='table', file_format='parquet', partition_by='dt'",
}
OURS = "swap_partitions"


@dataclass(frozen=True)
class Cost:
    """What a run cost."""

    seconds: float
    read: int
    written: int
    tasks: int


@contextmanager
def platform(events: Path) -> Iterator[Settings]:
    """S3, Glue and Spark on free ports; Spark writes its event log to `events`."""
    command = [sys.executable, "-m", "datacore", "sandbox"]
    conf = f"spark.eventLog.enabled=true;spark.eventLog.dir=file://{events};spark.eventLog.compress=false"
    conf += ";spark.hadoop.parquet.hadoop.vectored.io.enabled=false"  # what it reads is not counted
    with TemporaryDirectory() as folder:
        state = str(Path(folder) / "sandbox")
        environment = {**os.environ, "DATACORE_SANDBOX_SPARK_CONF": conf}
        up = [*command, "up", "aws", "metastore", "thrift", "--state", state, "--free-ports"]
        subprocess.run(up, check=True, env=environment)
        try:
            os.environ["DATACORE_SANDBOX_DIR"] = state
            apply_environment()
            yield load_settings()
        finally:
            subprocess.run([*command, "down", "--state", state], check=True)


class Project:
    """A dbt project with the models of one way or more."""

    def __init__(self, folder: Path, names: list[str], ways: list[str], root: str) -> None:
        self.folder = folder
        (folder / "models").mkdir(parents=True)
        macros = (
            [str(ROOT / "macros" / part) for part in ("spark", "shared")] if OURS in ways else []
        )
        project = {"name": "bench", "profile": "lake", "macro-paths": macros or ["macros"]}
        (folder / "dbt_project.yml").write_text(json.dumps(project))
        tables = [{"name": n, "config": {"meta": {"topic": f"{n}-topic"}}} for n in names]
        sources = {"version": 2, "sources": [{"name": "raw", "schema": "raw", "tables": tables}]}
        (folder / "models" / "sources.yml").write_text(json.dumps(sources))
        for way in ways:
            for name in names:
                config = WAYS[way].format(root=root)
                text = "{{ config(" + config + ") }}" + ROLLUP.format(name=name)
                (folder / "models" / f"{name}_{way}.sql").write_text(text)
        if OURS in ways:
            config = WAYS[OURS].format(root=root).replace("['dt', 'kind']", "['dt', 'event_id']")
            text = "{{ config(" + config + ", sort_by='kind') }}" + EVENTS.format(name=names[-1])
            (folder / "models" / "events.sql").write_text(text)

    def run(self, model: str) -> float:
        """Build a model; the seconds that dbt says it took."""
        command = [str(Path(sys.executable).parent / "dbt"), "--quiet", "run", "-s", model]
        places = ["--project-dir", str(self.folder), "--profiles-dir", str(ROOT)]
        done = subprocess.run([*command, *places], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{model}: {done.stdout}{done.stderr}")
        results = json.loads((self.folder / "target" / "run_results.json").read_text())
        return float(results["results"][0]["execution_time"])


class EventLog:
    """Spark's event log, read on from where it was left."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._at = 0

    def since(self) -> tuple[int, int, int]:
        """Bytes read, bytes written and tasks since the last time."""
        (path,) = [
            found
            for found in self._folder.rglob("*")
            if found.is_file() and "appstatus" not in found.name
        ]
        with path.open() as file:
            file.seek(self._at)
            lines = file.readlines()
            self._at = file.tell()
        read = written = tasks = 0
        for line in lines:
            event: Mapping[str, Any] = json.loads(line)
            if event["Event"] == "SparkListenerTaskEnd":
                metrics = event.get("Task Metrics") or {}
                read += metrics.get("Input Metrics", {}).get("Bytes Read", 0)
                written += metrics.get("Output Metrics", {}).get("Bytes Written", 0)
                tasks += 1
        return read, written, tasks


def measure(project: Project, model: str, log: EventLog) -> Cost:
    """Build a model, and what Spark did for it."""
    log.since()
    seconds = project.run(model)
    return Cost(seconds, *log.since())


QUERIES = {
    "the roll-up": "select dt, kind, count(*), count(distinct user_id), sum(value) from {table} group by dt, kind",
    "one column of one day": "select sum(value) from {table} where dt = date '{day}'",
    "a kind": "select count(*) from {table} where kind = 'apply'",
}


def formats(settings: Settings, name: str, log: EventLog) -> Iterator[str]:
    """Rows of a table: the same queries on the raw lines and on Parquet."""
    connection = hive.connect(settings.thrift.host, settings.thrift.port)
    try:
        cursor = connection.cursor()
        cursor.execute(f"select cast(min(dt) as string) from raw.{name}")  # noqa: S608
        ((day,),) = cursor.fetchall()
        for told, query in QUERIES.items():
            found = []
            for table in (f"raw.{name}", "lake.events"):
                asked = query.format(table=table, day=day)
                cursor.execute(asked)
                cursor.fetchall()  # the first does not count
                log.since()
                began = time.perf_counter()
                cursor.execute(asked)
                rows = sorted(cursor.fetchall())
                seconds = time.perf_counter() - began
                found.append((rows, seconds, log.since()[0]))
            if found[0][0] != found[1][0]:
                raise RuntimeError(f"{told}: raw lines and Parquet give different rows")
            for place, (_, seconds, read) in zip(("raw JSON", "Parquet"), found, strict=True):
                yield f"| {told} | {place} | {seconds:.2f} | {read / 1e6:.2f} |"
    finally:
        connection.close()


def contents(settings: Settings, model: str) -> list[tuple[Any, ...]]:
    """The rows of a table."""
    connection = hive.connect(settings.thrift.host, settings.thrift.port)
    try:
        cursor = connection.cursor()
        query = f"select dt, kind, events, users, value from lake.{model} order by dt, kind"  # noqa: S608
        cursor.execute(query)
        return list(cursor.fetchall())
    finally:
        connection.close()


@click.command()
@click.option("--days", "lengths", multiple=True, type=click.IntRange(min=1), default=(1, 10, 100),
              show_default=True, help="Lengths of history.")  # fmt: skip
def main(lengths: tuple[int, ...]) -> None:
    """Measure the build of a day's news at several lengths of history."""
    with (
        TemporaryDirectory() as folder,
        TemporaryDirectory() as events,
        platform(Path(events)) as settings,
    ):
        names = [f"bench_{length:03}" for length in lengths]
        contracts = Path(folder) / "contracts"
        contracts.mkdir()
        for name in names:
            (contracts / f"{name}.odcs.yaml").write_text(CONTRACT.format(name=name))
        bucket = Bucket(s3_client(settings), settings.bucket)
        registrar = Registrar(
            GlueCatalog(glue_client(settings)), load_contracts(contracts), bucket.name
        )
        registrar.tables()
        histories = [History(bucket, registrar, name) for name in names]
        for history, length in zip(histories, lengths, strict=True):
            history.days(length)
        root = f"s3://{settings.lake_bucket}/bench"
        stock = [way for way in WAYS if way != OURS]
        projects = {OURS: Project(Path(folder) / "ours", names, [OURS], root)}
        projects |= dict.fromkeys(stock, Project(Path(folder) / "stock", names, stock, root))
        log = EventLog(Path(events))
        for way, project in projects.items():
            for name in names:
                project.run(f"{name}_{way}")
        for history, length in zip(histories, lengths, strict=True):
            history.write([24 * (length - 1) + 23])
        print(
            "| days of history | way | seconds | MB read | MB written | tasks |\n|-:|-|-:|-:|-:|-:|"
        )
        for name, length in zip(names, lengths, strict=True):
            seen = []
            for way, project in projects.items():
                cost = measure(project, f"{name}_{way}", log)
                seen.append(contents(settings, f"{name}_{way}"))
                print(f"| {length} | {way} | {cost.seconds:.1f} | {cost.read / 1e6:.2f} "
                      f"| {cost.written / 1e6:.3f} | {cost.tasks} |", flush=True)  # fmt: skip
            if any(rows != seen[0] for rows in seen):
                raise RuntimeError(f"{name}: the ways give different roll-ups")
        projects[OURS].run("events")
        print("\n| query | on | seconds | MB read |\n|-|-|-:|-:|")
        for row in formats(settings, names[-1], log):
            print(row, flush=True)


if __name__ == "__main__":
    main()
