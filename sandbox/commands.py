"""`datacore sandbox`: the platform on this machine; up, status, logs, restart, down, topic, submit, jars."""

import json
import shutil
import subprocess
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from datacore.errors import UsageError
from datacore.settings import load_settings, sandbox_state
from sandbox.jars.fetch import Cache, cache_directory, fetch_jars, repository_address
from sandbox.jars.lock import LOCK_FILE, format_lock, read_lock
from sandbox.ports import USUAL, choose_ports
from sandbox.state import State

MIB = 1024 * 1024

state_option = click.option(
    "--state",
    "directory",
    type=click.Path(path_type=Path),
    help="The sandbox's directory (DATACORE_SANDBOX_DIR; .sandbox of the checkout).",
)


@click.group()
def sandbox() -> None:
    """The whole platform on this machine: Kafka, S3, Glue, Spark and a Redshift stand-in.

    Everything listens on 127.0.0.1. S3 and Glue live in memory; `down` discards all.
    """


@sandbox.command()
@state_option
@click.option(
    "--port",
    "moved",
    multiple=True,
    metavar="NAME=PORT",
    help=f"Move a port (DATACORE_SANDBOX_PORT_<NAME>): {', '.join(USUAL)}.",
)
@click.option("--free-ports", is_flag=True, help="Take free ports wherever none is given.")
@click.option(
    "--secure-kafka",
    is_flag=True,
    envvar="DATACORE_SANDBOX_SECURE_KAFKA",
    help="Give Kafka a second listener with TLS and SCRAM.",
)
@click.argument("parts", nargs=-1, metavar="[PART]...")
def up(
    directory: Path | None,
    moved: tuple[str, ...],
    free_ports: bool,
    secure_kafka: bool,
    parts: tuple[str, ...],
) -> None:
    """Start every part, in order, and wait until each answers.

    With PARTs only these and what they need: kafka, aws, metastore, thrift, redshift.
    """
    from sandbox.lifecycle import start

    state = _state(directory)
    console = Console(stderr=True, highlight=False)
    fetch_jars(read_lock(), Cache(cache_directory()), repository_address(), console)
    request = ("kafka_secure",) if secure_kafka else ()
    run = start(
        state, lambda: choose_ports(moved, free=free_ports, request=request), console, parts
    )
    console.print(
        f"The sandbox is up, started in {run.seconds:.1f} s. `datacore` finds it by itself; for a "
        f"shell there is `source {state.env}`. `datacore sandbox down` ends it.",
        soft_wrap=True,
    )


@sandbox.command(context_settings={"ignore_unknown_options": True})
@state_option
@click.argument(
    "job", nargs=-1, required=True, type=click.UNPROCESSED, metavar="JOB.py [ARGUMENT]..."
)
@click.pass_context
def submit(context: click.Context, directory: Path | None, job: tuple[str, ...]) -> None:
    """Run a PySpark job on the sandbox's catalog and S3, as `spark-submit` would.

    Its SparkSession needs no settings. The exit code is the job's.
    """
    from sandbox.submit import submit as run

    context.exit(run(_state(directory), job))


@sandbox.command()
@state_option
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_context
def status(context: click.Context, directory: Path | None, as_json: bool) -> None:
    """Ask every part and say how it is. Exit 0 if all answer, 1 if not, 3 if none runs."""
    from sandbox.lifecycle import look

    state = _state(directory)
    seen = look(state)
    if as_json:
        click.echo(json.dumps(seen.as_dict(), indent=2))
    elif not seen.parts:
        click.echo(f"No sandbox runs in {state.directory}; `datacore sandbox up` starts one.")
    else:
        table = Table("part", "what", "pid", "port", "health", "memory")
        for part in seen.parts:
            colour = "green" if part.healthy else "red"
            pid = str(part.pid or "-")
            memory = f"{part.memory_bytes / MIB:.0f} MiB"
            table.add_row(
                part.name, part.title, pid, str(part.port), f"[{colour}]{part.health}[/]", memory
            )
        Console(highlight=False, width=max(100, shutil.get_terminal_size().columns)).print(table)
        seconds = "unknown" if seen.seconds is None else f"{seen.seconds:.1f} s"
        click.echo(f"Memory: {seen.memory_bytes / MIB:.0f} MiB in all. Started in {seconds}.")
        click.echo(f"State: {state.directory} (ports and credentials: {state.env.name})")
        click.echo("S3 and Glue live in memory, and `datacore sandbox down` discards all of it.")
    context.exit(seen.exit_code)


@sandbox.command()
@state_option
def down(directory: Path | None) -> None:
    """End every process of the sandbox and discard its data."""
    from sandbox.lifecycle import end

    state = _state(directory)
    if end(state):
        click.echo(f"The sandbox is down; {state.directory} is gone.")
    else:
        click.echo(f"No sandbox in {state.directory}.")


@sandbox.command()
@state_option
@click.argument("part")
def restart(directory: Path | None, part: str) -> None:
    """End PART and start it again, on the same ports and data; the others go on."""
    from sandbox.lifecycle import start_again

    run = start_again(_state(directory), part)
    click.echo(f"{part} answers again (pid {run.pids[part]}).")


@sandbox.command()
@state_option
@click.argument("part", required=False)
@click.option("-n", "--lines", type=click.IntRange(min=0), default=50, show_default=True)
@click.option("-f", "--follow", is_flag=True, help="Go on as lines are added.")
def logs(directory: Path | None, part: str | None, lines: int, follow: bool) -> None:
    """What PART printed last, or every part."""
    state = _state(directory)
    found = sorted(path.stem for path in state.log("any").parent.glob("*.log"))
    if not found:
        raise UsageError(f"no logs in {state.directory}", "`datacore sandbox up` starts a sandbox")
    if part is not None and part not in found:
        raise UsageError(f"no part {part!r} here", f"one of: {', '.join(found)}")
    files = [str(state.log(name)) for name in ([part] if part else found)]
    command = ["tail", "-n", str(lines), *(["-F"] if follow else []), *files]
    subprocess.run(command, check=True)


@sandbox.command()
@click.argument("name")
@click.option("--partitions", type=click.IntRange(min=1), default=2, show_default=True)
def topic(name: str, partitions: int) -> None:
    """Create the Kafka topic NAME. Topics that contracts name are there from the start."""
    from sandbox.parts.kafka import create_topics

    made = create_topics(load_settings().kafka, [name], partitions)
    click.echo(f"{name}: {'made' if made else 'there already'}, {partitions} partitions")


@sandbox.group()
def jars() -> None:
    """The jars that the sandbox runs on, locked by checksum."""


@jars.command()
def fetch() -> None:
    """Download what the cache lacks; a run that was broken off goes on where it stopped."""
    locked = read_lock()
    cache = Cache(cache_directory())
    count = fetch_jars(locked, cache, repository_address(), Console(stderr=True))
    click.echo(f"{len(locked)} jars in {cache.directory}, {count} of them new")


@jars.command()
def lock() -> None:
    """Write jars.lock anew from jars.toml."""
    from sandbox.jars.resolve import read_requests, resolve_lock

    locked = resolve_lock(read_requests(), repository_address())
    LOCK_FILE.write_text(format_lock(locked))
    size = sum(jar.size for jar in locked)
    click.echo(f"{LOCK_FILE.name}: {len(locked)} jars, {size / 1e6:.0f} MB")


def _state(directory: Path | None) -> State:
    return State((directory or sandbox_state()).resolve())
