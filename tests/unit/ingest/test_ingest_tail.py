"""Tailing a file: lines, positions, rotation; no Kafka."""

import gzip
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datacore.errors import Locked, UsageError
from ingest.tail.follower import ROTATION_GRACE, FollowedPath, left_behind, open_paths
from ingest.tail.lines import DamagedGzip, LogFile
from ingest.tail.position import Position
from ingest.tail.split import HEAD, Line, LongLine, Splitter

LIMIT = 1 << 20
MAX = 1 << 20
LINES = [b'{"n":%d,"pad":"%s"}' % (n, b"x" * (n % 211)) for n in range(5_000)]
TEXT = b"".join(line + b"\n" for line in LINES)


def read(log: LogFile, final: bool = True, into: list[Line] | None = None) -> list[Line]:
    lines = [] if into is None else into
    while (batch := log.read(MAX, final)) is not None:
        assert batch.after.lines == batch.first + len(batch.lines)
        lines += batch.lines
    return lines


def opened(path: Path, *known: Position, limit: int = LIMIT) -> LogFile:
    return LogFile(path, known, limit)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@given(st.binary(max_size=300), st.integers(1, 20), st.lists(st.integers(1, 40)))
def test_lines_do_not_depend_on_how_their_bytes_arrive(
    data: bytes, limit: int, sizes: list[int]
) -> None:
    splitter = Splitter(Position("f", 1), limit)
    lines: list[Line] = []
    left = data
    for size in sizes:
        lines += splitter.feed(left[:size])
        left = left[size:]
    lines += splitter.feed(left) + splitter.end()
    expected = data.split(b"\n")
    if not expected[-1]:
        expected.pop()
    assert [x.size if isinstance(x, LongLine) else x for x in lines] == [
        len(line) if len(line) > limit else line for line in expected
    ]
    assert splitter.position.offset == len(data)
    assert splitter.position.lines == len(expected)


def test_every_line_is_read_as_it_is(path: Path) -> None:
    odd = [b"", b"\xff\xfe", b'{"a":1}\r', "→".encode(), b" "]
    path.write_bytes(b"\n".join(odd) + b"\n")
    assert read(opened(path)) == odd


def test_an_empty_file_has_no_lines(path: Path) -> None:
    path.touch()
    assert read(opened(path)) == []


def test_a_last_line_without_newline_waits_for_its_end_while_followed(path: Path) -> None:
    path.write_bytes(b"one\ntw")
    log = opened(path)
    assert read(log, final=False) == [b"one"]
    with path.open("ab") as file:
        file.write(b"o\n")
    assert read(log, final=False) == [b"two"]


def test_a_last_line_that_was_sent_unended_is_not_sent_again(path: Path) -> None:
    path.write_bytes(b"one\ntwo")
    log = opened(path)
    assert read(log) == [b"one", b"two"]
    log.close()
    with path.open("ab") as file:
        file.write(b"\nthree\n")
    assert read(opened(path, log.position)) == [b"three"]


def test_a_log_is_read_on_from_where_it_was_left(path: Path) -> None:
    path.write_bytes(TEXT[:100_000])
    log = opened(path)
    first = read(log, final=False)
    log.close()
    path.write_bytes(TEXT)
    again = opened(path, log.position)
    assert first + read(again) == LINES
    assert again.position.file == log.position.file
    assert again.position.lines == len(LINES)


@pytest.mark.parametrize("compressed", [False, True], ids=["renamed", "compressed"])
def test_a_rotated_log_is_known_again(path: Path, compressed: bool) -> None:
    path.write_bytes(TEXT)
    log = opened(path)
    read(log)
    log.close()
    rotated = path.with_name("app.log.1")
    if compressed:
        rotated.write_bytes(gzip.compress(TEXT))
    else:
        path.rename(rotated)
    assert read(opened(rotated, log.position)) == []


def test_a_new_log_under_an_old_name_is_read_from_its_start(path: Path) -> None:
    path.write_bytes(TEXT)
    log = opened(path)
    read(log)
    log.close()
    path.write_bytes(b"new\n" + TEXT)
    again = opened(path, log.position)
    assert read(again) == [b"new", *LINES]
    assert again.position.file != log.position.file


def test_a_new_log_that_begins_like_a_short_old_one_is_read_from_its_start(path: Path) -> None:
    path.write_bytes(b"start\n")
    log = opened(path)
    read(log)
    log.close()
    path.rename(path.with_name("app.log.1"))
    path.write_bytes(b"start\nmore\n")
    assert read(opened(path, log.position)) == [b"start", b"more"]


def test_of_two_equal_logs_each_keeps_its_position(tmp_path: Path) -> None:
    known = []
    for name in ("a.log", "b.log"):
        (tmp_path / name).write_bytes(TEXT)
        log = opened(tmp_path / name)
        read(log)
        log.close()
        known.append(log.position)
    for name, position in zip(("a.log", "b.log"), known, strict=True):
        log = opened(tmp_path / name, *known)
        assert log.position == position
        log.close()


def test_a_gzip_file_is_read_to_its_end(path: Path) -> None:
    half = TEXT[:50_000]
    path.write_bytes(gzip.compress(half) + gzip.compress(TEXT[50_000:]))
    assert read(opened(path)) == LINES


@pytest.mark.parametrize("cut", [5, 200, 10_000, -9, -1])
def test_of_a_gzip_file_cut_short_every_whole_line_is_read(path: Path, cut: int) -> None:
    whole = gzip.compress(TEXT)
    path.write_bytes(whole[:cut])
    log = opened(path)
    lines: list[Line] = []
    with pytest.raises(DamagedGzip, match=r"app\.log: the gzip stream breaks off after [\d,]+"):
        read(log, into=lines)
    assert lines == LINES[: len(lines)]
    if cut in (-9, -1):
        assert lines == LINES
    elif cut == 10_000:
        assert len(lines) > 500


def test_a_line_beyond_the_limit_stands_for_itself(path: Path) -> None:
    long = b"y" * (20 << 20)
    path.write_bytes(b"one\n" + long + b"\nthree\n")
    log = opened(path)
    assert read(log) == [b"one", LongLine(long[:HEAD], len(long)), b"three"]
    assert log.position.lines == 3
    log.close()
    assert read(opened(path, log.position)) == []


def test_a_line_at_the_limit_is_whole(path: Path) -> None:
    path.write_bytes(b"y" * LIMIT + b"\n")
    assert read(opened(path)) == [b"y" * LIMIT]


def test_a_file_that_is_tailed_is_locked(path: Path) -> None:
    path.touch()
    log = opened(path)
    with pytest.raises(Locked, match="another tail"):
        opened(path)
    log.close()
    opened(path)


def test_all_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "here").touch()
    with pytest.raises(UsageError, match=r"one.*two"):
        open_paths([tmp_path / "one", tmp_path / "here", tmp_path / "two"], {}, LIMIT, Clock())
    opened(tmp_path / "here")


def test_an_unread_end_of_a_renamed_log_is_found(path: Path) -> None:
    path.write_bytes(b"one\n")
    log = opened(path)
    read(log)
    log.close()
    with path.open("ab") as file:
        file.write(b"two\n")
    rotated = path.with_name("app.log.1")
    path.rename(rotated)
    path.write_bytes(b"three\n")
    path.with_name("app.log.0").write_bytes(b"never seen\n")
    assert left_behind([path], [log.position]) == [rotated]
    assert left_behind([path, rotated], [log.position]) == []
    assert read(opened(rotated, log.position)) == [b"two"]
    assert left_behind([path], [replace(log.position, offset=8)]) == []


Follow = Callable[[], list[Line]]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def follow(path: Path, clock: Clock) -> Follow:
    """Reads what is new behind the path, which begins with the line `one`."""
    path.write_bytes(b"one\n")
    followed = FollowedPath(path, {}, LIMIT, clock)
    return lambda: [line for batch in followed.read(MAX) for line in batch.lines]


def test_a_renamed_log_is_read_on_for_a_while(path: Path, clock: Clock, follow: Follow) -> None:
    assert follow() == [b"one"]
    with path.open("ab") as writer:
        path.rename(path.with_name("app.log.1"))
        assert follow() == []
        path.write_bytes(b"new\n")
        assert follow() == []
        writer.write(b"last\nunended")
        writer.flush()
        assert follow() == [b"last"]
        clock.now = ROTATION_GRACE
        assert follow() == [b"unended", b"new"]


def test_a_truncated_log_is_a_new_one(path: Path, follow: Follow) -> None:
    assert follow() == [b"one"]
    os.truncate(path, 0)
    assert follow() == []
    with path.open("ab") as file:
        file.write(b"two\n")
    assert follow() == [b"two"]


def test_a_deleted_log_is_read_to_its_end(path: Path, follow: Follow) -> None:
    with path.open("ab") as writer:
        path.unlink()
        writer.write(b"two\n")
        writer.flush()
        assert follow() == [b"one", b"two"]


def test_rotation_among_followed_paths_repeats_nothing(tmp_path: Path, clock: Clock) -> None:
    now, before = tmp_path / "app.log", tmp_path / "app.log.1"
    now.write_bytes(TEXT)
    before.write_bytes(b"older " + TEXT)
    known: dict[str, Position] = {}
    paths = open_paths([now, before], known, LIMIT, clock)
    seen = [line for p in paths for batch in p.read(MAX) for line in batch.lines]
    now.replace(before)
    now.write_bytes(b"new\n")
    for second in range(30):
        clock.now = float(second)
        seen += [line for p in paths for batch in p.read(MAX) for line in batch.lines]
    assert len(seen) == 2 * len(LINES) + 1
    assert seen[-1] == b"new"
