"""Where PostgreSQL lives: in the state directory, and what of it cannot."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.redshift.certificate import make_certificate, tls_context
from sandbox.redshift.postgres import (
    SOCKET_PATH_LIMIT,
    Account,
    Home,
    can_reach,
    prepare_home,
    remove_leftovers,
)


@pytest.fixture
def long_state(tmp_path: Path) -> Iterator[Path]:
    state = tmp_path / ("x" * 60) / ("y" * 60)
    state.mkdir(parents=True)
    yield state
    remove_leftovers(state)


def temporary_of(home: Home) -> Path:
    assert home.temporary is not None
    return home.temporary


def test_a_long_path_moves_the_socket_to_a_short_one(long_state: Path) -> None:
    home = prepare_home(long_state)
    assert len(os.fsencode(home.socket)) <= SOCKET_PATH_LIMIT
    assert temporary_of(home) in home.socket.parents


def test_what_a_killed_run_left_is_removed_by_the_next(long_state: Path) -> None:
    first = temporary_of(prepare_home(long_state))
    second = temporary_of(prepare_home(long_state))
    assert not first.exists()
    remove_leftovers(long_state)
    assert not second.exists()
    assert not list(long_state.iterdir())


def test_a_note_that_names_another_directory_removes_nothing(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (tmp_path / "temporary").write_text(f"{precious}\n")
    remove_leftovers(tmp_path)
    assert precious.exists()


def test_data_and_socket_are_closed_to_others(long_state: Path) -> None:
    home = prepare_home(long_state)
    for directory in (home.data, home.socket_directory):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_a_closed_directory_on_the_way_cannot_be_passed(tmp_path: Path) -> None:
    stranger = Account(user=os.getuid() + 12345, group=12345)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    assert not can_reach(closed / "pg", stranger)
    assert can_reach(Path("/usr/bin/env"), stranger)


def test_the_key_is_for_its_owner_only(tmp_path: Path) -> None:
    for _ in range(2):
        certificate, key = make_certificate(tmp_path)
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        tls_context(certificate, key)
    shutil.rmtree(tmp_path)
