"""Tailing a file: lines, positions, rotation; no Kafka."""

import gzip
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datacore.errors import Locked, UsageError
from ingest.tail.follower import (
    ROTATION_GRACE,
    FollowedPath,
    forget,
    gone,
    left_behind,
    open_paths,
)
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


def test_a_log_that_was_registered_is_known_by_its_inode_before_anything_was_read(
    path: Path,
) -> None:
    path.touch()
    known: dict[str, Position] = {}
    (first,) = open_paths([path], known, LIMIT, Clock())
    registered = first.register()
    assert registered is not None
    assert registered.lines == ()
    assert first.register() is None
    first.close()
    path.write_bytes(TEXT)
    renamed = path.with_name("app.log.1")
    path.rename(renamed)
    path.write_bytes(b"new\n")
    assert left_behind([path], known.values()) == [renamed]
    (rest,) = open_paths([renamed], known, LIMIT, Clock())
    assert rest.recognised
    elsewhere = replace(registered.after, device=registered.after.device + 1)
    assert not elsewhere.proves(elsewhere.inode, registered.after.device, False)
    assert [line for batch in rest.finish(MAX) for line in batch.lines] == LINES
    assert list(known) == [registered.after.file]


def test_a_registered_log_that_is_gone_unread_is_forgotten(path: Path, clock: Clock) -> None:
    path.touch()
    known: dict[str, Position] = {}
    (followed,) = open_paths([path], known, LIMIT, clock)
    followed.register()
    (position,) = known.values()
    assert gone([path], known.values()) == []
    path.unlink()
    assert gone([path], known.values()) == [position]
    assert gone([path.with_name("other.log")], known.values()) == []
    path.write_bytes(b"new\n")
    clock.now = 1.0
    assert [line for batch in followed.read(MAX) for line in batch.lines] == [b"new"]
    clock.now += ROTATION_GRACE
    assert [batch.after for batch in followed.read(MAX)] == [position.forgotten()]
    assert gone([path], known.values()) == []


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


def test_a_renamed_log_is_read_on_for_a_while_beside_the_new_one(
    path: Path, clock: Clock, follow: Follow
) -> None:
    assert follow() == [b"one"]
    with path.open("ab") as writer:
        path.rename(path.with_name("app.log.1"))
        assert follow() == []
        path.write_bytes(b"new\n")
        assert follow() == [b"new"]
        writer.write(b"last\nunended")
        writer.flush()
        assert follow() == [b"last"]
        clock.now = ROTATION_GRACE
        assert follow() == [b"unended"]


def test_a_log_that_rotates_faster_than_the_grace_loses_no_line(
    path: Path, clock: Clock, follow: Follow
) -> None:
    seen = follow()
    for number in range(1, 9):
        path.rename(path.with_name(f"app.log.{number}"))
        path.write_bytes(b"%d\n" % number)
        seen += follow()
        clock.now += 1
    assert seen == [b"one", *(b"%d" % number for number in range(1, 9))]


def test_a_truncated_log_is_a_new_one(path: Path, follow: Follow) -> None:
    assert follow() == [b"one"]
    os.truncate(path, 0)
    assert follow() == []
    with path.open("ab") as file:
        file.write(b"two\n")
    assert follow() == [b"two"]


def test_a_truncated_log_that_has_outgrown_what_was_read_is_a_new_one(
    path: Path, follow: Follow
) -> None:
    assert follow() == [b"one"]
    os.truncate(path, 0)
    with path.open("ab") as file:
        file.write(b"two and more\nthree\n")
    assert follow() == [b"two and more", b"three"]


def test_a_log_that_was_deleted_and_came_again_is_a_new_one(path: Path, follow: Follow) -> None:
    assert follow() == [b"one"]
    path.unlink()
    assert follow() == []
    path.write_bytes(b"two\n")
    assert follow() == [b"two"]


def test_another_file_with_the_inode_of_a_known_log_is_not_read_unasked(path: Path) -> None:
    path.write_bytes(TEXT)
    log = opened(path)
    read(log)
    log.close()
    other = path.with_name("app.log.1")
    other.write_bytes(b"other " + TEXT)
    reused = replace(log.position, inode=other.stat().st_ino)
    assert left_behind([path], [reused]) == [other]
    (followed,) = open_paths([other], {reused.file: reused}, LIMIT, Clock())
    assert not followed.recognised
    path.rename(path.with_name("app.log.2"))
    (renamed,) = open_paths(
        [path.with_name("app.log.2")], {log.position.file: log.position}, LIMIT, Clock()
    )
    assert renamed.recognised


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


class Writer:
    """Writes numbered lines to a log, rotates it, and knows all that it wrote."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "app.log"
        self.path.touch()
        self.lines: list[bytes] = []
        self.rotated = 0
        self._rest = b""

    def write(self, count: int, part: int, path: Path | None = None) -> None:
        """`count` lines; where `part`, the end of the last one is left for later."""
        text = self._rest
        for _ in range(count):
            line = b"line %d %s" % (len(self.lines), b"x" * (len(self.lines) * 37 % 300))
            self.lines.append(line)
            text += line + b"\n"
        at = len(text) - min(part, len(text))
        self._rest = text[at:]
        with (path or self.path).open("ab") as file:
            file.write(text[:at])

    def rename(self) -> Path:
        """Rotate by renaming."""
        self.write(0, 0)
        self.rotated += 1
        renamed = self.path.with_name(f"app.log.{self.rotated}")
        self.path.rename(renamed)
        self.path.touch()
        return renamed

    def copy_and_truncate(self) -> None:
        """Rotate by copying; whoever tails has read everything."""
        self.rotated += 1
        copy = self.path.with_name(f"app.log.{self.rotated}.copy")
        copy.write_bytes(self.path.read_bytes())
        os.truncate(self.path, 0)

    def delete(self) -> None:
        """The log is gone, and a new one comes in its place."""
        self.path.unlink()
        self.path.touch()


@settings(max_examples=100)
@given(st.data())
def test_through_any_writes_rotations_and_restarts_each_line_comes_once(
    data: st.DataObject,
) -> None:
    with TemporaryDirectory() as folder:
        writer, clock, known = Writer(Path(folder)), Clock(), dict[str, Position]()
        seen: list[Line] = []
        running: list[FollowedPath] = []

        def start() -> None:
            for path in left_behind([writer.path], known.values()):
                (rest,) = open_paths([path], known, LIMIT, clock)
                if rest.recognised:
                    seen.extend(line for batch in rest.finish(size()) for line in batch.lines)
                rest.close()
            running.extend(open_paths([writer.path], known, LIMIT, clock))
            for position in gone([writer.path], list(known.values())):
                forget(known, position)
            for path in running:
                path.register()

        def stop() -> None:
            while running:
                running.pop().close()

        def size() -> int:
            return data.draw(st.sampled_from([1, 700, MAX]))

        def look() -> None:
            for path in running:
                seen.extend(line for batch in path.read(size()) for line in batch.lines)

        start()
        for _ in range(data.draw(st.integers(1, 12))):
            act = data.draw(
                st.sampled_from(["write", "write", "rename", "copy", "delete", "restart"])
            )
            if act == "write":
                writer.write(data.draw(st.integers(0, 30)), data.draw(st.integers(0, 60)))
            elif act == "rename":
                renamed = writer.rename()
                if data.draw(st.booleans()):
                    writer.write(2, 0, renamed)  # the writer still holds the old file
                if data.draw(st.booleans()):
                    writer.write(data.draw(st.integers(0, 30)), 0)
                look()
            elif act in ("copy", "delete"):
                writer.write(0, 0)
                look()
                (writer.copy_and_truncate if act == "copy" else writer.delete)()
                if data.draw(st.booleans()):
                    writer.write(data.draw(st.integers(1, 30)), 0)
                look()
            else:
                look()
                stop()
                writer.write(data.draw(st.integers(0, 10)), 0)
                if data.draw(st.booleans()):
                    writer.rename()
                    writer.write(data.draw(st.integers(0, 10)), data.draw(st.integers(0, 60)))
                start()
            if data.draw(st.booleans()):
                look()
            clock.now += data.draw(st.sampled_from([0.0, 1.0, ROTATION_GRACE]))
        writer.write(0, 0)
        look()
        clock.now += ROTATION_GRACE
        look()
        stop()
        assert sorted(seen) == sorted(writer.lines)  # type: ignore[type-var]
