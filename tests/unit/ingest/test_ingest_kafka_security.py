"""Security settings: what belongs together, and what each client library is told."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from datacore.errors import UsageError
from datacore.settings import Settings, load_settings
from ingest.kafka_client import kafka_settings
from ingest.kafka_diagnosis import diagnose
from ingest.kafka_security import KafkaSecurity, Mechanism, MskTokens, Protocol, read_security
from sandbox.parts.kafka_secure import Certificates, make_certificates

SCRAM = {
    "DATACORE_KAFKA_SECURITY": "sasl_ssl",
    "DATACORE_KAFKA_SASL_MECHANISM": "SCRAM-SHA-256",
    "DATACORE_KAFKA_USER": "ann",
    "DATACORE_KAFKA_PASSWORD": "s3cret",
}


def settings_of(tmp_path: Path, **more: str) -> Settings:
    return load_settings({"DATACORE_SANDBOX_DIR": str(tmp_path / "none"), **more})


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    return make_certificates()


def test_without_settings_a_client_speaks_plaintext(tmp_path: Path) -> None:
    security = read_security(settings_of(tmp_path))
    assert security.for_kafka_python() == {"security_protocol": "PLAINTEXT"}
    assert security.for_librdkafka() == {"security.protocol": "plaintext"}


def test_scram_over_tls_is_told_to_both_libraries(
    tmp_path: Path, certificates: Certificates
) -> None:
    authority = tmp_path / "ca.crt"
    authority.write_text(certificates.authority)
    settings = settings_of(tmp_path, **SCRAM, DATACORE_KAFKA_CA=str(authority))
    words = kafka_settings(settings)
    context = words["ssl_context"]
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert {name: words[name] for name in words if name.startswith(("sasl", "security"))} == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-256",
        "sasl_plain_username": "ann",
        "sasl_plain_password": "s3cret",
    }
    assert read_security(settings).for_librdkafka() == {
        "security.protocol": "sasl_ssl",
        "ssl.ca.location": str(authority),
        "ssl.endpoint.identification.algorithm": "https",
        "sasl.mechanisms": "SCRAM-SHA-256",
        "sasl.username": "ann",
        "sasl.password": "s3cret",
    }


def test_a_client_certificate_is_told_to_both_libraries(
    tmp_path: Path, certificates: Certificates
) -> None:
    pem = tmp_path / "client.pem"
    pem.write_text(certificates.server)
    settings = settings_of(
        tmp_path,
        DATACORE_KAFKA_SECURITY="SSL",
        DATACORE_KAFKA_CERT=str(pem),
        DATACORE_KAFKA_VERIFY_HOSTNAME="no",
    )
    security = read_security(settings)
    assert security.tls_context.check_hostname is False
    assert security.tls_context.verify_mode is ssl.CERT_REQUIRED
    assert security.for_librdkafka() == {
        "security.protocol": "ssl",
        "ssl.certificate.location": str(pem),
        "ssl.key.location": str(pem),
        "ssl.endpoint.identification.algorithm": "none",
    }


def test_the_password_is_in_no_repr(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, **SCRAM)
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in repr(read_security(settings))


@pytest.mark.parametrize(
    ("more", "fact"),
    [
        ({"DATACORE_KAFKA_SECURITY": "tls"}, "DATACORE_KAFKA_SECURITY: 'tls' is none of plaintext"),
        ({"DATACORE_KAFKA_SECURITY": "sasl_ssl"}, "DATACORE_KAFKA_USER is not set"),
        ({**SCRAM, "DATACORE_KAFKA_PASSWORD": ""}, "DATACORE_KAFKA_PASSWORD is not set"),
        ({**SCRAM, "DATACORE_KAFKA_SASL_MECHANISM": "MD5"}, "'MD5' is none of SCRAM-SHA-256"),
        ({**SCRAM, "DATACORE_KAFKA_SECURITY": ""}, "DATACORE_KAFKA_USER is set, but"),
        ({"DATACORE_KAFKA_CA": "/ca.crt"}, "DATACORE_KAFKA_CA is set, but"),
        (
            {"DATACORE_KAFKA_SECURITY": "ssl", "DATACORE_KAFKA_CA": "/no/ca.crt"},
            "DATACORE_KAFKA_CA: /no/ca.crt is not a file",
        ),
        (
            {"DATACORE_KAFKA_SECURITY": "ssl", "DATACORE_KAFKA_CA": __file__},
            f"DATACORE_KAFKA_CA: {__file__} cannot be used",
        ),
        (
            {"DATACORE_KAFKA_SECURITY": "ssl", "DATACORE_KAFKA_KEY": "/key.pem"},
            "DATACORE_KAFKA_KEY is set without a certificate",
        ),
        ({"DATACORE_KAFKA_VERIFY_HOSTNAME": "maybe"}, "DATACORE_KAFKA_VERIFY_HOSTNAME"),
    ],
)
def test_settings_that_do_not_belong_together_are_refused(
    tmp_path: Path, more: dict[str, str], fact: str
) -> None:
    with pytest.raises(UsageError) as caught:
        kafka_settings(settings_of(tmp_path, **more))
    assert fact in caught.value.message
    assert caught.value.hint


def test_a_token_of_iam_is_used_until_shortly_before_its_end() -> None:
    now = [1_000.0]
    made: list[str] = []

    def sign() -> tuple[str, float]:
        made.append(f"token {len(made)}")
        return made[-1], now[0] + 900

    tokens = MskTokens(sign, lambda: now[0])
    assert [tokens.token(), tokens.token()] == ["token 0", "token 0"]
    now[0] += 839
    assert tokens.token() == "token 0"
    now[0] += 2
    assert tokens.token() == "token 1"


def test_iam_signs_a_token_that_both_libraries_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    settings = settings_of(
        tmp_path,
        DATACORE_KAFKA_SECURITY="sasl_ssl",
        DATACORE_KAFKA_SASL_MECHANISM="oauthbearer",
        AWS_REGION="eu-west-1",
    )
    security = read_security(settings)
    assert security.mechanism is Mechanism.OAUTHBEARER
    token = security.for_kafka_python()["sasl_oauth_token_provider"].token()
    again, until = security.for_librdkafka()["oauth_cb"]("")
    assert len(token) == len(again) > 300
    assert until > 1_700_000_000


@contextmanager
def server(context: ssl.SSLContext | None, host: str = "127.0.0.1") -> Iterator[int]:
    """Accepts connections, with TLS where a context is given, and closes each at its first byte."""
    with socket.create_server((host, 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                try:
                    if context is not None:
                        connection = context.wrap_socket(connection, server_side=True)
                    connection.recv(1)
                    connection.close()
                except OSError:
                    connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def tls_server(certificates: Certificates, folder: Path, *, ask: bool = False) -> ssl.SSLContext:
    pem = folder / "server.pem"
    pem.write_text(certificates.server)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    if ask:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=certificates.authority)
    return context


def trusting(certificates: Certificates, folder: Path) -> KafkaSecurity:
    authority = folder / "trusted.crt"
    authority.write_text(certificates.authority)
    return KafkaSecurity(Protocol.SSL, authority=str(authority))


def test_what_is_wrong_with_tls_is_told_apart(tmp_path: Path, certificates: Certificates) -> None:
    good = trusting(certificates, tmp_path)
    with server(tls_server(certificates, tmp_path)) as port:
        assert diagnose(f"127.0.0.1:{port}", good) is None
        other = trusting(make_certificates(), tmp_path)
        untrusted = diagnose(f"127.0.0.1:{port}", other)
        plaintext = diagnose(f"127.0.0.1:{port}", KafkaSecurity())
    assert untrusted is not None
    assert "a certificate that is not trusted" in untrusted.message
    assert plaintext is not None
    assert "speaks TLS, and DATACORE_KAFKA_SECURITY is plaintext" in plaintext.message
    with server(tls_server(certificates, tmp_path), "127.0.0.2") as port:
        misnamed = diagnose(f"127.0.0.2:{port}", good)
        assert misnamed is not None
        assert "IP address mismatch" in misnamed.message
    with server(None) as port:
        found = diagnose(f"127.0.0.1:{port}", good)
        assert found is not None
        assert "does not speak TLS" in found.message
        assert diagnose(f"127.0.0.1:{port}", KafkaSecurity()) is None
    with server(tls_server(certificates, tmp_path, ask=True)) as port:
        found = diagnose(f"127.0.0.1:{port}", good)
        assert found is not None
        assert "refused our side of TLS" in found.message
