"""Why Kafka cannot be reached, where a client only says that it could not.

Comes in: addresses and security, after a client gave up. Goes out: a `UsageError` for what no
retry can mend (TLS against plain, a certificate that nobody vouches for, a wrong password), or None.
kafka-python tries all of these again until its time is over, and then no longer knows the reason;
librdkafka logs it. So it is asked once more, step by step, each with a limit. Sends no record.
"""

import socket
import ssl
from collections.abc import Iterator
from typing import Any

from kafka import errors as kafka_error
from kafka.net.sasl import get_sasl_mechanism
from kafka.protocol.parser import KafkaProtocol
from kafka.protocol.sasl import SaslAuthenticateRequest, SaslHandshakeRequest

from datacore.errors import UsageError
from ingest.kafka_security import KafkaSecurity

LIMIT_S = 3.0
"""How long each step may take."""


def refused(error: BaseException) -> UsageError | None:
    """The error for what Kafka itself refused; None where it was something else."""
    match error:
        case kafka_error.SaslAuthenticationFailedError():
            return UsageError(
                f"Kafka refused the client: {error}",
                "check DATACORE_KAFKA_USER and DATACORE_KAFKA_PASSWORD (or the AWS credentials)",
            )
        case kafka_error.UnsupportedSaslMechanismError() | kafka_error.IllegalSaslStateError():
            return UsageError(
                f"Kafka refused the way to log in: {error}",
                "check DATACORE_KAFKA_SASL_MECHANISM and DATACORE_KAFKA_SECURITY",
            )
        case kafka_error.AuthorizationError() | kafka_error.InvalidTopicError():
            return UsageError(f"Kafka refused: {error}", "check the client's rights")
        case _:
            return None


def diagnose(servers: str, security: KafkaSecurity) -> UsageError | None:
    """What is wrong between us and the first of `servers` (host:port, …) that accepts a connection."""
    for host, port in _addresses(servers):
        try:
            plain = socket.create_connection((host, port), timeout=LIMIT_S)
        except OSError:
            continue
        with plain:
            found = (_tls if security.protocol.tls else _no_tls)(plain, host, port, security)
        return found or _login(host, port, security)
    return None


def _addresses(servers: str) -> Iterator[tuple[str, int]]:
    for server in servers.split(","):
        host, _, port = server.strip().rpartition(":")
        if port.isdigit():
            yield host.strip("[]"), int(port)


def _tls(plain: socket.socket, host: str, port: int, security: KafkaSecurity) -> UsageError | None:
    """Whether the certificate is one that we trust, and ours one that the broker does."""
    try:
        with security.tls_context.wrap_socket(plain, server_hostname=host) as secure:
            # with TLS 1.3 a broker says only now that it wants another certificate of us
            secure.settimeout(0.5)
            secure.recv(1)
    except ssl.SSLCertVerificationError as error:
        return UsageError(
            f"Kafka at {host}:{port} has a certificate that is not trusted: {error.verify_message}",
            "check DATACORE_KAFKA_CA (the authority that signed it) and the host name in DATACORE_KAFKA",
        )
    except TimeoutError:
        return None
    except (ssl.SSLEOFError, ConnectionError):
        return _speaks_no_tls(host, port)
    except ssl.SSLError as error:
        if "ALERT" in (error.reason or ""):
            return UsageError(
                f"Kafka at {host}:{port} refused our side of TLS: {error.reason}",
                "it may want a client certificate: DATACORE_KAFKA_CERT and DATACORE_KAFKA_KEY",
            )
        return _speaks_no_tls(host, port)
    return None


def _speaks_no_tls(host: str, port: int) -> UsageError:
    return UsageError(
        f"Kafka at {host}:{port} does not speak TLS",
        "set DATACORE_KAFKA to its TLS listener, or DATACORE_KAFKA_SECURITY to plaintext",
    )


def _no_tls(
    plain: socket.socket, host: str, port: int, security: KafkaSecurity
) -> UsageError | None:
    """Whether the listener wants TLS, of which the settings say nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # only whether TLS is spoken; nothing is sent through it
    try:
        context.wrap_socket(plain, server_hostname=host).close()
    except (ssl.SSLError, OSError) as error:
        if "CERTIFICATE_REQUIRED" not in str(getattr(error, "reason", "")):
            return None
    return UsageError(
        f"Kafka at {host}:{port} speaks TLS, and DATACORE_KAFKA_SECURITY is {security.protocol}",
        "set DATACORE_KAFKA_SECURITY to ssl or sasl_ssl, and DATACORE_KAFKA_CA",
    )


def _login(host: str, port: int, security: KafkaSecurity) -> UsageError | None:
    """Whether Kafka takes our credentials.

    kafka-python's own connection drops the answer where the broker closes right behind it, as it does
    after a refusal; so this one reads for itself, with kafka-python's messages and mechanisms.
    """
    try:
        with socket.create_connection((host, port), timeout=LIMIT_S) as plain:
            if not security.protocol.tls:
                return _authenticate(_Exchange(plain), host, security)
            with security.tls_context.wrap_socket(plain, server_hostname=host) as secure:
                return _authenticate(_Exchange(secure), host, security)
    except OSError:
        return None


def _authenticate(ask: "_Exchange", host: str, security: KafkaSecurity) -> UsageError | None:
    name = "PLAIN" if security.mechanism is None else security.mechanism.value
    hello = ask(SaslHandshakeRequest(mechanism=name, version=1))
    offered = ", ".join(hello.mechanisms)
    if security.mechanism is None:
        if not offered:
            return None
        return UsageError(
            f"Kafka wants a login ({offered}), and DATACORE_KAFKA_SECURITY is {security.protocol}",
            "set DATACORE_KAFKA_SECURITY to sasl_ssl, with DATACORE_KAFKA_USER and _PASSWORD",
        )
    if hello.error_code:
        return UsageError(
            f"Kafka does not take {name}, but {offered or 'no login here'}",
            "check DATACORE_KAFKA_SASL_MECHANISM and DATACORE_KAFKA_SECURITY",
        )
    words = security.for_kafka_python()
    mechanism = get_sasl_mechanism(name)(host=host, **words)
    while not mechanism.is_done():
        try:
            token = mechanism.auth_bytes()
        except Exception as error:  # noqa: BLE001 — AWS's signer, whatever it raises
            return UsageError(f"no token for Kafka: {error}", "check AWS credentials and region")
        answer = ask(SaslAuthenticateRequest(token, version=1))
        if answer.error_code:
            kind = kafka_error.for_code(answer.error_code)
            return refused(kind(answer.error_message or ""))
        mechanism.receive(answer.auth_bytes)
    return None


class _Exchange:
    """Asks one thing after the other over a socket that waits. Raises OSError where it breaks."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._protocol = KafkaProtocol(client_id="datacore")

    def __call__(self, request: Any) -> Any:
        """The answer to a request."""
        self._protocol.send_request(request)
        self._connection.sendall(self._protocol.send_bytes())
        while True:
            data = self._connection.recv(4096)
            if not data:
                raise ConnectionResetError("closed without an answer")
            for _, answer in self._protocol.receive_bytes(data):
                return answer
