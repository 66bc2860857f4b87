"""Tail under trouble: many files, rotations, kills, two at once, a broker that is away."""

import gzip
import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from ingest_stage import Stage, wait_until

from datacore.settings import Address

pytestmark = pytest.mark.sandbox

MIB = 1 << 20


def events(stage: Stage, first: int, count: int) -> list[bytes]:
    return [stage.event(number, hour=number // 100 % 24) for number in range(first, first + count)]


def check_each_once(stage: Stage, lines: list[bytes]) -> None:
    """Every line is on S3 once, and each file's sequence numbers are whole."""
    stage.land()
    assert stage.landed() == Counter(lines)
    numbers: dict[str, list[int]] = {}
    for producer in (p for m in stage.manifests() for p in m["producers"]):
        for first, last in producer["ranges"]:
            numbers.setdefault(producer["file"], []).extend(range(first, last + 1))
    assert all(sorted(found) == list(range(len(found))) for found in numbers.values())
    assert sum(map(len, numbers.values())) == len(lines)


def test_two_hundred_files_are_followed_at_once(stage: Stage) -> None:
    paths = [stage.write(f"app-{n:03}.log", events(stage, n * 10, 5)) for n in range(200)]
    tail = stage.start(*stage.tail_arguments(*paths))
    wait_until(lambda: stage.sent() == 1_000, "what the files held")
    for n, path in enumerate(paths):
        with path.open("ab") as file:
            file.write(b"".join(line + b"\n" for line in events(stage, n * 10 + 5, 5)))
    wait_until(lambda: stage.sent() == 2_000, "what came later")
    assert "sent 2000 lines" in stage.stop(tail)
    check_each_once(stage, events(stage, 0, 2_000))


def test_compressed_rotated_logs_are_caught_up_with_and_none_is_sent_again(stage: Stage) -> None:
    path = stage.write("app.log", events(stage, 0, 3_000))
    assert "sent 3000 lines" in stage.tail(path).stdout
    # two rotations while nobody tails, the older log compressed
    path.rename(older := path.with_name("app.log.2"))
    with gzip.open(f"{older}.gz", "wb") as packed:
        packed.write(older.read_bytes() + b"".join(x + b"\n" for x in events(stage, 3_000, 500)))
    older.unlink()
    newer = stage.write("app.log.1", events(stage, 3_500, 1_000))
    stage.write("app.log", events(stage, 4_500, 500))

    everything = (path.with_name("app.log.2.gz"), newer, path)
    assert "sent 2000 lines" in stage.tail(*everything).stdout
    assert "sent 0 lines" in stage.tail(*everything).stdout
    check_each_once(stage, events(stage, 0, 5_000))


def test_a_tail_killed_in_the_midst_of_a_rotation_goes_on_where_it_was(stage: Stage) -> None:
    path = stage.write("app.log", events(stage, 0, 30_000))
    killed = stage.start(*stage.tail_arguments(path))
    wait_until(lambda: stage.written() > 5_000, "the first transactions")
    path.rename(path.with_name("app.log.1"))
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    with path.with_name("app.log.1").open("ab") as file:
        file.write(b"".join(line + b"\n" for line in events(stage, 30_000, 10)))
    stage.write("app.log", events(stage, 30_010, 90))

    again = stage.start(*stage.tail_arguments(path))
    wait_until(lambda: stage.sent() == 30_100, "both logs")
    stage.stop(again)
    check_each_once(stage, events(stage, 0, 30_100))


def test_a_log_is_followed_through_copytruncate_and_deletion(stage: Stage) -> None:
    path = stage.write("app.log", events(stage, 0, 100))
    tail = stage.start(*stage.tail_arguments(path))
    wait_until(lambda: stage.sent() == 100, "the first lines")
    shutil.copy(path, path.with_name("app.log.1"))
    os.truncate(path, 0)
    with path.open("ab") as file:
        file.write(b"".join(line + b"\n" for line in events(stage, 100, 200)))
    wait_until(lambda: stage.sent() == 300, "the lines after the truncation")
    with path.open("ab") as held:
        path.unlink()
        held.write(b"".join(line + b"\n" for line in events(stage, 300, 50)))
    wait_until(lambda: stage.sent() == 350, "the deleted log's end")
    stage.write("app.log", events(stage, 350, 50))
    wait_until(lambda: stage.sent() == 400, "the new log")
    stage.stop(tail)
    check_each_once(stage, events(stage, 0, 400))


def test_two_tails_of_one_log_the_second_is_told_and_sends_nothing(stage: Stage) -> None:
    path = stage.write("app.log", events(stage, 0, 100))
    first = stage.start(*stage.tail_arguments(path))
    wait_until(lambda: stage.sent() == 100, "the first tail")
    other = stage.write("other.log", [])
    second = stage.sandbox.run(*stage.tail_arguments(path, other), "--once", check=False)
    assert second.returncode == 4
    assert "another tail reads this file" in second.stderr
    stage.stop(first)
    check_each_once(stage, events(stage, 0, 100))


@contextmanager
def broker_paused(stage: Stage) -> Iterator[None]:
    """Kafka neither answers nor closes its connections: away, as seen from a client."""
    address = Address.parse(stage.sandbox.env["DATACORE_KAFKA"], "DATACORE_KAFKA")
    (pid,) = {
        found.pid
        for found in psutil.net_connections("tcp")
        if found.status == psutil.CONN_LISTEN and found.laddr.port == address.port and found.pid
    }
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def grow(stage: Stage, first: int, mib: int) -> list[bytes]:
    """So many lines as take `mib` MiB, appended to the log."""
    pad = b'{"type":"%s","occurred_at":"2026-01-02T03:00:00Z","n":%%d,"pad":"%s"}' % (
        stage.data_type.encode(),
        b"x" * 4_000,
    )
    lines = [pad % number for number in range(first, first + mib * MIB // 4_100)]
    with (stage.folder / "app.log").open("ab") as file:
        file.write(b"".join(line + b"\n" for line in lines))
    return lines


def test_while_the_broker_is_away_memory_is_bounded_and_then_the_tail_goes_on(stage: Stage) -> None:
    path = stage.write("app.log", [])
    tail = stage.start(*stage.tail_arguments(path))
    lines = grow(stage, 0, 4)
    wait_until(lambda: stage.sent() == len(lines), "the first lines")
    process = psutil.Process(tail.pid)
    before = process.memory_info().rss
    with broker_paused(stage):
        lines += grow(stage, len(lines), 150)
        most = before
        until = time.monotonic() + 25
        while time.monotonic() < until:
            most = max(most, process.memory_info().rss)
            time.sleep(0.2)  # between two looks at its memory
    assert most - before < 64 * MIB
    wait_until(lambda: stage.sent() == len(lines), "the rest")
    assert max(most, process.memory_info().rss) - before < 96 * MIB
    assert '"event": "broker_back"' in (stage.folder / "stderr-0").read_text()
    stage.stop(tail)
    check_each_once(stage, lines)


def test_a_broker_that_stays_away_ends_the_tail_with_3_and_the_next_one_goes_on(
    stage: Stage,
) -> None:
    path = stage.write("app.log", [])
    lines = grow(stage, 0, 4)
    tail = stage.start(*stage.tail_arguments(path), "--away-seconds", "15")
    wait_until(lambda: stage.sent() == len(lines), "the first lines")
    with broker_paused(stage):
        lines += grow(stage, len(lines), 8)
        assert tail.wait(timeout=120) == 3
    errors = (stage.folder / "stderr-0").read_text()
    assert "cannot be reached" in errors
    assert "Traceback" not in errors
    stage.tail(path)
    check_each_once(stage, lines)
