"""S3, Glue, KMS and Kinesis in memory: moto's application behind a server that keeps connections.

`python -m sandbox.aws_server HOST PORT`. moto's own server, Werkzeug's, closes every connection after
one request, logs each, and looks through its package for service names on every request; Spark sends
thousands of small ones.
"""

import sys
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes

from cheroot import wsgi
from moto import backends
from moto.core.request import (
    PRESERVED_HEADER_NAMES_ENVIRON_KEY,
    environ_key_for_header,
    should_preserve_original_header_name,
)
from moto.moto_server import werkzeug_app

from sandbox import glue, kinesis, s3

THREADS = 32
"""Requests that are answered side by side."""
IDLE_LIMIT = 600
"""Seconds that an idle connection is kept; longer than clients keep theirs, so that none asks on a closed one."""


class Gateway(wsgi.Gateway_10):
    """What moto's application asks of the server it was written for."""

    def get_environ(self) -> dict[str, Any]:  # type: ignore[override]
        """The request for the application: its path as sent too, and metadata under its own names."""
        environ: dict[str, Any] = super().get_environ()  # type: ignore[no-untyped-call]
        environ["RAW_URI"] = environ["REQUEST_URI"]
        path = self.req.uri.partition(b"?")[0]
        environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1")
        names = [name.decode("latin-1") for name in self.req.inheaders]
        environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = {
            environ_key_for_header(name): name.lower()
            for name in names
            if should_preserve_original_header_name(name)
        }
        return environ

    def respond(self) -> None:
        """Ask the application, unless the client went away before all of its body came: nothing is stored."""
        body = self.req.rfile.read()
        if len(body) < int(self.env.get("CONTENT_LENGTH") or 0):
            self.req.close_connection = True
            self.req.simple_response("400 Bad Request", "the body is shorter than it says")
            return
        self.env["wsgi.input"] = BytesIO(body)
        super().respond()


def serve(host: str, port: int) -> None:
    """Serve until the process ends."""
    glue.correct()
    kinesis.correct()
    s3.correct()
    services = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: services
    application = werkzeug_app.DomainDispatcherApplication(werkzeug_app.create_backend_app)
    server = wsgi.Server((host, port), application, numthreads=THREADS, timeout=IDLE_LIMIT)
    server.gateway = Gateway
    # counted, connections would be counted under a lock
    server.keep_alive_conn_limit = None  # type: ignore[assignment]
    server.start()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
