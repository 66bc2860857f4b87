"""`/metrics` and `/healthz` over HTTP, beside the work, and the options that ask for them.

Comes in: a room's meter, host and port. Goes out: a server on threads of its own; it reads what the
meter holds and can neither slow nor stop the work. Off unless a port is given; loopback unless a host is.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol, TypeVar

import click
import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from datacore.errors import UsageError

log = structlog.get_logger()

PATIENCE_S = 10
"""How long a client may take to send its request."""

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Health:
    """Whether the work makes progress; rooms add the facts that say so."""

    well: bool


class Served(Protocol):
    """A meter that can be asked, from any thread."""

    @property
    def registry(self) -> CollectorRegistry:
        """The metrics."""

    def health(self) -> Health:
        """Whether the work makes progress now."""


def metrics_options(command: Command) -> Command:
    """`--metrics-port` and `--metrics-host`."""
    port = click.option(
        "--metrics-port",
        type=click.IntRange(min=0, max=65535),
        envvar="DATACORE_METRICS_PORT",
        help="Serve /metrics and /healthz on this port; 0 takes a free one. [default: off]",
    )
    host = click.option(
        "--metrics-host",
        envvar="DATACORE_METRICS_HOST",
        default="127.0.0.1",
        show_default=True,
        help="The address to serve them on.",
    )
    return port(host(command))


@contextmanager
def serving(meter: Served, host: str, port: int) -> Iterator[int]:
    """Serve the meter while the block runs; the port."""
    try:
        server = MeterServer((host, port), meter)
    except OSError as error:
        raise UsageError(
            f"metrics cannot be served on {host}:{port}: {error.strerror or error}",
            "give another --metrics-port or --metrics-host",
        ) from error
    bound = server.server_address[1]
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    log.info("metrics_served", host=host, port=bound)
    try:
        yield bound
    finally:
        server.shutdown()
        server.server_close()


class MeterServer(ThreadingHTTPServer):
    """Holds the meter for its handlers."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], meter: Served) -> None:
        super().__init__(address, MeterHandler)
        self.meter = meter


class MeterHandler(BaseHTTPRequestHandler):
    """Answers GET and HEAD."""

    server: MeterServer
    timeout = PATIENCE_S

    def do_GET(self) -> None:
        """`/metrics` as the scraper accepts it, `/healthz` as JSON."""
        path = self.path.split("?")[0]
        if path == "/metrics":
            encode, kind = choose_encoder(self.headers.get("Accept") or "")
            self._answer(HTTPStatus.OK, kind, encode(self.server.meter.registry))
        elif path == "/healthz":
            health = self.server.meter.health()
            status = HTTPStatus.OK if health.well else HTTPStatus.SERVICE_UNAVAILABLE
            self._answer(status, "application/json", json.dumps(asdict(health)).encode())
        else:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"/metrics or /healthz\n")

    do_HEAD = do_GET

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """A scrape is no event."""
