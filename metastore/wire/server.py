"""Sockets to Thrift: a thread a connection, keepalive, a limit in time for half a message, a clean stop.

Comes in: connections, plain or TLS. Goes out: the processor's answers. `stop` may be called from a signal
handler: no new connection is taken, calls under way are answered, then all is closed.
"""

import errno
import socket
import ssl
import threading
import time

import structlog
from thrift.protocol.TBinaryProtocol import TBinaryProtocolAcceleratedFactory
from thrift.Thrift import TException, TProcessor
from thrift.transport.TTransport import TBufferedTransport, TTransportBase, TTransportException

from datacore.errors import UsageError
from metastore.meter import Meter

log = structlog.get_logger("metastore")

MESSAGE_SECONDS = 60.0
"""A message that has begun must end in this time, and an answer must be taken. Waiting for a
message has no limit: Spark keeps its connection for hours, and keepalive finds dead peers."""
HANDSHAKE_SECONDS = 10.0
"""A TLS handshake must end in this time."""
STRING_LIMIT = 64 * 1024 * 1024
"""Bytes of one string in a request, so that a stray client cannot claim the memory."""
CONTAINER_LIMIT = 1_000_000
"""Items of one list or map in a request."""
_KEEPALIVE = (
    ("SO_KEEPALIVE", socket.SOL_SOCKET, 1),
    ("TCP_KEEPIDLE", socket.IPPROTO_TCP, 60),
    ("TCP_KEEPINTVL", socket.IPPROTO_TCP, 15),
    ("TCP_KEEPCNT", socket.IPPROTO_TCP, 4),
    ("TCP_NODELAY", socket.IPPROTO_TCP, 1),
)


class PatientSocket(TTransportBase):
    """Waits without limit for a message's first byte, and `MESSAGE_SECONDS` for the others.

    The transport under Thrift's own buffer.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def await_message(self) -> None:
        """Call before each message."""
        self._connection.settimeout(None)

    def read(self, size: int) -> bytes:
        """At most `size` bytes. Raises TTransportException where the peer is gone or too slow."""
        try:
            data = self._connection.recv(size)
        except OSError as error:
            raise TTransportException(TTransportException.UNKNOWN, str(error)) from error
        if not data:
            raise TTransportException(TTransportException.END_OF_FILE, "the peer closed")
        self._connection.settimeout(MESSAGE_SECONDS)
        return data

    def write(self, data: bytes) -> None:
        """All of `data`. Raises TTransportException."""
        try:
            self._connection.sendall(data)
        except OSError as error:
            raise TTransportException(TTransportException.UNKNOWN, str(error)) from error

    def flush(self) -> None:
        """Nothing is held back here."""

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class Server:
    """Listens from its making on; answers once `serve` runs."""

    def __init__(
        self,
        processor: TProcessor,
        host: str,
        port: int,
        tls: ssl.SSLContext | None = None,
        meter: Meter | None = None,
    ) -> None:
        self._processor = processor
        self._tls = tls
        self._meter = meter or Meter()
        self._protocols = TBinaryProtocolAcceleratedFactory(
            string_length_limit=STRING_LIMIT, container_length_limit=CONTAINER_LIMIT
        )
        self._listener = _listen(host, port)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        """Host and port; the port that was found where 0 was asked."""
        self._stopping = threading.Event()
        self._lock = threading.RLock()  # `stop` may interrupt its holder, as a signal does
        self._connections: dict[threading.Thread, socket.socket] = {}

    def serve(self) -> None:
        """Take connections until `stop`."""
        while not self._stopping.is_set():
            try:
                connection, peer = self._listener.accept()
            except OSError as error:
                if self._stopping.is_set():
                    return
                log.error("connection not taken", reason=str(error))
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    self._stopping.wait(0.5)
                continue
            self._start(connection, f"{peer[0]}:{peer[1]}")

    def stop(self) -> None:
        """Take no new connection, and no new message. Returns at once."""
        self._stopping.set()
        _shut(self._listener, socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            connections = list(self._connections.values())
        for connection in connections:
            _shut(connection, socket.SHUT_RD)

    def wait(self, seconds: float) -> bool:
        """After `stop`: wait for the calls under way. False if some still run after `seconds`."""
        deadline = time.monotonic() + seconds
        with self._lock:
            threads = list(self._connections)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _start(self, connection: socket.socket, peer: str) -> None:
        for name, level, value in _KEEPALIVE:
            if hasattr(socket, name):  # not every system has all of them
                connection.setsockopt(level, getattr(socket, name), value)
        if self._tls:
            try:
                connection = self._tls.wrap_socket(
                    connection, server_side=True, do_handshake_on_connect=False
                )
            except OSError as error:
                self._refuse(connection, peer, error)
                return
        thread = threading.Thread(
            target=self._converse, args=(connection, peer), name=peer, daemon=True
        )
        with self._lock:
            self._connections[thread] = connection
        thread.start()

    def _shake_hands(self, connection: socket.socket, peer: str) -> bool:
        """Whether the connection may be used. On its own thread: a stranger may take his time."""
        if not isinstance(connection, ssl.SSLSocket):
            self._meter.connected("plain")
            return True
        connection.settimeout(HANDSHAKE_SECONDS)
        try:
            connection.do_handshake()
        except (OSError, ValueError) as error:
            self._refuse(connection, peer, error)
            return False
        self._meter.connected("tls")
        return True

    def _refuse(self, connection: socket.socket, peer: str, error: Exception) -> None:
        self._meter.connected("refused")
        log.warning("no TLS handshake", peer=peer, reason=str(error))
        connection.close()

    def _converse(self, connection: socket.socket, peer: str) -> None:
        try:
            with self._meter.connection():
                if self._shake_hands(connection, peer):
                    self._answer(connection, peer)
        finally:
            with self._lock:
                self._connections.pop(threading.current_thread(), None)

    def _answer(self, connection: socket.socket, peer: str) -> None:
        """One connection, message by message, until it ends or makes no sense."""
        log.debug("connected", peer=peer)
        patient = PatientSocket(connection)
        transport = TBufferedTransport(patient)
        protocol = self._protocols.getProtocol(transport)
        protocol.strictRead = True
        try:
            while not self._stopping.is_set():
                patient.await_message()
                self._processor.process(protocol, protocol)
        except TTransportException as error:
            if error.type != TTransportException.END_OF_FILE:
                log.info("connection lost", peer=peer, reason=str(error))
        except (TException, OSError, ValueError, OverflowError, EOFError) as error:
            log.warning("not the metastore's protocol", peer=peer, reason=str(error))
        except Exception:
            log.exception("connection broke", peer=peer)
        finally:
            transport.close()
            log.debug("disconnected", peer=peer)


def _listen(host: str, port: int) -> socket.socket:
    """Raises UsageError that names the address."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        reasons = {
            errno.EADDRINUSE: "the port is in use",
            errno.EACCES: "the port needs more rights than this user has",
            errno.EADDRNOTAVAIL: "this machine has no such address",
        }
        reason = reasons.get(error.errno or 0, str(error))
        raise UsageError(
            f"cannot listen on {host}:{port}: {reason}", "choose another with --host or --port"
        ) from error


def _shut(connection: socket.socket, how: int) -> None:
    """Of a TLS connection the socket below: what is still to be answered must stay encrypted."""
    try:
        socket.socket.shutdown(connection, how)
    except OSError as error:
        log.debug("already closed", reason=str(error))
