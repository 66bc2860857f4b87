"""The command `datacore metastore`: settings and flags in, a running service, an exit code.

0 after SIGTERM or SIGINT, 2 for a port in use or missing credentials, 3 where Glue cannot be
reached at the start.
"""

import logging
import signal
import sys
from types import FrameType

import boto3
import click
import structlog
from hmsclient.genthrift.hive_metastore import ThriftHiveMetastore

from datacore.errors import ServiceUnreachable, UsageError
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
from metastore.wire.answers import Answers
from metastore.wire.server import Server

STOP_SECONDS = 10.0
"""How long calls under way may take to end after SIGTERM."""

log = structlog.get_logger("metastore")


def answers_of(catalog: Catalog, read_only: bool = False) -> Answers:
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
    )


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
@click.option("--verbose", is_flag=True, help="Log reads too.")
def metastore(
    host: str | None,
    port: int | None,
    cache_seconds: float,
    warehouse: str | None,
    read_only: bool,
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
    glue = _connect(settings)
    s3 = boto3.client("s3", endpoint_url=settings.aws_endpoint_url, region_name=settings.aws_region)
    catalog = Catalog(glue, Files(s3), warehouse or f"s3://{settings.lake_bucket}", cache_seconds)
    processor = ThriftHiveMetastore.Processor(answers_of(catalog, read_only))
    server = Server(processor, host, port)

    def stop(signum: int, frame: FrameType | None) -> None:
        server.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    address = server.address
    log.info("listening", host=address[0], port=address[1], glue=glue.endpoint, read_only=read_only)
    server.serve()
    if not server.wait(STOP_SECONDS):
        log.warning("stopped with calls under way", seconds=STOP_SECONDS)
    log.info("stopped")


def _connect(settings: Settings) -> Glue:
    glue = Glue.connect(settings.aws_endpoint_url, settings.aws_region)
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
