"""The sandbox's directory: its record, its env file, its lock, its end."""

import stat
import subprocess
from pathlib import Path

import pytest

from datacore.errors import Locked, UsageError
from datacore.settings import read_env_file
from sandbox.state import Run, State

RUN = Run("a1", "2026-01-02T03:04:05+00:00", {"kafka": 9092}, {"kafka": 7}, 21.5)


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "sandbox")


def test_the_env_file_is_its_owners_alone_and_reads_the_same_in_shell_and_datacore(
    state: State,
) -> None:
    variables = {"DATACORE_KAFKA": "127.0.0.1:9092", "DATACORE_SANDBOX_DIR": "/a folder/$HOME"}
    with state.locked():
        state.write_env(variables)
    assert stat.S_IMODE(state.env.stat().st_mode) == 0o600
    assert "export DATACORE_KAFKA='127.0.0.1:9092'\n" in state.env.read_text()
    assert read_env_file(state.env) == variables
    shell = f'. {state.env}; printf %s "$DATACORE_SANDBOX_DIR"'
    seen = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True)
    assert seen.stdout == "/a folder/$HOME"


def test_a_run_is_read_as_it_was_written(state: State) -> None:
    assert state.read_run() is None
    with state.locked():
        state.write_run(RUN)
    assert state.read_run() == RUN


def test_a_damaged_record_is_named(state: State) -> None:
    state.directory.mkdir()
    state.record.write_text('{"id": "a1"')
    with pytest.raises(UsageError, match=r"sandbox\.json: damaged"):
        state.read_run()


def test_the_directory_belongs_to_one_up_or_down_at_a_time(state: State) -> None:
    with state.locked(), pytest.raises(Locked, match="another `datacore sandbox`"), state.locked():
        pytest.fail("locked twice")
    with state.locked():
        pass


def test_a_directory_with_other_things_is_neither_used_nor_removed(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    state = State(tmp_path)
    with pytest.raises(UsageError, match="not empty and not a sandbox's"), state.locked():
        pytest.fail("took it")
    with pytest.raises(UsageError, match="not empty and not a sandbox's"):
        state.discard()
    assert (tmp_path / "thesis.tex").exists()


def test_a_file_in_the_directorys_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is not a directory"):
        State(tmp_path / "file").require_ours()


def test_discarding_leaves_nothing(state: State) -> None:
    with state.locked():
        state.write_run(RUN)
        state.home("kafka").mkdir()
        (state.home("kafka") / "data").write_text("x")
        (state.directory / "elsewhere").symlink_to("/")
        state.discard()
    assert not state.directory.exists()
