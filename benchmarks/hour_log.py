"""What it costs to ask the hour log what changed, as its history grows to a year.

Comes in: nothing; it starts a sandbox of its own. Goes out: a table, a row a length of history. Each
asks for the days that the last ten entries touched, in three ways: through Spark as the lake's
models do (only the last block), through Spark over the whole log (the peer: what it costs without
blocks), and as a lander that starts (the last block's totals, and the entries after them).
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from pyhive import hive
from rich.console import Console
from rich.table import Table

from datacore.aws import glue_client, s3_client
from datacore.settings import Settings, apply_environment, load_settings
from ingest.land.bucket import Bucket
from ingest.land.event_time import MS_PER_HOUR
from ingest.land.hourlog import BLOCK, Entry, Ledger, totals_key
from ingest.land.hours import HourLog
from ingest.land.manifest import Kind, LandedObject, Manifest
from ingest.land.objects import hour_words
from ingest.register.glue import GlueCatalog
from ingest.register.registrar import Registrar

FIRST_HOUR = 490_000
"""Hours since 1970: in the year 2025."""
TYPES = ("click", "search", "view")
NEWS = 10
RUNS = 5

QUERY = """
select max(sequence), concat_ws(' ', sort_array(collect_set(touched.dt)))
from platform.hour lateral view outer explode(hours) as touched
where topic = '{topic}' {block} and sequence > {last}
"""


@contextmanager
def platform() -> Iterator[Settings]:
    """A sandbox on free ports."""
    command = [sys.executable, "-m", "datacore", "sandbox"]
    with TemporaryDirectory() as folder:
        state = str(Path(folder) / "sandbox")
        subprocess.run([*command, "up", "--state", state, "--free-ports"], check=True)
        try:
            os.environ["DATACORE_SANDBOX_DIR"] = state
            apply_environment()
            yield load_settings()
        finally:
            subprocess.run([*command, "down", "--state", state], check=True)


def entries(topic: str, count: int) -> Iterator[tuple[Entry, bytes | None]]:
    """An entry an hour, each with a cut of every type; the totals before a block begins."""
    ledger = Ledger(topic)
    for number in range(count):
        dt, hour = hour_words(FIRST_HOUR + number)
        objects = tuple(
            LandedObject(f"{name}/{number}", name, dt, hour, 1_000, 500_000, 0, "0" * 64)
            for name in TYPES
        )
        ends = (FIRST_HOUR + number + 1) * MS_PER_HOUR
        cut = Manifest(
            Kind.CUT, topic, "id", 0, number * 3_000, (number + 1) * 3_000, 3_000, "r", "l",
            "2027-01-02T00:00:00.000Z", min_timestamp=ends - MS_PER_HOUR, max_timestamp=ends,
            objects=objects,
        )  # fmt: skip
        entry = ledger.next_entry({0: [cut]}, set(), ends, 0, cut.written_at)
        assert entry is not None
        begins_block = number and number % BLOCK == 0
        yield entry, ledger.snapshot() if begins_block else None
        ledger.apply(entry)


def write(bucket: Bucket, registrar: Registrar, topic: str, count: int) -> None:
    """Put a log of `count` entries on S3 and register its blocks."""

    def put(made: tuple[Entry, bytes | None]) -> None:
        entry, totals = made
        if totals is not None:
            bucket.put_new(totals_key(topic, entry.sequence // BLOCK), totals)
        bucket.put_new(entry.key, entry.to_json())

    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(put, entries(topic, count)):
            pass
    for block in range((count - 1) // BLOCK + 1):
        registrar.block(topic, block)


def seconds(act: Callable[[], object]) -> float:
    """The median of several runs, after one that does not count."""
    act()
    taken = []
    for _ in range(RUNS):
        began = time.perf_counter()
        act()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


@click.command()
@click.option("--entries", "lengths", multiple=True, type=click.IntRange(min=NEWS + 1),
              default=(960, 8_960), show_default=True,
              help="Lengths of history; choose them alike modulo 1,000: a block is read whole.")  # fmt: skip
def main(lengths: tuple[int, ...]) -> None:
    """Measure the question “what changed since entry N” at several lengths of history."""
    table = Table("entries", "days of history")
    for name in ("Spark, by block", "Spark, whole log", "lander starts"):
        table.add_column(name, justify="right")
    with platform() as settings:
        bucket = Bucket(s3_client(settings), settings.bucket)
        registrar = Registrar(GlueCatalog(glue_client(settings)), [], bucket.name)
        registrar.tables()
        cursor = hive.connect(settings.thrift.host, settings.thrift.port).cursor()
        for length in lengths:
            topic = f"history_{length}"
            write(bucket, registrar, topic, length)
            last = length - 1 - NEWS

            def ask(block: str, topic: str = topic, length: int = length, last: int = last) -> None:
                cursor.execute(QUERY.format(topic=topic, block=block, last=last))
                newest, days = cursor.fetchall()[0]
                assert newest == length - 1, newest
                assert days.split()[-1] == hour_words(FIRST_HOUR + length - 1)[0], days

            def start(topic: str = topic, length: int = length) -> None:
                log = HourLog(bucket, registrar, topic, 0)
                assert log._follow().sequence == length - 1

            by_block = seconds(lambda ask=ask, last=last: ask(f"and block >= {last // BLOCK}"))
            whole = seconds(lambda ask=ask: ask(""))
            starts = seconds(start)
            table.add_row(f"{length:,}", f"{length // 24:,}", f"{by_block:.2f} s", f"{whole:.2f} s", f"{starts:.2f} s")  # fmt: skip
    Console().print(table)


if __name__ == "__main__":
    main()
