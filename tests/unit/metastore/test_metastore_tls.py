"""TLS with client certificates, with a real client; and who may listen where."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hmsclient.genthrift.hive_metastore import ThriftHiveMetastore
from prometheus_client import generate_latest
from stub_glue import StubGlue
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.transport.TSocket import TSocket
from thrift.transport.TSSLSocket import TSSLSocket
from thrift.transport.TTransport import TBufferedTransport, TTransportException

from datacore.errors import UsageError
from metastore.meter import Meter
from metastore.wire.answers import Answers
from metastore.wire.server import Server
from metastore.wire.tls import TlsFiles, check_address, is_loopback, server_context, tls_files
from tests.certificates import Authority, Pair


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


@pytest.fixture
def stranger(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "stranger")


@pytest.fixture
def meter() -> Meter:
    return Meter()


Start = Callable[[Path | None], Server]


@pytest.fixture
def start(authority: Authority, answers: Answers, meter: Meter) -> Iterator[Start]:
    running: list[tuple[Server, threading.Thread]] = []

    def started(client_ca: Path | None) -> Server:
        pair = authority.pair("server")
        context = server_context(TlsFiles(pair.certificate, pair.key, client_ca))
        processor = ThriftHiveMetastore.Processor(answers)
        server = Server(processor, "127.0.0.1", 0, context, meter)
        thread = threading.Thread(target=server.serve)
        thread.start()
        running.append((server, thread))
        return server

    yield started
    for server, thread in running:
        server.stop()
        assert server.wait(10)
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def server(start: Start, authority: Authority) -> Server:
    return start(authority.certificate)


def client(server: Server, trusted: Path, pair: Pair | None = None) -> Any:
    """Thrift's own TLS client. It checks the server's certificate."""
    shown = {"certfile": str(pair.certificate), "keyfile": str(pair.key)} if pair else {}
    sock = TSSLSocket(*server.address, cert_reqs=ssl.CERT_REQUIRED, ca_certs=str(trusted), **shown)
    sock.setTimeout(10_000)
    transport = TBufferedTransport(sock)
    transport.open()
    return ThriftHiveMetastore.Client(TBinaryProtocol(transport))


def counted(meter: Meter, outcome: str) -> float | None:
    return meter.registry.get_sample_value(
        "datacore_metastore_connections_total", {"outcome": outcome}
    )


def test_client_with_a_good_certificate_is_answered(
    server: Server, authority: Authority, meter: Meter
) -> None:
    asked = client(server, authority.certificate, authority.pair("spark"))
    assert asked.get_all_databases() == ["lake"]
    assert asked.get_database("lake").name == "lake"
    assert counted(meter, "tls") == 1
    assert b"datacore_metastore_open_connections 1.0" in generate_latest(meter.registry)
    asked._iprot.trans.close()


def test_client_without_a_certificate_is_not_answered(
    server: Server, authority: Authority, stub: StubGlue
) -> None:
    # with TLS 1.3 a client learns of its refusal only when it reads
    before = stub.calls.total()
    with pytest.raises((TTransportException, OSError)):
        client(server, authority.certificate).get_all_databases()
    assert stub.calls.total() == before


def test_client_of_another_authority_is_not_answered(
    server: Server, authority: Authority, stranger: Authority, stub: StubGlue
) -> None:
    before = stub.calls.total()
    with pytest.raises((TTransportException, OSError)):
        client(server, authority.certificate, stranger.pair("spy")).get_all_databases()
    assert stub.calls.total() == before


def test_client_that_trusts_another_authority_leaves(server: Server, stranger: Authority) -> None:
    with pytest.raises((TTransportException, OSError)):
        client(server, stranger.certificate, stranger.pair("spark"))


def test_plain_client_is_refused_and_counted(
    server: Server, authority: Authority, meter: Meter
) -> None:
    transport = TBufferedTransport(TSocket(*server.address))
    transport.open()
    plain = ThriftHiveMetastore.Client(TBinaryProtocol(transport))
    with pytest.raises((TTransportException, EOFError)):
        plain.get_all_databases()
    transport.close()
    asked = client(server, authority.certificate, authority.pair("spark"))
    assert asked.getStatus() == 2, "others are answered all the same"
    assert counted(meter, "refused") == 1
    asked._iprot.trans.close()


def test_stranger_who_says_nothing_keeps_nobody_waiting(
    server: Server, authority: Authority
) -> None:
    with socket.create_connection(server.address, timeout=10):
        asked = client(server, authority.certificate, authority.pair("spark"))
        assert asked.getStatus() == 2
        asked._iprot.trans.close()


def test_without_a_client_authority_the_wire_is_encrypted_and_anyone_is_let_in(
    start: Start, authority: Authority
) -> None:
    asked = client(start(None), authority.certificate)
    assert asked.get_all_databases() == ["lake"]
    asked._iprot.trans.close()


def test_tls_1_2_is_the_oldest(server: Server, authority: Authority) -> None:
    pair = authority.pair("old")
    files = TlsFiles(pair.certificate, pair.key, None)
    assert server_context(files).minimum_version == ssl.TLSVersion.TLSv1_2
    context = ssl.create_default_context(cafile=str(authority.certificate))
    context.load_cert_chain(pair.certificate, pair.key)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection(server.address, timeout=10) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as spoken,
    ):
        assert spoken.version() == "TLSv1.2"


def test_stop_answers_the_encrypted_call_under_way(
    server: Server, authority: Authority, stub: StubGlue
) -> None:
    called, release, answer = threading.Event(), threading.Event(), []

    def slowly() -> None:
        called.set()
        assert release.wait(10)

    stub.before["get_databases"] = slowly
    asked = client(server, authority.certificate, authority.pair("spark"))
    caller = threading.Thread(target=lambda: answer.extend(asked.get_all_databases()))
    caller.start()
    assert called.wait(10)
    server.stop()
    release.set()
    assert server.wait(10)
    caller.join(10)
    assert answer == ["lake"]
    asked._iprot.trans.close()


def test_wrong_files_are_named(authority: Authority, stranger: Authority, tmp_path: Path) -> None:
    pair, other = authority.pair("server"), stranger.pair("other")
    missing, text = tmp_path / "missing.pem", tmp_path / "text.pem"
    text.write_text("no certificate")
    locked = authority.pair("locked", password=b"secret")
    for certificate, key, client_ca, said in (
        (missing, pair.key, None, "missing.pem: No such file"),
        (pair.certificate, missing, None, "missing.pem: No such file"),
        (pair.certificate, pair.key, missing, "missing.pem: No such file"),
        (pair.certificate, other.key, None, "other.key are not a certificate and its key"),
        (text, pair.key, None, "text.pem and .* are not a certificate and its key"),
        (pair.certificate, pair.key, text, "text.pem holds no certificate"),
        (locked.certificate, locked.key, None, "locked.key is encrypted"),
        (tmp_path, pair.key, None, "Is a directory"),
    ):
        with pytest.raises(UsageError, match=said):
            server_context(TlsFiles(certificate, key, client_ca))


def test_half_of_a_pair_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pem"
    assert tls_files(None, None, None) is None
    with pytest.raises(UsageError, match="--tls-key is missing"):
        tls_files(path, None, path)
    for key in (path, None):
        with pytest.raises(UsageError, match="--tls-cert is missing"):
            tls_files(None, key, path)


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "192.0.2.1", "nobody.invalid"])
def test_beyond_loopback_strangers_are_kept_out_unless_they_are_welcome(
    host: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.pem"
    known, unknown = TlsFiles(path, path, path), TlsFiles(path, path, None)
    check_address(host, known, allow_anyone=False)
    check_address(host, None, allow_anyone=True)
    with pytest.raises(UsageError, match="there is no TLS"):
        check_address(host, None, allow_anyone=False)
    with pytest.raises(UsageError, match="clients show no certificate"):
        check_address(host, unknown, allow_anyone=False)


def test_loopback_may_stay_plain() -> None:
    for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost"):
        assert is_loopback(host)
        check_address(host, None, allow_anyone=False)
