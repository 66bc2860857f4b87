"""The command `datacore metastore`: settings and flags in, a running service, an exit code.

0 after SIGTERM or SIGINT, 2 for a port in use, bad TLS files, an address that is open to anyone or
missing credentials, 3 where Glue cannot be
reached at the start.
"""

import logging
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import boto3
import click
import structlog
from hmsclient.genthrift.hive_metastore import ThriftHiveMetastore

from datacore.errors import ServiceUnreachable, UsageError
from datacore.metrics import metrics_options, serving
from datacore.settings import Settings, load_settings
from metastore.calls.altering import AlterCalls
from metastore.calls.catalog import Catalog
from metastore.calls.databases import DatabaseCalls
from metastore.calls.functions import FunctionCalls
from metastore.calls.reading_partitions import PartitionReadCalls
from metastore.calls.session import SessionCalls
from metastore.calls.tables import TableCalls
from metastore.calls.writing_partitions import PartitionWriteCalls
from metastore.files import Files
from metastore.glue import Glue, GlueError, Refused
from metastore.meter import Meter, probing
from metastore.wire.answers import Answers
from metastore.wire.server import Server
from metastore.wire.tls import TlsFiles, check_address, server_context, tls_files

STOP_SECONDS = 10.0
"""How long calls under way may take to end after SIGTERM."""

log = structlog.get_logger("metastore")

Command = TypeVar("Command", bound=Callable[..., Any])


def answers_of(catalog: Catalog, read_only: bool = False, meter: Meter | None = None) -> Answers:
    """All calls on one catalog."""
    tables = TableCalls(catalog)
    return Answers(
        [
            SessionCalls(catalog),
            DatabaseCalls(catalog, tables),
            tables,
            AlterCalls(catalog),
            PartitionReadCalls(catalog),
            PartitionWriteCalls(catalog),
            FunctionCalls(catalog),
        ],
        read_only,
        meter,
    )


def _file(flag: str, text: str) -> Callable[[Command], Command]:
    return click.option(flag, type=click.Path(path_type=Path), help=text)


@click.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 finds a free one.  [default: 9083]",
)
@click.option(
    "--cache-seconds",
    type=click.FloatRange(0, 300),
    default=2.0,
    show_default=True,
    help="How long others' writes may go unseen; one's own are seen at once.",
)
@click.option(
    "--warehouse",
    help="Where databases lie that name no location.  [default: s3://DATACORE_LAKE_BUCKET]",
)
@click.option("--read-only", is_flag=True, help="Refuse every call that writes.")
@_file("--tls-cert", "The server's certificate (PEM); clients must then speak TLS.")
@_file("--tls-key", "The key of --tls-cert (PEM, without a password).")
@_file("--tls-client-ca", "Who signs clients' certificates (PEM); others are not let in.")
@click.option(
    "--allow-anyone",
    is_flag=True,
    help="Listen beyond loopback though clients show no certificate.",
)
@metrics_options
@click.option("--verbose", is_flag=True, help="Log reads too.")
def metastore(
    host: str | None,
    port: int | None,
    cache_seconds: float,
    warehouse: str | None,
    read_only: bool,
    tls_cert: Path | None,
    tls_key: Path | None,
    tls_client_ca: Path | None,
    allow_anyone: bool,
    metrics_port: int | None,
    metrics_host: str,
    verbose: bool,
) -> None:
    """Serve the Hive Metastore protocol from Glue.

    Point Spark at it with spark.hadoop.hive.metastore.uris=thrift://HOST:PORT. Without flags it
    listens on DATACORE_METASTORE. Logs are JSON lines on stderr. SIGTERM ends it.
    """
    _configure_logs(verbose)
    settings = load_settings()
    host = host or settings.metastore.host
    port = settings.metastore.port if port is None else port
    files = tls_files(tls_cert, tls_key, tls_client_ca)
    check_address(host, files, allow_anyone)
    tls = server_context(files) if files else None
    meter = Meter()
    glue = _connect(settings, meter)
    s3 = boto3.client("s3", endpoint_url=settings.aws_endpoint_url, region_name=settings.aws_region)
    catalog = Catalog(
        glue, Files(s3), warehouse or f"s3://{settings.lake_bucket}", cache_seconds, meter
    )
    processor = ThriftHiveMetastore.Processor(answers_of(catalog, read_only, meter))
    server = Server(processor, host, port, tls, meter)

    def stop(signum: int, frame: FrameType | None) -> None:
        server.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    with _observed(meter, glue, metrics_host, metrics_port):
        log.info(
            "listening",
            host=server.address[0],
            port=server.address[1],
            glue=glue.endpoint,
            read_only=read_only,
            tls=_tls_word(files),
        )
        server.serve()
    if not server.wait(STOP_SECONDS):
        log.warning("stopped with calls under way", seconds=STOP_SECONDS)
    log.info("stopped")


def _tls_word(files: TlsFiles | None) -> str:
    if files is None:
        return "off"
    return "client certificates" if files.client_ca else "server certificate only"


@contextmanager
def _observed(meter: Meter, glue: Glue, host: str, port: int | None) -> Iterator[None]:
    """While the block runs: the meter served, and Glue asked now and then; not without a port."""
    if port is None:
        yield
        return
    with serving(meter, host, port), probing(meter, glue.probe):
        yield


def _connect(settings: Settings, meter: Meter) -> Glue:
    glue = Glue.connect(settings.aws_endpoint_url, settings.aws_region, meter)
    try:
        glue.check()
    except Refused as error:
        raise UsageError(
            str(error), "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
        ) from error
    except GlueError as error:
        raise ServiceUnreachable(
            str(error), "is AWS_ENDPOINT_URL right? `datacore sandbox status` says what runs"
        ) from error
    return glue


def _configure_logs(verbose: bool) -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.DEBUG if verbose else logging.INFO
        ),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
