"""The command `datacore`: finds a room's command, runs it, and turns its errors into exit codes.

Comes in: the command line. Goes out: an exit code of `ExitCode`, and for a `DatacoreError` one
line with a hint on stderr. A room is imported only when one of its commands is asked for.
"""

import errno
import importlib
import os
import sys
from collections.abc import Sequence
from typing import TextIO

import click

from datacore.errors import DatacoreError, ExitCode, ServiceUnreachable
from datacore.settings import apply_environment

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""A disk, or what one may use of it, is full."""

COMMANDS: dict[str, tuple[str, str]] = {
    # name: (module:attribute, one line for --help)
    "sandbox": ("sandbox.commands:sandbox", "The whole platform on this machine: up, status, logs, down."),
    "simulate": ("sandbox.simulate.commands:simulate", "Write the marketplace's log files, and the truth beside them."),
    "tail": ("ingest.tail.commands:tail", "Follow JSON-lines files into Kafka."),
    "land": ("ingest.land.commands:land", "Land Kafka's topics on S3 by type and hour, and register them in Glue."),
    "register": ("ingest.register.commands:register", "Make Glue's raw tables and hours equal to the contracts and S3."),
    "partitions": ("ingest.register.commands:partitions", "Make a day's raw partitions equal to S3: repair."),
    "compact": ("ingest.versions.commands:compact", "Few large objects of the many small ones of sealed hours."),
    "quarantine": ("ingest.quarantine.commands:quarantine", "What landing set aside: list, show, replay."),
    "replay": ("ingest.replay.commands:replay", "Land what was set aside or unclaimed and is of a data type now."),
    "audit": ("ingest.audit.commands:audit", "Prove from S3 and Glue that nothing is lost, doubled or changed."),
    "repair": ("ingest.repair.commands:repair", "Write lost objects again from Kafka."),
    "drift": ("ingest.drift.commands:drift", "Fields of a day's records that no contract names, or of another type."),
    "metastore": ("metastore.commands:metastore", "Serve the Hive Metastore protocol from Glue."),
    "lake": ("lake.commands:lake", "Care for the published tables: vacuum."),
    "type": ("datacore.contracts.commands:type_", "Data types: check contracts, write dbt's sources from them."),
    "reconcile": ("datacore.reconcile.commands:reconcile", "The ledger's equations, a row a data type."),
    "demo": ("sandbox.demo.commands:demo", "The main job from log files to marts on a running sandbox."),
}  # fmt: skip


class Rooms(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=Rooms, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="datacore")
def datacore() -> None:
    """From log files to marts: collect, keep, model, load.

    \b
    A first look:
      make demo                          the whole way, on this machine
      datacore sandbox up                the platform, ready for your own files
      datacore tail app.log --topic T    log lines into Kafka
      datacore land --until-caught-up    Kafka to S3, registered in Glue

    Settings come from DATACORE_* variables (docs/settings.md); a running sandbox provides them.
    Exit codes: 0 done, 1 a check found a difference, 2 bad usage, configuration or contract,
    3 a service cannot be reached, 4 another run holds the lock.
    """


def report(error: DatacoreError) -> None:
    """One line for the fact and one for the next step, on stderr."""
    try:
        click.secho(f"error: {error.message}", fg="red", err=True)
        if error.hint:
            click.echo(f"hint: {error.hint}", err=True)
    except OSError:
        _discard(sys.stderr)  # the exit code still tells


def _discard(stream: TextIO) -> None:
    """Lead what is still to be written there to nowhere, so that the end of the process is quiet."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `datacore` and exit by the documented codes."""
    try:
        apply_environment()
        # click returns the code of a command that ended by `Context.exit`
        code = datacore(args=arguments, standalone_mode=False)
        if isinstance(code, int) and code != ExitCode.DONE:
            sys.exit(code)
    except DatacoreError as error:
        report(error)
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(ExitCode.USAGE)
    except BrokenPipeError:
        _discard(sys.stdout)
        sys.exit(ExitCode.DONE)
    except OSError as error:
        if error.errno not in FULL:
            raise
        _discard(sys.stdout)
        report(
            ServiceUnreachable(f"the output could not be written: {error.strerror}", "make room")
        )
        sys.exit(ExitCode.UNREACHABLE)
