"""The broker's second listener, on request: TLS with a certificate authority of this run, and SCRAM.

Comes in: a site whose ports name `kafka_secure`. Goes out: the listener's properties, the files
that it needs (all PEM, readable by their owner only), its SCRAM user, and the variables that lead
a client to it. The authority's key is forgotten at once: it signs one certificate.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from datacore.errors import ServiceUnreachable

if TYPE_CHECKING:
    from kafka import KafkaAdminClient

PORT = "kafka_secure"
LISTENER = "SECURE"
MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-512")
USER = "datacore"

VALID = timedelta(days=365)


@dataclass(frozen=True)
class Certificates:
    """An authority, and a server's certificate for loopback that it signed; PEM."""

    authority: str
    server: str
    """Key, then certificate: Kafka's keystore of type PEM wants both in one file."""


def make_certificates() -> Certificates:
    """A new authority each time; nobody keeps its key."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority_name = _name("Datacore sandbox")
    authority = (
        _builder(authority_name, authority_name, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False
        )
        .add_extension(_key_usage(authority=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    key = ec.generate_private_key(ec.SECP256R1())
    loopback = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        _builder(_name("localhost"), authority_name, key.public_key())
        .add_extension(x509.SubjectAlternativeName(loopback), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
            critical=False,
        )
        .add_extension(_key_usage(authority=False), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return Certificates(authority=_pem(authority), server=secret.decode() + _pem(certificate))


def secure_files(home: Path) -> dict[Path, str]:
    """The listener's files, by where they go."""
    made = make_certificates()
    return {authority_file(home): made.authority, _server_file(home): made.server}


def secure_properties(home: Path) -> dict[str, str]:
    """What server.properties says of the listener, but for its address."""
    prefix = f"listener.name.{LISTENER.lower()}."
    login = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    return {
        f"{prefix}ssl.keystore.type": "PEM",
        f"{prefix}ssl.keystore.location": str(_server_file(home)),
        f"{prefix}sasl.enabled.mechanisms": ",".join(MECHANISMS),
        **{f"{prefix}{name.lower()}.sasl.jaas.config": login for name in MECHANISMS},
    }


def secure_variables(address: str, home: Path, password: str) -> Mapping[str, str]:
    """Variables that lead to the listener. `DATACORE_KAFKA` goes on naming the plain one."""
    return {
        "DATACORE_SANDBOX_KAFKA_SECURE": address,
        "DATACORE_SANDBOX_KAFKA_SECURE_CA": str(authority_file(home)),
        "DATACORE_SANDBOX_KAFKA_SECURE_USER": USER,
        "DATACORE_SANDBOX_KAFKA_SECURE_PASSWORD": password,
    }


def make_user(admin: "KafkaAdminClient", password: str) -> None:
    """Give the user its password, by every mechanism; the broker keeps salted hashes."""
    from kafka.admin import UserScramCredentialUpsertion

    for mechanism in MECHANISMS:  # Kafka takes one change a user and request
        refused = admin.alter_user_scram_credentials(
            [UserScramCredentialUpsertion(USER, mechanism, password)]
        )[USER]
        if refused:
            raise ServiceUnreachable(f"Kafka refused the user {USER}: {refused}", "start again")


def authority_file(home: Path) -> Path:
    """The certificate authority that clients are to trust."""
    return home / "ca.crt"


def _server_file(home: Path) -> Path:
    return home / "server.pem"


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + VALID)
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
