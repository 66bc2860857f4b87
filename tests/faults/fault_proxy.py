"""An HTTP proxy before S3 and Glue that breaks chosen requests in chosen ways.

Comes in: requests of AWS's clients. Goes out: what the server behind it answers, or a fault. Runs in
threads of this process, on a free port of loopback.
"""

import http.client
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

ERRORS = {
    "500": (500, "InternalError"),
    "503": (503, "SlowDown"),
    "409": (409, "ConditionalRequestConflict"),
}
"""What S3 answers without doing anything."""
THROTTLED = b'{"__type":"ThrottlingException","message":"Rate exceeded"}'

KINDS = ("500", "503", "409", "reset", "reset-done", "silent-done", "twice")
"""`…-done`: the request is carried out, and the answer is lost. `twice`: it arrives twice, so that a
conditional write is answered with 412 by its own first arrival."""

Answer = tuple[int, list[tuple[str, str]], bytes]


@dataclass
class Fault:
    """Breaks the requests for which `applies` holds: all after the first `skip`, `times` of them."""

    kind: str
    applies: Callable[[str, str, str], bool]
    """Of method, path with query, and Glue's operation."""
    times: int = 1
    skip: int = 0
    met: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def meets(self, method: str, path: str, operation: str) -> bool:
        """Whether this request is one to break."""
        if not self.applies(method, path, operation):
            return False
        with self.lock:
            if self.skip:
                self.skip -= 1
                return False
            if self.met >= self.times:
                return False
            self.met += 1
            return True


class FaultProxy:
    """Stands before `upstream` (host:port). `faults` may be changed at any time."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.faults: list[Fault] = []
        self.stopping = threading.Event()
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed in the middle is what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    owner: FaultProxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def handle_expect_100(self) -> bool:
        """Let the client send its body at once; unsaid, it waits a second for this."""
        proceed = super().handle_expect_100()
        self.wfile.flush()
        return proceed

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        operation = (self.headers.get("X-Amz-Target") or "").rpartition(".")[2]
        fault = next(
            (f for f in self.owner.faults if f.meets(self.command, self.path, operation)), None
        )
        kind = fault.kind if fault else ""
        if kind in ERRORS:
            self._answer(_refusal(*ERRORS[kind]))
        elif kind == "throttle":
            headers = [("Content-Type", "application/x-amz-json-1.1")]
            self._answer((400, headers, THROTTLED))
        elif kind == "reset":
            self._reset()
        else:
            answer = self._forward(body)
            if kind == "twice":
                answer = self._forward(body)
            if kind == "reset-done":
                self._reset()
            elif kind == "silent-done":
                self.owner.stopping.wait(5)
                self._reset()
            else:
                self._answer(answer)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _handle

    def _forward(self, body: bytes) -> Answer:
        url = urlsplit(f"//{self.owner.upstream}")
        assert url.hostname is not None
        upstream = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
        try:
            headers = {
                n: v for n, v in self.headers.items() if n.lower() not in ("expect", "connection")
            }
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            skipped = ("transfer-encoding", "connection", "content-length")
            kept = [(n, v) for n, v in answer.getheaders() if n.lower() not in skipped]
            length = answer.getheader("Content-Length")
            data = answer.read()
            if self.command == "HEAD" and length is not None:
                kept.append(("Content-Length", length))
            return answer.status, kept, data
        finally:
            upstream.close()

    def _answer(self, answer: Answer) -> None:
        status, headers, data = answer
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
        self.wfile.flush()

    def _reset(self) -> None:
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing: the tests look at what came of it."""


def _refusal(status: int, code: str) -> Answer:
    body = f"<Error><Code>{code}</Code><Message>injected</Message></Error>".encode()
    return status, [("Content-Type", "application/xml")], body
