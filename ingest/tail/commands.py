"""`datacore tail`: JSON-lines files into Kafka, each line once."""

import hashlib
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import click
import structlog

from datacore.errors import DatacoreError
from datacore.metrics import metrics_options
from datacore.settings import load_settings
from ingest.meter import Meter
from ingest.meter_server import measured
from ingest.signals import stop_on_signals
from ingest.tail.follower import FollowedPath, forget, gone, left_behind, open_paths
from ingest.tail.lines import Batch
from ingest.tail.position import Position
from ingest.tail.publisher import AWAY_S, Publisher, prepare, read_positions

log = structlog.get_logger()

BATCH_BYTES = 1 << 20
"""About how much of one file goes to one partition at a time."""
TRANSACTION_BYTES = 2 << 20
"""About how much one transaction holds; a larger line makes it larger."""
POLL_SECONDS = 0.25
"""How often a followed file is looked at."""


class Tail:
    """Moves batches from paths to the publisher and counts them."""

    def __init__(self, publisher: Publisher, stop: threading.Event, meter: Meter) -> None:
        self._publisher = publisher
        self._stop = stop
        self._meter = meter
        self.lines = 0
        self.bytes = 0

    def register(self, paths: list[FollowedPath], known: dict[str, Position]) -> None:
        """Make all logs known, in one transaction, before anything of them is sent.

        What was registered before, never read and is gone is forgotten.
        """
        files = [path.path for path in paths]
        new = [forget(known, position) for position in gone(files, list(known.values()))]
        new += [batch for path in paths if (batch := path.register()) is not None]
        if new:
            self._commit(new)

    def once(self, paths: list[FollowedPath]) -> list[DatacoreError]:
        """Every path to its end; the errors of those that broke off."""
        problems: list[DatacoreError] = []
        for path in paths:
            if self._stop.is_set():
                break
            try:
                self._send(path.finish(BATCH_BYTES))
            except DatacoreError as error:
                if error.exit_code != DatacoreError.exit_code:
                    raise
                problems.append(error)
        return problems

    def follow(self, paths: list[FollowedPath]) -> None:
        """Until told to stop."""
        while not self._stop.is_set():
            self._meter.step()
            before = self.lines
            self._send(chain.from_iterable(path.read(BATCH_BYTES) for path in paths))
            self._meter.files(len(paths), sum(path.unread for path in paths))
            if self.lines == before:
                self._stop.wait(POLL_SECONDS)

    def _send(self, batches: Iterator[Batch]) -> None:
        """In transactions; what was read before an error is sent before the error is raised."""
        waiting: list[Batch] = []
        size = 0
        try:
            for batch in batches:
                waiting.append(batch)
                size += batch.bytes
                if size >= TRANSACTION_BYTES or not batch.lines:
                    full, waiting, size = waiting, [], 0
                    self._commit(full)
                if self._stop.is_set():
                    break
        finally:
            if waiting:
                self._commit(waiting)

    def _commit(self, batches: list[Batch]) -> None:
        self._publisher.send(batches)
        lines = sum(len(batch.lines) for batch in batches)
        bytes_ = sum(batch.bytes for batch in batches)
        self.lines += lines
        self.bytes += bytes_
        self._meter.sent(lines, bytes_)


@contextmanager
def opened(
    files: Iterable[Path], known: dict[str, Position], max_line: int
) -> Iterator[list[FollowedPath]]:
    """The files, open for as long as the block runs."""
    paths = open_paths(files, known, max_line, time.monotonic)
    try:
        yield paths
    finally:
        for path in paths:
            path.close()


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--topic", required=True, help="Kafka topic that the lines go to; it must exist.")
@click.option("--once", is_flag=True, help="Stop at the end of the files.")
@click.option(
    "--host", default=socket.gethostname, help="Name in the headers. [default: this host]"
)
@click.option("--away-seconds", type=click.FloatRange(min=0), default=AWAY_S, show_default=True,
              help="How long Kafka may be away before tail ends with exit 3.")  # fmt: skip
@metrics_options
def tail(
    files: tuple[Path, ...],
    topic: str,
    once: bool,
    host: str,
    away_seconds: float,
    metrics_host: str,
    metrics_port: int | None,
) -> None:
    """Follow JSON-lines FILES into Kafka, through rotation and restarts, each line once.

    Compressed (gzip) files are read too, so rotated logs can be caught up with. Where a file was read
    up to is kept in Kafka, in the transaction that carries the lines.
    """
    stop = stop_on_signals()
    started = time.monotonic()
    names = "\n".join(sorted(str(file.absolute()) for file in files))
    name = hashlib.sha256(names.encode()).hexdigest()[:16]
    problems: list[DatacoreError] = []
    with measured(metrics_host, metrics_port) as meter:
        settings = load_settings()
        max_line = prepare(settings, topic)
        publisher = Publisher(settings, topic, host, name, max_line, stop, away_seconds)
        moved = Tail(publisher, stop, meter)
        try:
            known = read_positions(settings, topic, host)
            with opened(left_behind(files, known.values()), known, max_line) as rest:
                problems = moved.once([path for path in rest if path.recognised])
            with opened(files, known, max_line) as paths:
                moved.register(paths, known)
                if once:
                    problems += moved.once(paths)
                else:
                    log.info("following", files=len(paths), topic=topic)
                    moved.follow(paths)
        finally:
            publisher.close()
    click.echo(
        f"sent {moved.lines} lines {moved.bytes} bytes of {len(files)} files to {topic}"
        f" in {time.monotonic() - started:.1f} s"
    )
    if problems:
        for problem in problems[:-1]:
            click.secho(f"error: {problem.message}", fg="red", err=True)
        raise problems[-1]
