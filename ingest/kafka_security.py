"""How a client proves itself to Kafka and Kafka to the client: TLS and SASL, from the settings.

Comes in: settings. Goes out: a frozen `KafkaSecurity`, checked, and its words for kafka-python and for
librdkafka (confluent-kafka). A certificate is always verified, and the broker's host name unless the
settings say otherwise. The password is in no repr and no log.
"""

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from kafka.net.sasl.oauth import AbstractTokenProvider

from datacore.errors import UsageError, shorten
from datacore.settings import Settings

TOKEN_MARGIN_S = 60.0
"""How long before its end a token is made anew."""

Word = TypeVar("Word", bound=StrEnum)

Token = tuple[str, float]
"""A token, and until when it is good (seconds since 1970)."""


class Protocol(StrEnum):
    """What a listener of Kafka speaks, as DATACORE_KAFKA_SECURITY names it."""

    PLAINTEXT = "plaintext"
    SSL = "ssl"
    SASL_PLAINTEXT = "sasl_plaintext"
    SASL_SSL = "sasl_ssl"

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self in (Protocol.SSL, Protocol.SASL_SSL)

    @property
    def sasl(self) -> bool:
        """Whether the client names itself."""
        return self in (Protocol.SASL_SSL, Protocol.SASL_PLAINTEXT)


class Mechanism(StrEnum):
    """How the client proves itself, as DATACORE_KAFKA_SASL_MECHANISM names it."""

    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"
    PLAIN = "PLAIN"
    OAUTHBEARER = "OAUTHBEARER"
    """With a token of IAM, as Amazon MSK takes it."""


@dataclass(frozen=True)
class KafkaSecurity:
    """One client's security. `read_security` makes it; nothing here reads the environment."""

    protocol: Protocol = Protocol.PLAINTEXT
    authority: str | None = None
    """PEM file of the certificate authorities to trust; None: those of the system."""
    certificate: str | None = None
    """PEM file of the client's own certificate, for TLS that wants one."""
    key: str | None = None
    """Its key, where that is another file."""
    verify_hostname: bool = True
    mechanism: Mechanism | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    region: str = ""
    """Of the MSK cluster, for OAUTHBEARER."""

    @cached_property
    def tls_context(self) -> ssl.SSLContext:
        """The context of a client. Raises UsageError for a file that is absent or damaged."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = self.verify_hostname
        with _reading("DATACORE_KAFKA_CA", self.authority):
            if self.authority:
                context.load_verify_locations(self.authority)
            else:
                context.load_default_certs()
        if self.certificate:
            with _reading("DATACORE_KAFKA_CERT", self.certificate):
                context.load_cert_chain(self.certificate, self.key)
        return context

    def for_kafka_python(self) -> dict[str, Any]:
        """Arguments of kafka-python's clients. Raises UsageError for a file that is no PEM."""
        words: dict[str, Any] = {"security_protocol": self.protocol.value.upper()}
        if self.protocol.tls:
            words["ssl_context"] = self.tls_context
        if self.protocol.sasl:
            assert self.mechanism is not None
            words["sasl_mechanism"] = self.mechanism.value
            if self.mechanism is Mechanism.OAUTHBEARER:
                words["sasl_oauth_token_provider"] = MskTokens(msk_signer(self.region))
            else:
                words["sasl_plain_username"] = self.user
                words["sasl_plain_password"] = self.password
        return words

    def for_librdkafka(self) -> dict[str, Any]:
        """Configuration of confluent-kafka's clients. Raises UsageError for a file that is no PEM."""
        words: dict[str, Any] = {"security.protocol": self.protocol.value}
        if self.protocol.tls:
            self.tls_context  # noqa: B018 — says which file is wrong, where librdkafka says less
            named = {
                "ssl.ca.location": self.authority,
                "ssl.certificate.location": self.certificate,
                "ssl.key.location": self.key or self.certificate,
            }
            words |= {name: value for name, value in named.items() if value}
            words["ssl.endpoint.identification.algorithm"] = (
                "https" if self.verify_hostname else "none"
            )
        if self.protocol.sasl:
            assert self.mechanism is not None
            words["sasl.mechanisms"] = self.mechanism.value
            if self.mechanism is Mechanism.OAUTHBEARER:
                sign = msk_signer(self.region)
                words["oauth_cb"] = lambda _config: sign()
            else:
                words["sasl.username"] = self.user
                words["sasl.password"] = self.password
        return words


def read_security(settings: Settings) -> KafkaSecurity:
    """The settings' security. Raises UsageError that names the variable."""
    protocol = _one_of(Protocol, settings.kafka_security.lower(), "DATACORE_KAFKA_SECURITY")
    mechanism = None
    if protocol.sasl:
        mechanism = _one_of(
            Mechanism, settings.kafka_sasl_mechanism.upper(), "DATACORE_KAFKA_SASL_MECHANISM"
        )
    _refuse_useless(settings, protocol)
    if mechanism is not None and mechanism is not Mechanism.OAUTHBEARER:
        for variable, value in (
            ("DATACORE_KAFKA_USER", settings.kafka_user),
            ("DATACORE_KAFKA_PASSWORD", settings.kafka_password),
        ):
            if not value:
                raise UsageError(
                    f"{variable} is not set, and {mechanism} needs it", f"set {variable}"
                )
    if settings.kafka_key and not settings.kafka_cert:
        raise UsageError(
            "DATACORE_KAFKA_KEY is set without a certificate", "set DATACORE_KAFKA_CERT"
        )
    return KafkaSecurity(
        protocol=protocol,
        authority=settings.kafka_ca,
        certificate=settings.kafka_cert,
        key=settings.kafka_key,
        verify_hostname=settings.kafka_verify_hostname,
        mechanism=mechanism,
        user=settings.kafka_user,
        password=settings.kafka_password,
        region=settings.aws_region,
    )


def _refuse_useless(settings: Settings, protocol: Protocol) -> None:
    """A certificate or password that would not be used is a mistake: data would go in the clear."""
    for variable, value, used, needs in (
        ("DATACORE_KAFKA_CA", settings.kafka_ca, protocol.tls, "ssl or sasl_ssl"),
        ("DATACORE_KAFKA_CERT", settings.kafka_cert, protocol.tls, "ssl or sasl_ssl"),
        ("DATACORE_KAFKA_USER", settings.kafka_user, protocol.sasl, "sasl_ssl"),
        ("DATACORE_KAFKA_PASSWORD", settings.kafka_password, protocol.sasl, "sasl_ssl"),
    ):
        if value and not used:
            raise UsageError(
                f"{variable} is set, but DATACORE_KAFKA_SECURITY is {protocol}",
                f"set DATACORE_KAFKA_SECURITY={needs}, or unset {variable}",
            )


@contextmanager
def _reading(variable: str, path: str | None) -> Iterator[None]:
    """Within it, a PEM file that cannot be read is a UsageError that names variable and file."""
    if path and not Path(path).is_file():
        raise UsageError(f"{variable}: {path} is not a file", "give a PEM file")
    try:
        yield
    except OSError as error:  # ssl.SSLError is one
        raise UsageError(
            f"{variable}: {path} cannot be used: {error}",
            "give PEM files; of a certificate and the key that belongs to it",
        ) from error


def _one_of(kind: type[Word], value: str, variable: str) -> Word:
    try:
        return kind(value)
    except ValueError as error:
        raise UsageError(
            f"{variable}: {shorten(value)!r} is none of {', '.join(kind)}", f"set {variable}"
        ) from error


class MskTokens(AbstractTokenProvider):
    """kafka-python's provider of tokens: one is used until shortly before its end."""

    def __init__(self, sign: Callable[[], Token], clock: Callable[[], float] = time.time) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # kafka-python is untyped
        self._sign = sign
        self._clock = clock
        self._token: Token = ("", 0.0)

    def token(self) -> str:
        """A token that is good for a while yet. Raises what AWS's signer raises."""
        if self._clock() > self._token[1] - TOKEN_MARGIN_S:
            self._token = self._sign()
        return self._token[0]


def msk_signer(region: str) -> Callable[[], Token]:
    """Makes tokens of this process's AWS credentials. Raises UsageError without AWS's library."""
    try:
        from aws_msk_iam_sasl_signer import MSKAuthTokenProvider
    except ImportError as error:
        raise UsageError(
            "OAUTHBEARER needs the package aws-msk-iam-sasl-signer-python",
            "install the extra `msk`: `uv sync --extra msk`",
        ) from error

    def sign() -> Token:
        token, expires_ms = MSKAuthTokenProvider.generate_auth_token(region)
        return token, expires_ms / 1000

    return sign
