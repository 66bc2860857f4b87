"""`datacore simulate` as a person runs it."""

import errno
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from datacore.cli import main
from sandbox.simulate.files import RotatedLog


def simulate(*arguments: object) -> int:
    try:
        main(["simulate", *map(str, arguments)])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_it_writes_the_files_and_says_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert simulate("--out", tmp_path / "logs", "--events", 500, "--seed", 1) == 0
    assert (tmp_path / "logs" / "truth.json").is_file()
    assert "500 lines of 3 hosts on 3 days" in capsys.readouterr().out
    assert not list((tmp_path / "logs").glob(".*"))


def test_yesterday_is_the_last_day_unless_told(tmp_path: Path) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)

    assert simulate("--out", tmp_path, "--events", 500, "--seed", 1, "--days", 1) == 0
    assert f'"start": "{yesterday}"' in (tmp_path / "truth.json").read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--events", 0, "--seed", 1),
        ("--events", "many", "--seed", 1),
        ("--events", 10),
        ("--events", 10, "--seed", 1, "--hosts", 0),
        ("--events", 10, "--seed", 1, "--days", 0),
        ("--events", 10, "--seed", 1, "--start", "yesterday"),
        ("--events", 10, "--seed", 1, "--start", "2999-01-01"),
        ("--events", 10, "--seed", 1, "--start", "9999-12-31"),
        ("--events", 10, "--seed", 1, "--start", "0001-01-01"),
    ],
    ids=str,
)
def test_wrong_usage_exits_2_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[object, ...]
) -> None:
    assert simulate("--out", tmp_path / "logs", *arguments) == 2
    assert not (tmp_path / "logs").exists()
    assert "Traceback" not in capsys.readouterr().err


def test_a_directory_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")

    assert simulate("--out", tmp_path, "--events", 10, "--seed", 1) == 2
    assert simulate("--out", tmp_path, "--events", 10, "--seed", 1, "--force") == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_force_replaces_an_earlier_simulation(tmp_path: Path) -> None:
    first = ("--out", tmp_path, "--events", 300, "--hosts", 4)
    assert simulate(*first, "--seed", 1) == 0
    assert simulate(*first, "--seed", 2) == 2
    assert simulate("--out", tmp_path, "--events", 100, "--hosts", 1, "--seed", 2, "--force") == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["truth.json", "web-01"]


def test_a_file_for_a_directory_exits_2(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert simulate("--out", tmp_path / "file", "--events", 10, "--seed", 1) == 2


def test_a_full_disk_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(self: RotatedLog, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(RotatedLog, "write", full)

    assert simulate("--out", tmp_path / "logs", "--events", 10, "--seed", 1) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert not list((tmp_path / "logs").iterdir())
