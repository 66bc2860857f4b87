"""A real Hive Metastore 3.1 on Derby, for as long as a block runs. `python hive_metastore.py lock` writes jars.lock anew."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection
from xml.sax.saxutils import escape

from rich.console import Console

from sandbox.jars.own import OwnJars
from sandbox.java import find_java
from sandbox.parts.thrift import OPENED
from sandbox.ports import HOST
from tests.service import running

JARS = OwnJars(Path(__file__).resolve().parent)
PACKAGE = "org.apache.hadoop.hive.metastore"
PATIENCE = 120
"""Seconds until it listens."""


def site(folder: Path, variables: Mapping[str, str]) -> str:
    """The text of its metastore-site.xml; S3 is where `variables` say."""
    settings = {
        "metastore.warehouse.dir": f"s3://{variables['DATACORE_LAKE_BUCKET']}/warehouse",
        "javax.jdo.option.ConnectionURL": f"jdbc:derby:{folder}/catalog;create=true",
        "datanucleus.schema.autoCreateAll": "true",
        "metastore.schema.verification": "false",
        "metastore.thrift.bind.host": HOST,
        # the defaults are classes of Hive's query engine
        "metastore.expression.proxy": f"{PACKAGE}.DefaultPartitionExpressionProxy",
        "metastore.task.threads.always": f"{PACKAGE}.events.EventCleanerTask",
        # a contract may change a column's type, and Spark reads by its own schema
        "metastore.disallow.incompatible.col.type.changes": "false",
        "fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "fs.s3a.endpoint": variables["AWS_ENDPOINT_URL"],
        "fs.s3a.endpoint.region": variables["AWS_REGION"],
        "fs.s3a.path.style.access": "true",
        "fs.s3a.access.key": variables["AWS_ACCESS_KEY_ID"],
        "fs.s3a.secret.key": variables["AWS_SECRET_ACCESS_KEY"],
        "hadoop.tmp.dir": str(folder),
    }
    rows = "".join(
        f"<property><name>{escape(name)}</name><value>{escape(value)}</value></property>\n"
        for name, value in settings.items()
    )
    return f"<configuration>\n{rows}</configuration>\n"


@contextmanager
def hive_metastore(folder: Path, port: int, variables: Mapping[str, str]) -> Iterator[None]:
    """It listens on loopback. That it does not start is an error."""
    for name in ("metastore-site.xml", "core-site.xml"):
        (folder / name).write_text(site(folder, variables))
    class_path = [str(folder), *map(str, JARS.fetch(Console(stderr=True)))]
    command = [
        *(str(find_java()), "-Xmx512m", "-Duser.timezone=UTC"),
        *(f"--add-opens={package}=ALL-UNNAMED" for package in OPENED),
        *("-cp", ":".join(class_path)),
        *(f"{PACKAGE}.HiveMetaStore", "-p", str(port)),
    ]
    with running("the Hive metastore", command, folder, lambda: listens(port), PATIENCE):
        yield


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    try:
        create_connection((HOST, port), 1).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    if sys.argv[1:] != ["lock"]:
        sys.exit("usage: hive_metastore.py lock")
    JARS.lock()
