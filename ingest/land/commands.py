"""`datacore land`: Kafka's topics, or Kinesis's streams, onto S3 by type and hour, and into Glue."""

import gc
import os
import socket
import time
from pathlib import Path

import click
import structlog
from kafka import KafkaAdminClient

from datacore.aws import kinesis_client, s3_client
from datacore.contracts import load_contracts
from datacore.errors import UsageError
from datacore.metrics import metrics_options
from datacore.settings import SOURCES, Settings, load_settings
from ingest import topics as kafka_topics
from ingest.kafka_client import kafka_errors, kafka_settings
from ingest.land.bucket import Bucket
from ingest.land.kinesis_choice import idle_log_seconds, kinesis_source, read_share, reads_kinesis
from ingest.land.lander import MIB, CutPolicy, Lander
from ingest.land.lane import LanderIdentity
from ingest.land.rules import Limits, Rules, rules_of
from ingest.land.source import Source
from ingest.land.source_kafka import kafka_source
from ingest.land.source_kinesis import Share
from ingest.land.source_topics import Rebalance
from ingest.meter_aws import metered
from ingest.meter_server import measured
from ingest.register.open_catalog import open_catalog
from ingest.register.registrar import Registrar
from ingest.signals import stop_on_signals

log = structlog.get_logger()


@click.command()
@click.option(
    "--contracts",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory of the contracts. [default: DATACORE_CONTRACTS or contracts/]",
)
@click.option("--topic", "topics", multiple=True, help="Land this topic only; may be repeated.")
@click.option("--source", "chosen", type=click.Choice(SOURCES),
              help="Where to read. A topic's stream has its name. [default: DATACORE_SOURCE or kafka]")  # fmt: skip
@click.option("--shards", "share", callback=lambda _context, _parameter, value: read_share(value),
              help="Kinesis: of N landers read as the I-th, written I/N. [default: all shards]")  # fmt: skip
@click.option(
    "--until-caught-up",
    is_flag=True,
    help="Stop when all that the source held at the start is on S3, and seal what can be sealed.",
)
@click.option("--cut-seconds", type=click.FloatRange(min=0.1), default=60.0, show_default=True,
              help="Longest time that a record waits for its cut.")  # fmt: skip
@click.option("--cut-mib", type=click.FloatRange(min=0.01), default=128.0, show_default=True,
              help="Uncompressed size of a partition's cut.")  # fmt: skip
@click.option("--budget-mib", type=click.IntRange(min=1), default=256, show_default=True,
              help="Memory for everything that waits for its cut.")  # fmt: skip
@click.option("--grace-minutes", type=click.FloatRange(min=0), default=10.0, show_default=True,
              help="How long after its end an hour waits before it is sealed.")  # fmt: skip
@click.option("--stop-seconds", type=click.FloatRange(min=0), default=30.0, show_default=True,
              help="How long SIGTERM may take to land what is held; then exit 3, and nothing is lost.")  # fmt: skip
@click.option("--rebalance", type=click.Choice(["cooperative", "eager"]), default="cooperative", show_default=True,
              help="How landers hand partitions over; the same for all of them.")  # fmt: skip
@click.option("--allow-unencrypted", is_flag=True,
              help="Write to a bucket that has no default encryption.")  # fmt: skip
@metrics_options
def land(
    contracts: Path | None,
    topics: tuple[str, ...],
    chosen: str | None,
    share: Share | None,
    until_caught_up: bool,
    cut_seconds: float,
    cut_mib: float,
    budget_mib: int,
    grace_minutes: float,
    stop_seconds: float,
    rebalance: str,
    allow_unencrypted: bool,
    metrics_host: str,
    metrics_port: int | None,
) -> None:
    """Land Kafka's topics, or Kinesis's streams, on S3 by type and hour, and register them in Glue.

    Without --until-caught-up it runs until SIGTERM, and several of them share the partitions.
    """
    stop = stop_on_signals(stop_seconds)
    kinesis = reads_kinesis(chosen or load_settings().source, share, until_caught_up)
    policy = CutPolicy(
        bytes=int(cut_mib * MIB), seconds=cut_seconds, budget=budget_mib * MIB,
        log_seconds=cut_seconds, idle_log_seconds=idle_log_seconds(share) if kinesis else None,
    )  # fmt: skip
    limits = Limits(grace_ms=int(grace_minutes * 60_000))
    with measured(metrics_host, metrics_port) as meter:
        settings = load_settings()
        loaded = load_contracts(contracts or settings.contracts)
        rules = rules_of(loaded, limits)
        bucket = Bucket(metered(s3_client(settings), meter), settings.bucket)
        bucket.check(allow_unencrypted)
        source: Source
        if kinesis:
            client = metered(kinesis_client(settings), meter)
            source = kinesis_source(client, rules, topics, bucket, share)
        else:
            members = None if until_caught_up else Rebalance[rebalance.upper()]
            source = kafka_source(settings, find_topics(settings, rules, topics), members)
        catalog = open_catalog(settings, meter)
        registrar = Registrar(catalog, loaded, bucket.name)
        registrar.tables()
        _spare_the_collector()
        lander = Lander(source, bucket, rules, registrar, this_lander(), policy, meter)
        try:
            (lander.run_until_caught_up if until_caught_up else lander.run)(stop)
        finally:
            source.close()
    click.echo(lander.summary.line(time.time() - lander.summary.started_at))


def _spare_the_collector() -> None:
    """Records make no cycles: let the garbage collector look less often, and not at what imports
    made. Its looks would cost a fifth of a small record.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def this_lander() -> LanderIdentity:
    """A name that no other process has or had."""
    return LanderIdentity(f"{socket.gethostname()}:{os.getpid()}:{time.time_ns()}", time.time)


def find_topics(
    settings: Settings, rules: Rules, asked: tuple[str, ...]
) -> list[kafka_topics.Topic]:
    """The topics to land: those asked for, all of which must exist, or those of the contracts."""
    wanted = asked or rules.topics()
    with kafka_errors(settings):
        admin = KafkaAdminClient(**kafka_settings(settings))
        try:
            found = kafka_topics.describe(admin, wanted)
        finally:
            admin.close()
    for name in wanted:
        if name not in found:
            if asked:
                raise kafka_topics.missing_topic(name)
            log.warning("topic_missing", topic=name)
    if not found:
        raise UsageError(
            f"none of the contracts' topics exists: {', '.join(wanted)}",
            "make them, or check DATACORE_KAFKA",
        )
    return [found[name] for name in sorted(found)]
