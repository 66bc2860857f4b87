"""The life of a sandbox: start it, look at it, end it.

Comes in: its directory. Goes out: a run, what each part answered, or nothing left. Whoever starts
or ends holds the directory's lock.
"""

import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from types import FrameType
from uuid import uuid4

from rich.console import Console

from datacore.errors import ExitCode, Locked, ServiceUnreachable, UsageError, shorten
from sandbox import processes
from sandbox.part import Part
from sandbox.parts.redshift import remove_outside
from sandbox.platform import contract_topics, make_parts, make_site, parts_needed
from sandbox.ports import ports_of, require_free
from sandbox.state import Run, State
from sandbox.supervisor import Supervisor

NEEDED_BYTES = 256 * 1024 * 1024
"""What the parts write before anybody uses them, and some air."""


@dataclass(frozen=True)
class PartSeen:
    """How a part was found."""

    name: str
    title: str
    pid: int | None
    port: int
    healthy: bool
    health: str
    """`answers`, `dead`, or why it does not answer."""
    memory_bytes: int
    """Resident, with its children."""


@dataclass(frozen=True)
class Seen:
    """How a sandbox was found. No parts: none runs."""

    state: str
    parts: tuple[PartSeen, ...] = ()
    seconds: float | None = None
    """How long it took to start."""
    started_at: str | None = None

    @property
    def memory_bytes(self) -> int:
        """Resident memory of all parts."""
        return sum(part.memory_bytes for part in self.parts)

    @property
    def exit_code(self) -> ExitCode:
        """0 if all answer, 1 if one does not, 3 if none runs."""
        if not self.parts:
            return ExitCode.UNREACHABLE
        healthy = all(part.healthy for part in self.parts)
        return ExitCode.DONE if healthy else ExitCode.DIFFERENCE

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {**asdict(self), "memory_bytes": self.memory_bytes}


def start(
    state: State,
    ports: Callable[[], Mapping[str, int]],
    console: Console,
    names: Sequence[str] = (),
) -> Run:
    """Start a sandbox of the parts `names` (none: of all), or find it up.

    `ports` is asked only if there is something to start. Raises PartFailed (and leaves nothing),
    UsageError (a port is in use, a name is unknown), Locked (another one starts or ends here, or a
    sandbox is here that does not answer or lacks a part).
    """
    with state.locked(), _ended_by_signals():
        earlier = state.read_run()
        if earlier is not None:
            if processes.of_run(earlier.id):
                return _require_healthy(state, earlier, names)
            _discard(state)
            state.directory.mkdir(mode=0o700)
        try:
            return _start_new(state, ports(), console, names)
        except OSError as error:
            _discard(state)
            raise UsageError(
                f"{error.filename or state.directory}: {error.strerror or error}",
                "make room or give rights there, or use another --state",
            ) from error
        except KeyboardInterrupt:
            _discard(state)
            console.print("Interrupted; nothing is left running.")
            raise
        except BaseException:
            _discard(state)
            raise


def look(state: State) -> Seen:
    """Ask every part of the sandbox in `state`."""
    run = state.read_run()
    if run is None or not processes.of_run(run.id):
        return Seen(str(state.directory))
    found = run
    parts = _parts_of(state, run)
    with ThreadPoolExecutor(len(parts)) as pool:
        seen = tuple(pool.map(lambda part: _look_at(part, found), parts))
    return Seen(str(state.directory), seen, run.seconds, run.started_at)


def start_again(state: State, name: str) -> Run:
    """End one part of a running sandbox, if it still runs, and start it on the same port and data.

    Raises UsageError (no sandbox or no such part here, or its data are in memory), PartFailed,
    ServiceUnreachable if a process stays, Locked.
    """
    if not state.directory.exists():
        raise UsageError(f"no sandbox in {state.directory}", "`datacore sandbox up` starts one")
    with state.locked(), _ended_by_signals():
        run = state.read_run()
        if run is None or not processes.of_run(run.id):
            raise UsageError(f"no sandbox runs in {state.directory}", "`datacore sandbox up`")
        parts = {part.name: part for part in _parts_of(state, run)}
        if name not in parts:
            raise UsageError(f"no part {shorten(name)!r} here", f"one of: {', '.join(parts)}")
        part = parts[name]
        if part.in_memory:
            raise UsageError(
                f"{name} keeps its data in memory and would lose them",
                "`datacore sandbox down`, then `up`, starts anew",
            )
        if remaining := processes.end_part(run.id, run.pids.get(name)):
            raise ServiceUnreachable(
                f"processes stay although killed: {', '.join(map(str, remaining))}",
                "they may wait for a disk; run it again",
            )
        site = make_site(state, run.ports)
        return Supervisor(site, (part,), run, lambda part, seconds: None).bring_back(part)


def end(state: State) -> bool:
    """End the sandbox in `state` and discard its data; False if there was none.

    Raises Locked if another one starts or ends it, ServiceUnreachable if a process stays.
    """
    if not state.directory.exists():
        return False
    with state.locked():
        run = state.read_run()
        remaining = processes.end_run(run.id) if run is not None else []
        if remaining:
            raise ServiceUnreachable(
                f"processes stay although killed: {', '.join(map(str, remaining))}",
                "they may wait for a disk; run it again",
            )
        _discard(state)
        return run is not None


def _discard(state: State) -> None:
    remove_outside(state)
    state.discard()


def _parts_of(state: State, run: Run) -> tuple[Part, ...]:
    return parts_needed(make_parts(make_site(state, run.ports)), run.parts)


def _start_new(
    state: State, ports: Mapping[str, int], console: Console, names: Sequence[str]
) -> Run:
    site = make_site(state, ports)
    parts = parts_needed(make_parts(site, contract_topics()), names)
    listed = [part.name for part in parts]
    require_free(ports_of(listed, ports) if names else ports)
    _require_room(state)
    began = time.monotonic()
    started_at = datetime.now(UTC).isoformat(timespec="seconds")
    run = Run(uuid4().hex, started_at, ports, parts=listed)
    state.write_run(run)
    console.print(f"Starting {', '.join(listed)} in {state.directory}")

    def ready(part: Part, seconds: float) -> None:
        console.print(f"[green]✓[/] {part.name:10} 127.0.0.1:{part.port:<6} {seconds:5.1f} s")

    started = Supervisor(site, parts, run, ready).bring_up()
    finished = replace(started, seconds=round(time.monotonic() - began, 1))
    state.write_env(site.variables)
    state.write_run(finished)
    return finished


def _require_room(state: State) -> None:
    free = shutil.disk_usage(state.directory).free
    if free < NEEDED_BYTES:
        raise UsageError(
            f"{state.directory}: {free >> 20} MiB free, and a sandbox starts with {NEEDED_BYTES >> 20}",
            "make room, or use another --state",
        )


def _require_healthy(state: State, run: Run, names: Sequence[str]) -> Run:
    wanted = {part.name for part in parts_needed(make_parts(make_site(state, run.ports)), names)}
    if missing := sorted(wanted - {part.name for part in _parts_of(state, run)}):
        raise Locked(
            f"a sandbox is in {state.directory} already, without {', '.join(missing)}",
            "`datacore sandbox down` ends it; or use another --state",
        )
    seen = look(state)
    ill = [part.name for part in seen.parts if not part.healthy]
    if ill:
        raise Locked(
            f"a sandbox is in {state.directory} already, but not well: {', '.join(ill)}",
            "`datacore sandbox status` says more; `datacore sandbox down` ends it",
        )
    return run


def _look_at(part: Part, run: Run) -> PartSeen:
    pid = run.pids.get(part.name)
    family = processes.of_part(run.id, pid)
    memory = processes.resident_bytes(family)

    def seen(healthy: bool, health: str) -> PartSeen:
        return PartSeen(part.name, part.title, pid, part.port, healthy, health, memory)

    if not family:
        return seen(False, "dead")
    try:
        part.ask()
    except Exception as error:  # noqa: BLE001 - whatever a client raises is the answer
        return seen(False, " ".join(f"no answer: {error}".split())[:120])
    return seen(True, "answers")


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """While it lasts, TERM and HUP end this process as Ctrl-C does, so that it tidies up."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {
        number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
