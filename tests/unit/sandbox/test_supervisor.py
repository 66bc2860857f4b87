"""Bringing parts up and ending them, with tiny parts of one line of Python each."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from datacore.errors import ExitCode, Locked, UsageError
from sandbox import lifecycle, processes
from sandbox.lifecycle import end, look, start, start_again
from sandbox.part import Part, Site
from sandbox.ports import HOST, free_ports, listening
from sandbox.state import Run, State
from sandbox.supervisor import PartFailed

LISTEN = """
import socket, sys, threading
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening", flush=True)
while True:
    server.accept()[0].sendall(b"well")
"""

LISTEN_WITH_A_CHILD_ELSEWHERE = (
    """
import subprocess, sys
subprocess.Popen(
    [sys.executable, "-c", "import signal; signal.signal(15, signal.SIG_IGN); signal.pause()"],
    start_new_session=True,
)
"""
    + LISTEN
)

DIE = "import sys; print('no room at the inn'); sys.exit(7)"
SLEEP = "import signal; signal.pause()"


def greeting(port: int) -> None:
    """The question to a fake part. Raises if it does not answer `well`."""
    import socket

    with socket.create_connection((HOST, port), timeout=2) as connection:
        connection.settimeout(2)
        if connection.recv(4) != b"well":
            raise ConnectionError("it is not well")


def fake(name: str, program: str, **fields: object) -> Callable[[Site], Part]:
    """A part that runs `program`, on the site's port of its name."""

    def part(site: Site) -> Part:
        port = site.ports[name]
        command = (sys.executable, "-c", program, str(port))
        made = Part(name, f"the {name}", port, command, lambda: greeting(port), patience=20)
        return replace(made, **fields)  # type: ignore[arg-type]

    return part


Fakes = Callable[..., None]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "sandbox")
    yield state
    end(state)


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Fakes:
    """Sets the parts that a sandbox consists of."""

    def use(*made: Callable[[Site], Part]) -> None:
        monkeypatch.setattr(processes, "TERM_LIMIT", 0.5)
        monkeypatch.setattr(lifecycle, "contract_topics", tuple)
        monkeypatch.setattr(lifecycle, "make_site", lambda state, ports: Site(state, ports, {}))
        monkeypatch.setattr(
            lifecycle, "make_parts", lambda site, topics=(): tuple(f(site) for f in made)
        )

    return use


def ports() -> dict[str, int]:
    return dict(zip(("one", "two", "three"), free_ports(3), strict=True))


def quiet() -> Console:
    return Console(file=StringIO())


def processes_of(run: Run) -> list[int]:
    return sorted(process.pid for process in processes.of_run(run.id))


def test_parts_outlive_up_answer_and_leave_nothing_after_down(state: State, parts: Fakes) -> None:
    parts(fake("one", LISTEN), fake("two", LISTEN_WITH_A_CHILD_ELSEWHERE, needs=("one",)))
    run = start(state, ports, quiet())
    seen = look(state)
    assert [(part.name, part.health) for part in seen.parts] == [
        ("one", "answers"),
        ("two", "answers"),
    ]
    assert seen.exit_code == ExitCode.DONE
    assert seen.memory_bytes > 0
    assert len(processes_of(run)) == 3
    assert end(state)
    assert processes_of(run) == []
    assert not state.directory.exists()
    assert look(state).exit_code == ExitCode.UNREACHABLE
    assert not end(state)


def test_a_part_starts_only_once_what_it_needs_answers_and_is_furnished(
    state: State, parts: Fakes
) -> None:
    order: list[str] = []
    one = fake("one", LISTEN, furnish=lambda: order.append("one furnished"))

    def two(site: Site) -> Part:
        made = fake("two", LISTEN, needs=("one",))(site)

        def ask() -> None:
            order.append("two asked")
            made.ask()

        return replace(made, ask=ask)

    parts(two, one)
    start(state, ports, quiet())
    assert order[0] == "one furnished"


def test_a_part_that_dies_is_named_with_its_last_words_and_takes_the_others_along(
    state: State, parts: Fakes
) -> None:
    parts(fake("one", LISTEN), fake("two", DIE))
    chosen = ports()
    with pytest.raises(PartFailed) as caught:
        start(state, lambda: chosen, quiet())
    assert caught.value.message == f"two (port {chosen['two']}): ended with 7"
    assert "no room at the inn" in caught.value.hint
    assert caught.value.exit_code == ExitCode.UNREACHABLE
    assert not listening(chosen["one"])
    assert not state.directory.exists()


def test_a_part_that_never_answers_is_given_up_after_its_patience(
    state: State, parts: Fakes
) -> None:
    parts(fake("one", SLEEP, patience=0.5))
    with pytest.raises(PartFailed, match=r"no answer in 0\.5 s: it does not listen yet"):
        start(state, ports, quiet())
    assert not state.directory.exists()


def test_a_part_whose_preparation_fails_is_named(state: State, parts: Fakes) -> None:
    parts(fake("one", LISTEN, before=((sys.executable, "-c", DIE),)))
    with pytest.raises(PartFailed, match="preparing it ended with 7"):
        start(state, ports, quiet())


def test_a_part_that_cannot_be_furnished_is_named(state: State, parts: Fakes) -> None:
    def furnish() -> None:
        raise RuntimeError("no such key")

    parts(fake("one", LISTEN, furnish=furnish))
    with pytest.raises(PartFailed, match="furnishing it: no such key"):
        start(state, ports, quiet())
    assert not state.directory.exists()


def test_a_port_in_use_starts_nothing(state: State, parts: Fakes) -> None:
    parts(fake("one", LISTEN))
    chosen = ports()
    import socket

    with socket.create_server((HOST, chosen["two"])), pytest.raises(UsageError, match="two: port"):
        start(state, lambda: chosen, quiet())
    assert not state.directory.exists()


def test_only_the_parts_that_are_named_start_with_what_they_need(
    state: State, parts: Fakes
) -> None:
    parts(fake("one", LISTEN), fake("two", LISTEN, needs=("one",)), fake("three", LISTEN))
    run = start(state, ports, quiet(), ("two",))
    assert run.pids.keys() == {"one", "two"}
    assert [part.name for part in look(state).parts] == ["one", "two"]
    assert look(state).exit_code == ExitCode.DONE
    assert start(state, ports, quiet(), ("one",)) == run
    with pytest.raises(Locked, match="without three"):
        start(state, ports, quiet(), ())
    with pytest.raises(UsageError, match="no part 'four'"):
        start(state, ports, quiet(), ("four",))


def test_a_part_is_started_again_alone_on_its_port(state: State, parts: Fakes) -> None:
    furnished: list[str] = []
    parts(
        fake("one", LISTEN, furnish=lambda: furnished.append("one")),
        fake("two", LISTEN, in_memory=True),
    )
    before = start(state, ports, quiet())
    psutil.Process(before.pids["one"]).kill()
    after = start_again(state, "one")
    assert after.pids["one"] != before.pids["one"]
    assert (after.ports, after.pids["two"]) == (before.ports, before.pids["two"])
    assert look(state).exit_code == ExitCode.DONE
    again = start_again(state, "one")
    assert again.pids["one"] != after.pids["one"]
    assert furnished == ["one"]
    with pytest.raises(UsageError, match="two keeps its data in memory"):
        start_again(state, "two")
    with pytest.raises(UsageError, match="no part 'six' here"):
        start_again(state, "six")


def test_a_part_that_does_not_come_back_ends_no_other(
    state: State, parts: Fakes, tmp_path: Path
) -> None:
    flag = tmp_path / "flag"
    dies_later = f"import pathlib, sys\nif pathlib.Path({str(flag)!r}).exists(): sys.exit(7)\n"
    parts(fake("one", dies_later + LISTEN), fake("two", LISTEN))
    start(state, ports, quiet())
    flag.touch()
    with pytest.raises(PartFailed, match="ended with 7"):
        start_again(state, "one")
    assert {part.name: part.healthy for part in look(state).parts} == {"one": False, "two": True}


def test_there_is_nothing_to_start_again_where_no_sandbox_is(state: State) -> None:
    with pytest.raises(UsageError, match="no sandbox in"):
        start_again(state, "one")


def test_a_disk_without_room_starts_nothing(
    state: State, parts: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts(fake("one", LISTEN))
    monkeypatch.setattr(lifecycle, "NEEDED_BYTES", 2**62)
    with pytest.raises(UsageError, match="MiB free, and a sandbox starts with"):
        start(state, ports, quiet())
    assert not state.directory.exists()


def test_ctrl_c_while_parts_start_ends_them_all(state: State, parts: Fakes) -> None:
    started = threading.Event()

    def ask() -> None:
        if started.is_set():
            raise ConnectionError("still not")
        started.set()
        raise KeyboardInterrupt

    parts(fake("one", LISTEN, ask=ask), fake("two", SLEEP))
    chosen = ports()
    with pytest.raises(KeyboardInterrupt):
        start(state, lambda: chosen, quiet())
    assert not listening(chosen["one"])
    assert not state.directory.exists()


def test_up_finds_a_sandbox_that_is_up(state: State, parts: Fakes) -> None:
    parts(fake("one", LISTEN))
    first = start(state, ports, quiet())
    again = start(state, lambda: pytest.fail("asked for ports"), quiet())
    assert again == first


def test_up_refuses_a_sandbox_that_is_not_well(state: State, parts: Fakes) -> None:
    parts(fake("one", LISTEN), fake("two", LISTEN))
    run = start(state, ports, quiet())
    psutil.Process(run.pids["two"]).kill()
    wait_until_gone(run.pids["two"])
    seen = look(state)
    assert [part.health for part in seen.parts] == ["answers", "dead"]
    assert seen.exit_code == ExitCode.DIFFERENCE
    with pytest.raises(Locked, match="not well: two"):
        start(state, ports, quiet())


def test_up_clears_what_a_sandbox_that_died_left_behind(state: State, parts: Fakes) -> None:
    parts(fake("one", LISTEN))
    with state.locked():
        state.write_run(Run("gone", "2026-01-02T03:04:05+00:00", ports(), {"one": 1}))
        state.home("one").mkdir()
        (state.home("one") / "old").write_text("x")
    assert look(state).parts == ()
    start(state, ports, quiet())
    assert not (state.home("one") / "old").exists()


def test_a_reused_pid_is_not_taken_for_a_part(state: State, parts: Fakes) -> None:
    parts(fake("one", LISTEN), fake("two", LISTEN))
    run = start(state, ports, quiet())
    with subprocess.Popen([sys.executable, "-c", SLEEP]) as stranger:
        pids = {**run.pids, "two": stranger.pid}
        state.write_run(replace(run, pids=pids))
        assert [part.health for part in look(state).parts] == ["answers", "dead"]
        end(state)
        assert stranger.poll() is None
        stranger.terminate()


def wait_until_gone(pid: int) -> None:
    """Until the process is gone or dead, at most ten seconds."""
    gone, alive = psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], 10)
    assert not alive or alive[0].status() == psutil.STATUS_ZOMBIE, gone
