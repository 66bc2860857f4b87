"""`make bench-dbt`: what dbt adds to the SQL of its models, and what Glue 30 ms away adds to a build.

Comes in: nothing; it starts the sandbox's AWS, metastore and Spark Thrift, with a proxy between the
metastore and Glue that can delay. Goes out: Markdown tables. The same models are built by the project's macros, by
stock dbt-spark, and by a plain Thrift client with as many threads: once it sends the models' SQL and nothing else,
once every statement that the build with the project's macros sent, so that dbt is told apart from how tables are
published. Seconds are those of the whole command, start and parsing included.
"""

import json
import logging
import os
import re
import statistics
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from pyhive import hive

from benchmarks.lake.__main__ import CONTRACT
from benchmarks.lake.history import FIRST_HOUR, History
from benchmarks.metastore import DELAY, Proxy, platform, seconds
from datacore.aws import glue_client, s3_client
from datacore.contracts import load_contracts
from datacore.settings import ROOT, Settings, load_settings
from ingest.land.bucket import Bucket
from ingest.land.objects import hour_words
from ingest.register.glue import GlueCatalog
from ingest.register.registrar import Registrar

THREADS = 4
"""Models at a time, as in profiles.yml."""
HISTORY = 10
"""Days that are there before the news."""
NAME = "bench"
MODEL = """
select
    kind,
    pmod(hash(user_id), {buckets}) as bucket,
    count(*) as events,
    count(distinct user_id) as users,
    sum(value) as value,
    dt
from {source}
group by dt, kind, pmod(hash(user_id), {buckets})
"""
OURS = (
    "materialized='incremental', incremental_strategy='swap_partitions', partition_by='dt', "
    "unique_key=['dt', 'kind', 'bucket'], location_root='{root}'"
)
STOCK = (
    "materialized='incremental', incremental_strategy='insert_overwrite', partition_by='dt', "
    "file_format='parquet', location_root='{root}'"
)
LOGGED = re.compile(r"^\S*\d\d:\d\d:\d\d\.\d+ \[\w+ *\] \[.+?\]: (?:On (\S+): (?=/\*))?(.*)$")
"""A line of dbt's log that begins an entry; where it tells a statement, with the connection. dbt begins
statements with a comment."""

Said = dict[str, list[list[str]]]
"""dbt's connection, which is a model's or of dbt itself, to its statements, as lines."""


@dataclass(frozen=True)
class Models:
    """So many models over one raw table."""

    count: int

    def sql(self, number: int, source: str) -> str:
        """The SQL of one; no two are the same."""
        return MODEL.format(buckets=2 + number, source=source)


class Project:
    """The models as a dbt project that builds in a database of its own."""

    def __init__(self, folder: Path, models: Models, config: str, macros: bool) -> None:
        self.folder = folder
        (folder / "models").mkdir(parents=True)
        places = [str(ROOT / "macros" / part) for part in ("spark", "shared")]
        project = {
            "name": "bench",
            "profile": "lake",
            "macro-paths": places if macros else ["macros"],
        }
        (folder / "dbt_project.yml").write_text(json.dumps(project))
        table = {"name": NAME, "config": {"meta": {"topic": f"{NAME}-topic"}}}
        sources = {"version": 2, "sources": [{"name": "raw", "schema": "raw", "tables": [table]}]}
        (folder / "models" / "sources.yml").write_text(json.dumps(sources))
        for number in range(models.count):
            sql = models.sql(number, "{{ source('raw', '" + NAME + "') }}")
            text = "{{ config(" + config + ") }}" + sql
            (folder / "models" / f"model_{number:02}.sql").write_text(text)

    def build(self, database: str) -> None:
        """`dbt run` of all models."""
        command = [str(Path(sys.executable).parent / "dbt"), "--quiet", "run", "--target", "ci"]
        places = ["--project-dir", str(self.folder), "--profiles-dir", str(ROOT)]
        done = subprocess.run(
            [*command, *places],
            env={**os.environ, "DATACORE_CI_SCHEMA": database},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{database}: {done.stdout}{done.stderr}")

    def said(self) -> Said:
        """Statements that dbt sent since its log was begun; the log begins anew."""
        log = self.folder / "logs" / "dbt.log"
        said: Said = {}
        statement: list[str] = []
        for line in log.read_text().splitlines():
            begins = LOGGED.match(line)
            if begins and begins[1]:
                statement = [begins[2]]
                said.setdefault(begins[1], []).append(statement)
            elif begins:
                statement = []
            else:
                statement.append(line)
        log.unlink()
        return said


def count_of(said: Said) -> int:
    """How many statements."""
    return sum(map(len, said.values()))


class Plain:
    """A Thrift client that sends the models' SQL and nothing else."""

    def __init__(self, settings: Settings, models: Models, root: str) -> None:
        self._settings = settings
        self._models = models
        self._root = root
        self._thread = threading.local()

    def build(self, database: str, days: Sequence[str] | None = None) -> None:
        """A table of each model, in a new directory; `days` alone where they are given, then swapped in."""
        with ThreadPoolExecutor(THREADS) as pool:
            list(
                pool.map(
                    lambda number: self._model(database, number, days), range(self._models.count)
                )
            )

    def _model(self, database: str, number: int, days: Sequence[str] | None) -> None:
        query = self._models.sql(number, f"raw.{NAME}")
        name = f"{database}.model_{number:02}"
        if days is None:
            location = f"{self._root}/{name}/all"
            self.run(f"create table {name} using parquet partitioned by (dt) location '{location}' as {query}")  # fmt: skip
            return
        location = f"{self._root}/{name}/{days[0]}"
        within = ", ".join(f"date '{day}'" for day in days)
        self.run(
            f"create table {name}_news using parquet partitioned by (dt) location '{location}' "  # noqa: S608
            f"as select * from ({query}) where dt in ({within})"
        )
        for day in days:
            self.run(f"alter table {name} partition (dt = date '{day}') set location '{location}/dt={day}'")  # fmt: skip
        self.run(f"drop table {name}_news")

    def repeat(self, said: Said, names: Sequence[tuple[str, str]]) -> None:
        """Send what dbt sent, each model's statements in their order; `names` are replaced by others."""

        def send(statements: Sequence[list[str]]) -> None:
            for lines in statements:
                text = "\n".join(lines)
                for name, other in names:
                    text = text.replace(name, other)
                self.run(text)

        models = sorted(name for name in said if name.startswith("model."))
        for name in said:  # as dbt did: a database is made before it is looked into
            if name not in models:
                send(said[name])
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda name: send(said[name]), models))

    def run(self, statement: str) -> None:
        """A statement on this thread's connection, and its rows."""
        if not hasattr(self._thread, "cursor"):
            thrift = self._settings.thrift
            self._thread.cursor = hive.connect(thrift.host, thrift.port).cursor()
        self._thread.cursor.execute(statement)
        if self._thread.cursor.description:
            self._thread.cursor.fetchall()


def contents(settings: Settings, database: str, models: Models) -> list[Any]:
    """The rows of the first and the last model."""
    connection = hive.connect(settings.thrift.host, settings.thrift.port)
    try:
        cursor = connection.cursor()
        found = []
        for number in (0, models.count - 1):
            cursor.execute(f"select dt, kind, bucket, events, users, value from {database}.model_{number:02} order by dt, kind, bucket")  # noqa: S608  # fmt: skip
            found.append(cursor.fetchall())
        return found
    finally:
        connection.close()


class Ground:
    """The raw table, with news when asked for, and the ways to build on it."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        contracts = folder / "contracts"
        contracts.mkdir()
        (contracts / f"{NAME}.odcs.yaml").write_text(CONTRACT.format(name=NAME))
        bucket = Bucket(s3_client(settings), settings.bucket)
        registrar = Registrar(
            GlueCatalog(glue_client(settings)), load_contracts(contracts), bucket.name
        )
        registrar.tables()
        self._history = History(bucket, registrar, NAME)
        self._history.days(HISTORY)
        self._told = 0

    def news(self) -> str:
        """One more hour's object, of another day each time; the day."""
        day = self._told % HISTORY
        self._told += 1
        self._history.write([24 * day + 12])
        return hour_words(FIRST_HOUR + 24 * day)[0]


def told(title: str, rows: Sequence[tuple[str, float, int | None]]) -> None:
    """A table: seconds, and how many times the first row's."""
    click.echo(f"\n| {title} | seconds | ratio | statements |\n|-|-:|-:|-:|")
    for way, taken, statements in rows:
        click.echo(f"| {way} | {taken:.1f} | {taken / rows[0][1]:.2f} | {statements or ''} |")


def compared(settings: Settings, ground: Ground, folder: Path, count: int, rounds: int) -> None:
    """dbt against a plain client."""
    models = Models(count)
    roots = {way: f"s3://{settings.lake_bucket}/bench_{way}" for way in ("plain", "stock", "ours")}
    plain = Plain(settings, models, roots["plain"])
    stock = Project(folder / "stock", models, STOCK.format(root=roots["stock"]), macros=False)
    ours = Project(folder / "ours", models, OURS.format(root=roots["ours"]), macros=True)
    again = (("ours_lake", "again_lake"), ("bench_ours", "bench_again"))
    plain.run("create database warm")
    plain.build("warm")
    plain.run("create database plain")
    first = [("plain client, the models alone", seconds(lambda: plain.build("plain")), count)]
    said: Said = {}
    for way, project, database in (("stock dbt-spark", stock, "stock"), ("ours", ours, "ours")):
        taken = seconds(lambda project=project, database=database: project.build(database))  # type: ignore[misc]
        said = project.said()
        first.append((way, taken, count_of(said)))
    told(f"{count} models, first build", first)
    repeated = seconds(lambda: plain.repeat(said, again))
    told(
        f"{count} models, first build",
        [("plain client, the same statements", repeated, count_of(said)), first[-1]],
    )

    taken_plain, taken_ours, taken_again = [], [], []
    for _ in range(rounds):
        day = ground.news()
        taken_plain.append(seconds(lambda day=day: plain.build("plain", [day])))  # type: ignore[misc]
        taken_ours.append(seconds(lambda: ours.build("ours")))
        said = ours.said()
        taken_again.append(seconds(lambda said=said: plain.repeat(said, again)))  # type: ignore[misc]
    by_ours = ("ours", statistics.median(taken_ours), count_of(said))
    told(
        f"{count} models, one day's news",
        [("plain client, the models alone", statistics.median(taken_plain), 3 * count), by_ours],
    )
    told(
        f"{count} models, one day's news",
        [("plain client, the same statements", statistics.median(taken_again), count_of(said)), by_ours],
    )  # fmt: skip
    idle = seconds(lambda: ours.build("ours"))
    told(f"{count} models, nothing new", [("ours", idle, count_of(ours.said()))])
    if contents(settings, "again_lake", models) != contents(settings, "ours_lake", models):
        raise RuntimeError("what was sent again gave different rows")
    if contents(settings, "plain", models) != contents(settings, "ours_lake", models):
        raise RuntimeError("the ways give different rows")


def far_away(settings: Settings, ground: Ground, folder: Path, proxy: Proxy, count: int, rounds: int) -> None:  # fmt: skip
    """The same build with Glue near and far, turn about."""
    root = f"s3://{settings.lake_bucket}/bench_far"
    project = Project(folder / "far", Models(count), OURS.format(root=root), macros=True)
    first: dict[float, list[float]] = {0.0: [], DELAY: []}
    news: dict[float, list[float]] = {0.0: [], DELAY: []}
    counts: Counter[str] = Counter()
    for number in range(rounds):
        for proxy.delay in (0.0, DELAY):
            database = f"far{number}_{round(proxy.delay * 1000)}"
            first[proxy.delay].append(seconds(lambda name=database: project.build(name)))  # type: ignore[misc]
            ground.news()
            before = Counter(proxy.calls)
            news[proxy.delay].append(seconds(lambda name=database: project.build(name)))  # type: ignore[misc]
            counts = proxy.calls - before
    proxy.delay = 0.0
    for title, taken in (("first build", first), ("one day's news", news)):
        rows: list[tuple[str, float, int | None]] = [
            ("Glue as it is", statistics.median(taken[0.0]), None),
            (f"Glue {DELAY * 1000:.0f} ms away", statistics.median(taken[DELAY]), None),
        ]
        told(f"{count} models, {title}", rows)
    listed = ", ".join(f"{name} {number / count:.1f}" for name, number in counts.most_common())
    click.echo(f"\nGlue calls of one model of the last build: {listed}")


@click.command()
@click.option("--models", "count", type=click.IntRange(min=0, max=98), default=40, show_default=True)  # fmt: skip
@click.option("--far", type=click.IntRange(min=0, max=98), default=20, show_default=True, help="Models that are built with Glue far away.")  # fmt: skip
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True, help="The median counts.")  # fmt: skip
def main(count: int, far: int, rounds: int) -> None:
    """Build many models on dbt, on stock dbt-spark and by a plain client, with Glue near and far."""
    logging.getLogger("thrift").setLevel(logging.CRITICAL)  # that a part is not up yet is no news
    with TemporaryDirectory() as folder, platform() as (_, proxy, _):
        settings = load_settings()
        ground = Ground(settings, Path(folder))
        if count:
            compared(settings, ground, Path(folder), count, rounds)
        if far:
            far_away(settings, ground, Path(folder), proxy, far, rounds)


if __name__ == "__main__":
    main()
