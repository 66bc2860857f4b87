"""The listener: PostgreSQL's start, the sessions, and an orderly end.

Comes in: where to listen and keep state. Goes out: a running stand-in until a signal, or until its
PostgreSQL dies, which is an error that says why.
"""

import asyncio
import fcntl
import logging
import os
import signal
import socket
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from datacore.errors import DatacoreError, Locked, UsageError
from sandbox.redshift import wire
from sandbox.redshift.backend import Backend
from sandbox.redshift.certificate import make_certificate, tls_context
from sandbox.redshift.errors import RedshiftError
from sandbox.redshift.execution import LoadErrors, Services
from sandbox.redshift.external.service import ExternalSchemas
from sandbox.redshift.handshake import open_session
from sandbox.redshift.postgres import Postgres
from sandbox.redshift.session import Session
from sandbox.redshift.sql.tokens import literal, quoted

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
SHIMS = Path(__file__).parent / "shims"


@dataclass(frozen=True)
class Options:
    """How the stand-in runs. `certificate` and `key` are PEM files, both or neither."""

    state: Path
    port: int
    certificate: Path | None = None
    key: Path | None = None
    database: str = "warehouse"
    user: str = "datacore"
    password: str = field(default="sandbox", repr=False)


class Server:
    """Accepts clients and gives each a session."""

    def __init__(self, postgres: Path, tls: ssl.SSLContext, services: Services) -> None:
        self._postgres = postgres
        self._tls = tls
        self._services = services

    async def client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection from its first byte to its last."""
        backend: Backend | None = None
        try:
            opened = await open_session(reader, writer, self._postgres, self._tls)
            if opened is not None:
                backend = opened.backend
                await Session(reader, writer, opened, self._services).serve()
        except RedshiftError as error:
            writer.write(wire.error_response(error, severity="FATAL"))
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError) as error:
            log.debug("a client went away: %s", error)
        except asyncio.CancelledError:
            # the stand-in ends; asyncio.streams of Python 3.11 would report it as a failure
            log.debug("a session ends with the stand-in")
        except (ValueError, IndexError, struct.error) as error:
            malformed = RedshiftError(f"malformed message: {error}", "08P01")
            writer.write(wire.error_response(malformed, "FATAL"))
        finally:
            if backend is not None:
                backend.close()
            writer.close()


async def serve(options: Options, ready: Callable[[], None]) -> None:
    """Run until SIGTERM or SIGINT; `ready` is called once clients can connect.

    Raises DatacoreError: the port or the directory is taken, PostgreSQL does not start or dies.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    options.state.mkdir(parents=True, exist_ok=True)
    lock = _take(options.state)
    try:
        await _serve_locked(options, ready, stop)
    finally:
        os.close(lock)


async def _serve_locked(options: Options, ready: Callable[[], None], stop: asyncio.Event) -> None:
    certificate, key = options.certificate, options.key
    if certificate is None or key is None:
        certificate, key = make_certificate(options.state)
    tls = tls_context(certificate, key)
    # the port first: one that is taken is found before PostgreSQL is made
    port = _bind(options.port)
    postgres = Postgres(options.state)
    try:
        await postgres.start()
        died = asyncio.create_task(postgres.wait())
        await prepare_database(options, postgres.socket)
        services = Services(
            await ExternalSchemas.open(postgres.socket, options.database),
            await LoadErrors.open(postgres.socket, options.database),
        )
        server = Server(postgres.socket, tls, services)
        await asyncio.start_server(server.client, sock=port)
        ready()
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({died, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if died.done() and not stop.is_set():
            raise postgres.death()
    finally:
        port.close()
        await postgres.stop()


def _bind(port: int) -> socket.socket:
    """The loopback port, not yet listening. Raises UsageError if it is taken."""
    # with the protocol named, asyncio sets TCP_NODELAY; without, every answer waits for 40 ms
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
    except OSError as error:
        bound.close()
        raise UsageError(
            f"cannot listen on {HOST}:{port}: {error.strerror}", "choose another --port"
        ) from error
    return bound


def _take(state: Path) -> int:
    """An exclusive lock on the state directory. Raises Locked."""
    descriptor = os.open(state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise Locked(
            f"{state}: another stand-in uses this directory", "stop it, or choose another --state"
        ) from None
    return descriptor


async def prepare_database(options: Options, postgres: Path) -> None:
    """The role, its database and Redshift's system views. Raises DatacoreError."""
    user, database = quoted([options.user]), quoted([options.database])
    try:
        administrator = await Backend.as_administrator(postgres, "postgres")
        await administrator.query(
            f"create role {user} login createdb createrole password {literal(options.password)}"
        )
        await administrator.query(f"create database {database} owner {user}")
        for name, value in (
            ("standard_conforming_strings", "off"),
            ("timezone", "UTC"),
            ("rs.query_group", "default"),
        ):
            await administrator.query(f"alter database {database} set {name} = {literal(value)}")
        administrator.close()
        administrator = await Backend.as_administrator(postgres, options.database)
        await administrator.query("set allow_system_table_mods = on")
        await administrator.query(f"alter schema public owner to {user}")
        for shim in sorted(SHIMS.glob("*.sql")):
            try:
                await administrator.query(shim.read_text())
            except RedshiftError as error:
                raise DatacoreError(f"{shim.name}: {error.message}") from error
        administrator.close()
    except RedshiftError as error:
        raise DatacoreError(f"cannot prepare the database: {error.message}") from error
