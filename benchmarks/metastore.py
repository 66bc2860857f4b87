"""What the metastore costs: 10,000 partitions, a pruned plan, and Glue 30 ms away.

Comes in: nothing; it starts the sandbox's AWS, metastore and Spark Thrift, with a proxy between the
metastore and Glue that counts calls and can delay them. Goes out: Markdown tables. The peers, in
the same run: boto3 that does the same to Glue directly, and the same statements without the delay.
"""

import http.client
import logging
import os
import statistics
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen

import boto3
import click
from hmsclient.genthrift.hive_metastore import ThriftHiveMetastore, ttypes
from prometheus_client.parser import text_string_to_metric_families
from pyhive import hive
from thrift.protocol.TBinaryProtocol import TBinaryProtocolAccelerated
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TBufferedTransport

from sandbox.part import Part, Site
from sandbox.parts.aws import furnish
from sandbox.platform import make_parts, make_site
from sandbox.ports import HOST, choose_ports
from sandbox.state import State

DELAY = 0.03
"""Seconds that Glue is farther away."""
SPARK_BATCH, CLIENT_BATCH = 500, 1000
"""Partitions of a statement, and of a call."""
ROUNDS = 3
PRUNED = 5
"""How often the plan is made; the median counts."""
HOURS = 24

STATEMENTS = (
    "create table {db}.orders (id bigint, amount double, dt date) using parquet partitioned by (dt)",
    "create table {db}.users (id bigint, name string) using parquet",
    "create table {db}.daily using parquet as select 1 as id, 2.0 as amount",
    "create or replace view {db}.names as select id, name from {db}.users",
    "alter table {db}.orders add partition (dt = '2026-01-01') partition (dt = '2026-01-02')",
    "alter table {db}.orders add if not exists partition (dt = '2026-01-02')",
    "select count(*) from {db}.orders where dt = '2026-01-02'",
    "select count(*) from {db}.orders where dt >= '2026-01-01'",
    "select o.id from {db}.orders o join {db}.users u on u.id = o.id where o.dt = '2026-01-01'",
    "select * from {db}.daily",
    "select * from {db}.names",
    "alter table {db}.users set tblproperties ('team' = 'people')",
    "alter table {db}.users add columns (age int)",
    "alter table {db}.orders change column amount comment 'in euro'",
    "alter table {db}.orders partition (dt = '2026-01-01') set location 's3://datacore-lake/{db}/x'",
    "alter table {db}.orders drop partition (dt = '2026-01-02')",
    "select count(*) from {db}.users where age > 1",
    "alter table {db}.daily rename to {db}.weekly",
    "select sum(amount) from {db}.weekly",
    "create table {db}.copy using parquet as select * from {db}.weekly",
)


class Proxy(ThreadingHTTPServer):
    """Passes requests on to AWS; those to Glue after `delay` seconds, and counted by operation."""

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        super().__init__((HOST, 0), Passing)
        self.upstream = upstream
        self.delay = 0.0
        self.calls: Counter[str] = Counter()


class Passing(BaseHTTPRequestHandler):
    """One client's connection, and one of its own to AWS."""

    server: Proxy
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.onward = http.client.HTTPConnection(self.server.upstream, timeout=120)

    def finish(self) -> None:
        self.onward.close()
        super().finish()

    def _pass(self) -> None:
        if target := self.headers.get("X-Amz-Target"):
            self.server.calls[target.partition(".")[2]] += 1
            time.sleep(self.server.delay)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.onward.request(self.command, self.path, body, dict(self.headers.items()))
        answer = self.onward.getresponse()
        data = answer.read()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _pass

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def running(part: Part, log: Path, *more: str, **variables: str) -> Iterator[None]:
    """The part's process, once it answers."""
    for path, text in part.files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*part.command, *more],
            env={**os.environ, **part.environment, **variables},
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + part.patience
        while True:
            try:
                part.ask()
                break
            except Exception as error:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(
                        f"{part.title} does not answer: {log.read_text()[-2000:]}"
                    ) from error
                time.sleep(0.3)
        yield
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def platform() -> Iterator[tuple[Site, Proxy, int]]:
    """AWS, the proxy, the metastore behind it, Spark Thrift; the port of the metastore's metrics."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        site = make_site(State(Path(folder) / "sandbox"), choose_ports(free=True))
        for name in [name for name in os.environ if name.startswith(("AWS_", "DATACORE_"))]:
            del os.environ[name]
        os.environ |= site.variables
        parts = {part.name: part for part in make_parts(site)}
        logs = Path(folder)
        stack.enter_context(running(parts["aws"], logs / "aws.log"))
        furnish(site)
        proxy = Proxy(site.address("aws"))
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        stack.callback(proxy.shutdown)
        metrics = choose_ports(free=True)["aws"]
        stack.enter_context(
            running(
                parts["metastore"],
                logs / "metastore.log",
                *("--metrics-port", str(metrics)),
                AWS_ENDPOINT_URL=f"http://{HOST}:{proxy.server_port}",
            )
        )
        stack.enter_context(running(parts["thrift"], logs / "thrift.log"))
        yield site, proxy, metrics


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def keys(count: int) -> list[tuple[str, str]]:
    """Days and hours, in order."""
    days = [
        f"{year}-{month:02}-{day:02}"
        for year in (2024, 2025, 2026)
        for month in range(1, 13)
        for day in range(1, 29)
    ]
    return [(day, f"{hour:02}") for day in days for hour in range(HOURS)][:count]


def batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """`items`, `size` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def by_spark(cursor: Any, table: str, wanted: Sequence[tuple[str, str]]) -> None:
    """`alter table … add partition`, many in a statement."""
    for batch in batches(wanted, SPARK_BATCH):
        named = " ".join(f"partition (dt = '{dt}', hour = '{hour}')" for dt, hour in batch)
        cursor.execute(f"alter table {table} add {named}")


def by_client(client: Any, table: str, wanted: Sequence[tuple[str, str]]) -> None:
    """add_partitions of the protocol."""
    database, name = table.split(".")
    shown = client.get_table(database, name)
    for batch in batches(wanted, CLIENT_BATCH):
        client.add_partitions(
            [
                ttypes.Partition(
                    values=list(values), dbName=database, tableName=name, parameters={},
                    sd=ttypes.StorageDescriptor(
                        cols=shown.sd.cols, location=f"{shown.sd.location}/dt={values[0]}/hour={values[1]}",
                        inputFormat=shown.sd.inputFormat, outputFormat=shown.sd.outputFormat,
                        serdeInfo=shown.sd.serdeInfo, parameters={}, bucketCols=[], sortCols=[],
                    ),
                )
                for values in batch
            ]
        )  # fmt: skip


def by_boto(glue: Any, table: str, wanted: Sequence[tuple[str, str]]) -> None:
    """Glue's own batches: the least that anybody can do."""
    database, name = table.split(".")
    descriptor = glue.get_table(DatabaseName=database, Name=name)["Table"]["StorageDescriptor"]
    for batch in batches(wanted, 100):
        answer = glue.batch_create_partition(
            DatabaseName=database,
            TableName=name,
            PartitionInputList=[
                {"Values": list(values), "StorageDescriptor": descriptor} for values in batch
            ],
        )
        assert not answer.get("Errors"), answer["Errors"][0]


def pruned_by_boto(glue: Any, table: str, day: str) -> int:
    """The partitions of a day from Glue itself."""
    database, name = table.split(".")
    pages = glue.get_paginator("get_partitions").paginate(
        DatabaseName=database, TableName=name, Expression=f"dt = '{day}'"
    )
    return sum(len(page["Partitions"]) for page in pages)


def register(cursor: Any, client: Any, glue: Any, proxy: Proxy, metrics: int, count: int) -> None:
    """Three tables of `count` partitions, each made its own way, then plans over one of them."""
    wanted = keys(count)
    ways: list[tuple[str, str, Callable[[str], None]]] = [
        (f"Spark `alter table … add partition`, {SPARK_BATCH} a statement", "bench.spark",
         lambda table: by_spark(cursor, table, wanted)),
        (f"hmsclient `add_partitions`, {CLIENT_BATCH} a call", "bench.client",
         lambda table: by_client(client, table, wanted)),
        ("boto3 `batch_create_partition` (peer)", "bench.boto",
         lambda table: by_boto(glue, table, wanted)),
    ]  # fmt: skip
    cursor.execute("create database bench")
    taken = {}
    for _, table, work in ways:
        cursor.execute(
            f"create table {table} (id bigint, dt date, hour string) using parquet "
            "partitioned by (dt, hour)"
        )
        taken[table] = seconds(lambda work=work, table=table: work(table))  # type: ignore[misc]
        found = len(client.get_partition_names(*table.split("."), -1))
        assert found == count, f"{table} has {found} partitions"
    click.echo(f"\n| {count:,} partitions by | seconds | of the peer |\n|-|-:|-:|")
    for title, table, _ in ways:
        click.echo(f"| {title} | {taken[table]:.1f} | {taken[table] / taken['bench.boto']:.1f} |")

    day = wanted[len(wanted) // 2][0]
    query = f"select count(*) from bench.spark where dt = date '{day}'"  # noqa: S608 — a day of ours
    cursor.execute("explain extended " + query)
    plan = "\n".join(row[0] for row in cursor.fetchall())
    assert day in plan, plan

    def explained() -> None:
        cursor.execute("explain formatted " + query)
        cursor.fetchall()

    before, asked_before = Counter(proxy.calls), hive_calls(metrics)
    explained()
    calls, hive_asked = proxy.calls - before, hive_calls(metrics) - asked_before
    planned = statistics.median(seconds(explained) for _ in range(PRUNED))
    fetched = statistics.median(
        seconds(lambda: pruned_by_boto(glue, "bench.spark", day)) for _ in range(PRUNED)
    )
    asked = statistics.median(
        seconds(lambda: client.get_partitions_by_filter("bench", "spark", f'dt = "{day}"', -1))
        for _ in range(PRUNED)
    )
    click.echo(f"\n| a day of {count:,} partitions | seconds | of the peer |\n|-|-:|-:|")
    for title, each in (
        ("Spark `explain`", planned),
        ("hmsclient `get_partitions_by_filter`", asked),
        ("boto3 `get_partitions` (peer)", fetched),
    ):
        click.echo(f"| {title} | {each:.3f} | {each / fetched:.1f} |")
    click.echo("")
    for title, counts in (("Hive", hive_asked), ("Glue", calls)):
        told = ", ".join(f"{name} {number}" for name, number in counts.most_common())
        click.echo(f"- {title} calls of one `explain`: {told}")


def hive_calls(metrics: int) -> Counter[str]:
    """Calls of the protocol that the metastore has answered, by name."""
    with urlopen(f"http://{HOST}:{metrics}/metrics") as answer:
        text = answer.read().decode()
    return Counter(
        {
            sample.labels["call"]: int(sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "datacore_metastore_call_seconds_count"
        }
    )


def run_statements(cursor: Any, database: str) -> float:
    """Seconds of the fixed list, in a new database."""
    cursor.execute(f"create database {database}")

    def all_of_them() -> None:
        for statement in STATEMENTS:
            cursor.execute(statement.format(db=database))
            if statement.startswith("select"):
                cursor.fetchall()

    taken = seconds(all_of_them)
    cursor.execute(f"drop database {database} cascade")
    return taken


def far_away(cursor: Any, proxy: Proxy, metrics: int) -> None:
    """The fixed list with Glue near and far, turn about; the first round only warms Spark up."""
    run_statements(cursor, "warm")
    taken: dict[float, list[float]] = {0.0: [], DELAY: []}
    before, asked = Counter(proxy.calls), hive_calls(metrics)
    for number in range(ROUNDS):
        for delay in (0.0, DELAY):
            proxy.delay = delay
            taken[delay].append(run_statements(cursor, f"list{number}_{round(delay * 1000)}"))
    proxy.delay = 0.0
    runs = 2 * ROUNDS
    calls, hive_asked = proxy.calls - before, hive_calls(metrics) - asked
    near, far = (statistics.median(taken[delay]) for delay in (0.0, DELAY))
    click.echo(f"\n| {len(STATEMENTS)} statements | seconds | ratio |\n|-|-:|-:|")
    click.echo(f"| Glue as it is (peer) | {near:.2f} | 1.00 |")
    click.echo(f"| Glue {DELAY * 1000:.0f} ms away | {far:.2f} | {far / near:.2f} |")
    click.echo(f"\nof one run: {hive_asked.total() / runs:.0f} Hive calls, ", nl=False)
    click.echo(f"{calls.total() / runs:.0f} Glue calls (with making and dropping the database)")
    for title, counts in (("Hive", hive_asked), ("Glue", calls)):
        told = ", ".join(f"{name} {number / runs:.1f}" for name, number in counts.most_common(14))
        click.echo(f"- {title}: {told}")


@click.command()
@click.argument("partitions", type=click.IntRange(min=100, max=24_000), default=10_000)
def main(partitions: int) -> None:
    """Measure with PARTITIONS partitions."""
    logging.getLogger("thrift").setLevel(logging.CRITICAL)  # that a part is not up yet is no news
    with platform() as (site, proxy, metrics):
        cursor = hive.connect(HOST, site.ports["thrift"]).cursor()
        transport = TBufferedTransport(TSocket(HOST, site.ports["metastore"]))
        transport.open()
        client = ThriftHiveMetastore.Client(TBinaryProtocolAccelerated(transport))
        glue = boto3.client("glue")
        far_away(cursor, proxy, metrics)
        register(cursor, client, glue, proxy, metrics, partitions)
        transport.close()


if __name__ == "__main__":
    main()
