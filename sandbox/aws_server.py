"""S3, Glue, KMS and Kinesis in memory: moto's application behind a server that keeps connections.

`python -m sandbox.aws_server HOST PORT`. Moto's own server closes every connection after one
request, logs each, and looks through its package for service names on every request: 10 ms a
GET here against 3 ms so, and Spark reads thousands of small objects.
"""

import logging
import sys

from moto import backends
from moto.moto_server import werkzeug_app
from werkzeug.serving import run_simple

from sandbox import glue, kinesis, s3


class KeepAlive(werkzeug_app.MotoRequestHandler):
    """One connection for many requests; replies leave at once."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True


def serve(host: str, port: int) -> None:
    """Serve until the process ends."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    glue.correct()
    kinesis.correct()
    s3.correct()
    services = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: services
    application = werkzeug_app.DomainDispatcherApplication(werkzeug_app.create_backend_app)
    run_simple(host, port, application, threaded=True, request_handler=KeepAlive)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
