"""The ports that a sandbox uses: the usual ones, moved by option or variable, or free ones.

Comes in: `NAME=PORT` options and DATACORE_SANDBOX_PORT_<NAME>. Goes out: a port for each name.
Everything is on 127.0.0.1.
"""

import os
import random
import socket
from collections.abc import Iterable, Mapping

import psutil

from datacore.errors import UsageError, shorten

HOST = "127.0.0.1"

USUAL: dict[str, int] = {
    "kafka": 9092,
    "controller": 9093,
    "aws": 4566,
    "metastore": 9083,
    "thrift": 10000,
    "redshift": 5439,
}
"""Port by name; `controller` is Kafka's second listener."""

BESIDES = {"kafka": ("controller", "kafka_secure")}
"""Ports of a part besides the one of its name."""

ON_REQUEST: dict[str, int] = {"kafka_secure": 9094}
"""Ports that only a sandbox has that was asked for them."""

ALL = {**USUAL, **ON_REQUEST}

FREE_RANGE = range(20_000, 32_768)
"""Below the ports that Linux gives to outgoing connections, so that none takes one meanwhile."""


def choose_ports(
    options: Iterable[str] = (),
    environ: Mapping[str, str] = os.environ,
    *,
    free: bool = False,
    request: Iterable[str] = (),
) -> dict[str, int]:
    """A port for every name: the option, else the variable, else a free or the usual one.

    `request` names those of `ON_REQUEST` that are wanted too. Raises UsageError that names the
    option or variable.
    """
    names = [name for name in ALL if name in USUAL or name in request]
    wished: dict[str, int] = {}
    for name in names:
        variable = f"DATACORE_SANDBOX_PORT_{name.upper()}"
        if value := environ.get(variable):
            wished[name] = _port(value, variable)
    for option in options:
        name, _, value = option.partition("=")
        if name not in names:
            raise UsageError(
                f"--port {shorten(option)}: no part {shorten(name)!r}",
                f"give NAME=PORT with one of: {', '.join(names)}",
            )
        wished[name] = _port(value, f"--port {name}")
    rest = [name for name in names if name not in wished]
    others = zip(rest, free_ports(len(rest)), strict=True) if free else ((n, ALL[n]) for n in rest)
    ports = {**wished, **dict(others)}
    for name, port in ports.items():
        if twin := [other for other in ports if other != name and ports[other] == port]:
            raise UsageError(f"port {port} is given to {name} and {twin[0]}", "give each its own")
    return {name: ports[name] for name in names if name in ports}


def free_ports(count: int) -> list[int]:
    """`count` ports that nothing listens on."""
    candidates = random.sample(FREE_RANGE, len(FREE_RANGE))
    free = (port for port in candidates if not in_use(port))
    return [next(free) for _ in range(count)]


def in_use(port: int) -> bool:
    """True if something listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def listening(port: int) -> bool:
    """True if a connection to the port is accepted. Says nothing about who answers."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def ports_of(parts: Iterable[str], ports: Mapping[str, int]) -> dict[str, int]:
    """The ports that these parts listen on."""
    names = [name for part in parts for name in (part, *BESIDES.get(part, ()))]
    return {name: ports[name] for name in names if name in ports}


def require_free(ports: Mapping[str, int]) -> None:
    """Raises UsageError that names the part, the port and, where it can be seen, its holder."""
    for name, port in ports.items():
        if in_use(port):
            raise UsageError(
                f"{name}: port {port} is in use{_holder(port)}",
                f"stop that, or `--port {name}=PORT`, or `--free-ports`",
            )


def _holder(port: int) -> str:
    """` by NAME (pid N)` of the process that listens on the port, where this user may see it."""
    try:
        listening = [
            one.pid
            for one in psutil.net_connections("tcp")
            if one.laddr and one.laddr.port == port and one.status == psutil.CONN_LISTEN
        ]
        if listening and listening[0] is not None:
            return f" by {psutil.Process(listening[0]).name()} (pid {listening[0]})"
    except psutil.Error:
        return ""
    return ""


def _port(text: str, source: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise UsageError(f"{source}: {shorten(text)!r} is not a port", "a port is 1 to 65535")
    return int(text)
