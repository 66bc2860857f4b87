"""How long `datacore audit` takes over a day of many objects, on the sandbox's S3.

`python -m benchmarks.audit [OBJECTS]` starts the sandbox's S3 and Glue, lets the landing code write
a day of 10,000 objects, and runs the command on it: reading everything, then `--quick`. The
yardstick, in the same run: a loop of as many threads that GETs every object and does nothing else.
"""

import json
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from datacore.aws import UPLOADS, glue_client, s3_client
from datacore.contracts import Contract, Match
from datacore.settings import Settings, load_settings
from ingest.land.bucket import Bucket
from ingest.land.chain import rules_key
from ingest.land.cut import OpenCut
from ingest.land.hours import HourLog, Progress
from ingest.land.lane import iso_time
from ingest.land.manifest import Place
from ingest.land.rules import rules_of
from ingest.land.source import Batch, Partition
from ingest.register.glue import GlueCatalog
from ingest.register.registrar import Registrar
from sandbox.parts.aws import ask, furnish
from sandbox.platform import make_site
from sandbox.ports import HOST, choose_ports
from sandbox.state import State

TOPIC = "bench"
TYPES = 5
PARTITIONS = 4
LINES = 60
"""Lines of an object, of 0.6 KB each."""
DAY_MS = 1_767_312_000_000
"""2026-01-02T00:00:00Z."""
HOUR_MS = 3_600_000
CUT_HOURS = 4
"""Hours that a cut holds lines of."""


def contracts() -> list[Contract]:
    """Data types told apart by the field `type`."""
    return [
        Contract(
            name=f"type_{n}", domain="bench", version="1.0.0", topic=TOPIC,
            match=Match("type", f"type_{n}"), event_time="at", event_time_unit="ms",
            event_id=("id",), description="Bench.", owner="bench", file=Path("bench.yaml"),
            columns=(),
        )
        for n in range(TYPES)
    ]  # fmt: skip


@contextmanager
def s3_and_glue() -> Iterator[Settings]:
    """The sandbox's AWS by itself, and settings that lead to it."""
    with TemporaryDirectory() as folder:
        site = make_site(State(Path(folder) / "sandbox"), choose_ports(free=True))
        for name in [name for name in os.environ if name.startswith(("AWS_", "DATACORE_"))]:
            del os.environ[name]
        os.environ |= site.variables
        server = subprocess.Popen([sys.executable, "-m", "sandbox.aws_server", HOST, str(site.ports["aws"])])  # fmt: skip
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    ask(site)
                    break
                except Exception:  # not up yet, whatever it says
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.2)
            furnish(site)
            yield load_settings()
        finally:
            server.terminate()
            server.wait()


def fill(settings: Settings, objects: int) -> None:
    """Land a day of at least `objects` objects, by the landing code itself."""
    rules, chance = rules_of(contracts()), random.Random(1)  # noqa: S311 — data to compress
    bucket = Bucket(s3_client(settings), settings.bucket)
    registrar = Registrar(GlueCatalog(glue_client(settings)), contracts(), bucket.name)
    registrar.tables()
    bucket.put_new(rules_key(rules.hash), rules.document)
    numbers, written, cut_number = dict.fromkeys(range(PARTITIONS), 0), 0, 0
    while written < objects:
        number, hour = cut_number % PARTITIONS, cut_number // PARTITIONS % (24 - CUT_HOURS)
        first, records = numbers[number], CUT_HOURS * TYPES * LINES
        cut = OpenCut(Partition(TOPIC, number), first, rules)
        stamped = DAY_MS + (hour + CUT_HOURS) * HOUR_MS
        values = [
            b'{"id":"%d-%d","type":"type_%d","at":%d,"text":"%s"}'
            % (number, n, n % TYPES, DAY_MS + (hour + n // TYPES % CUT_HOURS) * HOUR_MS + n % HOUR_MS,
               chance.randbytes(30).hex().encode() * 9)
            for n in range(first, first + records)
        ]  # fmt: skip
        headers = [
            (("host", b"h%d" % number), ("file", b"f"), ("seq", b"%d" % n))
            for n in range(first, first + records)
        ]
        cut.add(Batch(range(first, first + records), [stamped] * records, values, headers))
        done = cut.finish(cut.next, "id", "bench", iso_time(stamped / 1000))
        bucket.put_new(done.manifest.key, done.manifest.to_json())
        bucket.put_bodies(done.bodies)
        numbers[number], written, cut_number = cut.next, written + len(done.bodies), cut_number + 1
    log = HourLog(bucket, registrar, TOPIC, rules.limits.grace_ms)
    complete_to = {number: Place(0, end) for number, end in numbers.items()}
    log.write(
        Progress(complete_to, numbers, DAY_MS + 48 * HOUR_MS), lambda: iso_time(DAY_MS / 1000)
    )


def only_get(settings: Settings) -> tuple[float, float, int]:
    """GET every raw object and do nothing with it: seconds, CPU seconds, objects."""
    bucket = Bucket(s3_client(settings), settings.bucket)
    keys = list(bucket.keys("production-logs/type_"))
    began, cpu = time.monotonic(), time.process_time()
    with ThreadPoolExecutor(UPLOADS) as pool:
        for _ in pool.map(bucket.get, keys):
            pass
    return time.monotonic() - began, time.process_time() - cpu, len(keys)


def run_audit(*arguments: str) -> tuple[float, float, dict[str, object]]:
    """Run the command: seconds, CPU seconds of its process, its report."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "datacore", "audit", "--json", *arguments],
        check=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, cpu, json.loads(done.stdout)


@click.command()
@click.argument("objects", type=click.IntRange(min=1), default=10_000)
def main(objects: int) -> None:
    """Measure on a day of OBJECTS objects."""
    with s3_and_glue() as settings:
        began = time.monotonic()
        fill(settings, objects)
        click.echo(f"landed in {time.monotonic() - began:.1f} s")
        floor, cpu, count = only_get(settings)
        click.echo(f"only GET {count} objects: {floor:.1f} s, {cpu:.1f} s CPU")
        for arguments in ((), ("--quick",)):
            seconds, cpu, report = run_audit(*arguments)
            assert report["ok"], report["findings"]
            click.echo(
                f"audit {' '.join(arguments)}: {report['objects']} objects "
                f"{report['records']} records {report['bytes']} bytes: "
                f"{seconds:.1f} s, {cpu:.1f} s CPU, {seconds / floor:.2f} of only GET"
            )


if __name__ == "__main__":
    main()
