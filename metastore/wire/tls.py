"""TLS with client certificates, and who may listen where.

Comes in: PEM files and the address. Goes out: a server's context, or a refusal that names the file.
The protocol has no passwords: whoever may speak has all the rights of this process. So beyond
loopback clients show a certificate, unless somebody says that anyone is welcome.
"""

import ipaddress
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from datacore.errors import UsageError


@dataclass(frozen=True)
class TlsFiles:
    """PEM files."""

    certificate: Path
    """The server's own, with what is between it and its root."""
    key: Path
    """Not encrypted: nobody is there to type a password."""
    client_ca: Path | None
    """Who signs clients' certificates; None: clients show none."""


def tls_files(
    certificate: Path | None, key: Path | None, client_ca: Path | None
) -> TlsFiles | None:
    """What was given, if anything. Raises UsageError where something is missing."""
    if certificate is None and key is None and client_ca is None:
        return None
    if certificate is None or key is None:
        raise UsageError(
            f"{'--tls-cert' if certificate is None else '--tls-key'} is missing: TLS needs the "
            "server's certificate and its key",
            "give both as PEM files, or none for plain sockets",
        )
    return TlsFiles(certificate, key, client_ca)


def check_address(host: str, tls: TlsFiles | None, allow_anyone: bool) -> None:
    """Raises UsageError where strangers could speak and nobody said that they may."""
    if allow_anyone or (tls and tls.client_ca) or is_loopback(host):
        return
    lacks = "clients show no certificate" if tls else "there is no TLS"
    raise UsageError(
        f"{host or 'every address'} is not loopback and {lacks}: whoever reaches the port would "
        "have all catalog rights of this process",
        "give --tls-cert, --tls-key and --tls-client-ca; or --allow-anyone, where only trusted "
        "programs reach the port",
    )


def is_loopback(host: str) -> bool:
    """Whether all that `host` stands for is on this machine only. An unknown name is not."""
    if not host:
        return False
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
    return bool(addresses) and all(ipaddress.ip_address(each).is_loopback for each in addresses)


def server_context(files: TlsFiles) -> ssl.SSLContext:
    """TLS 1.2 or newer. Raises UsageError that names the file that is to blame."""
    for path in (files.certificate, files.key, files.client_ca):
        if path is not None:
            _check_readable(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2

    def no_password() -> str:
        raise UsageError(f"{files.key} is encrypted", "write it without a password, mode 0600")

    try:
        context.load_cert_chain(files.certificate, files.key, no_password)
    except ssl.SSLError as error:
        raise UsageError(
            f"{files.certificate} and {files.key} are not a certificate and its key: "
            f"{error.reason or error}",
            "both must be PEM, and the key that of the first certificate in the file",
        ) from error
    if files.client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            context.load_verify_locations(files.client_ca)
        except ssl.SSLError as error:
            raise UsageError(
                f"{files.client_ca} holds no certificate: {error.reason or error}",
                "give the PEM of the authority that signs clients' certificates",
            ) from error
    return context


def _check_readable(path: Path) -> None:
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise UsageError(
            f"{path}: {error.strerror or error}", "give a PEM file that this user may read"
        ) from error
