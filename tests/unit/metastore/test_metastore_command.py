"""`datacore metastore` as a process: what it says, and how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hmsclient.genthrift.hive_metastore import ThriftHiveMetastore
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.transport.TSocket import TSocket
from thrift.transport.TSSLSocket import TSSLSocket
from thrift.transport.TTransport import TBufferedTransport

from tests.certificates import Authority


class EmptyCatalog(BaseHTTPRequestHandler):
    """Glue with one database, as far as the start needs it."""

    def do_POST(self) -> None:
        body = json.dumps({"DatabaseList": [{"Name": "lake"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), EmptyCatalog)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def command(endpoint: str, tmp_path: Path, *arguments: str, **variables: str) -> Any:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "DATACORE_"))
    }
    return subprocess.Popen(
        [sys.executable, "-m", "datacore", "metastore", "--port", "0", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env={
            **environment,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_EC2_METADATA_DISABLED": "true",
            "DATACORE_SANDBOX_DIR": str(tmp_path),
            **variables,
        },
    )


def test_serves_until_sigterm_and_ends_with_0(endpoint: str, tmp_path: Path) -> None:
    with command(endpoint, tmp_path) as process:
        started = json.loads(process.stderr.readline())
        assert (started["event"], started["host"]) == ("listening", "127.0.0.1")
        transport = TBufferedTransport(TSocket("127.0.0.1", started["port"]))
        transport.open()
        client = ThriftHiveMetastore.Client(TBinaryProtocol(transport))
        assert client.get_all_databases() == ["lake"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert json.loads(process.stderr.readlines()[-1])["event"] == "stopped"


def test_port_in_use_exits_2_and_names_it(endpoint: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = command(endpoint, tmp_path, "--port", str(port))
        _, said = process.communicate(timeout=30)
    assert process.returncode == 2
    assert f"127.0.0.1:{port}: the port is in use" in said
    assert "Traceback" not in said


def test_unreachable_glue_exits_3_and_names_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        endpoint = f"http://127.0.0.1:{gone.getsockname()[1]}"
    process = command(endpoint, tmp_path)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 3
    assert endpoint in said
    assert "Traceback" not in said


def test_missing_credentials_exit_2(endpoint: str, tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    process = command(endpoint, tmp_path, **home)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "AWS_ACCESS_KEY_ID" in said
    assert "Traceback" not in said


def test_tls_and_metrics_are_served_as_asked(endpoint: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    pair, spark = authority.pair("server"), authority.pair("spark")
    with command(
        endpoint, tmp_path, "--metrics-port", "0", "--host", "0.0.0.0",
        "--tls-cert", str(pair.certificate), "--tls-key", str(pair.key),
        "--tls-client-ca", str(authority.certificate),
    ) as process:  # fmt: skip
        served = json.loads(process.stderr.readline())
        started = json.loads(process.stderr.readline())
        assert (served["event"], served["host"]) == ("metrics_served", "127.0.0.1")
        assert (started["event"], started["tls"]) == ("listening", "client certificates")
        transport = TBufferedTransport(
            TSSLSocket(
                "127.0.0.1",
                started["port"],
                ca_certs=str(authority.certificate),
                certfile=str(spark.certificate),
                keyfile=str(spark.key),
            )
        )
        transport.open()
        client = ThriftHiveMetastore.Client(TBinaryProtocol(transport))
        assert client.get_all_databases() == ["lake"]
        for path, said in (
            ("metrics", 'datacore_metastore_connections_total{outcome="tls"} 1.0'),
            ("metrics", 'calls_total{call="get_all_databases",outcome="ok"} 1.0'),
            ("healthz", '"well": true'),
        ):
            url = f"http://127.0.0.1:{served['port']}/{path}"
            with urllib.request.urlopen(url, timeout=10) as answer:
                assert said in answer.read().decode()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--host", "0.0.0.0"), "0.0.0.0 is not loopback and there is no TLS"),
        (("--tls-cert", "/nowhere/a.pem"), "--tls-key is missing"),
        (
            ("--tls-cert", "/nowhere/a.pem", "--tls-key", "/nowhere/b.pem"),
            "/nowhere/a.pem: No such file",
        ),
    ],
)
def test_unsafe_or_wrong_tls_exits_2_and_says_why(
    arguments: tuple[str, ...], said: str, endpoint: str, tmp_path: Path
) -> None:
    process = command(endpoint, tmp_path, *arguments)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 2
    assert said in told
    assert "Traceback" not in told


def test_anyone_may_be_let_in(endpoint: str, tmp_path: Path) -> None:
    with command(endpoint, tmp_path, "--host", "0.0.0.0", "--allow-anyone") as process:
        started = json.loads(process.stderr.readline())
        assert (started["host"], started["tls"]) == ("0.0.0.0", "off")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_metrics_port_in_use_exits_2(endpoint: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = command(endpoint, tmp_path, "--metrics-port", str(port))
        _, told = process.communicate(timeout=30)
    assert process.returncode == 2
    assert f"metrics cannot be served on 127.0.0.1:{port}" in told
    assert "Traceback" not in told
