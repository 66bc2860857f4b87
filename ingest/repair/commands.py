"""`datacore repair`: objects that S3 lacks, again from Kafka."""

import time
from collections import Counter

import click
from kafka import KafkaAdminClient

from datacore.aws import s3_client
from datacore.errors import DifferenceFound
from datacore.settings import Settings, load_settings
from ingest import topics as kafka_topics
from ingest.audit.audit import Audit
from ingest.audit.commands import store_of
from ingest.audit.facts import Scope
from ingest.audit.look import look
from ingest.kafka_client import kafka_errors, kafka_settings
from ingest.land.bucket import Bucket
from ingest.land.source_kafka import KafkaSource
from ingest.log import set_up_logs
from ingest.register.open_catalog import open_catalog
from ingest.repair.repair import Means, Outcome, Repair


@click.command()
@click.option("--topic", help="Only what this topic landed.")
@click.option("--replace", is_flag=True, help="Remove an object that holds other lines than promised, and write the true one.")  # fmt: skip
@click.option("--quick", is_flag=True, help="Believe the checksum that an object notes of itself; do not read it.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would be done; write and remove nothing.")
def repair(topic: str | None, replace: bool, quick: bool, dry_run: bool) -> None:
    """Write lost objects again from Kafka.

    Restores what a manifest promises and S3 lacks, while Kafka still holds its records. An object
    that is there is never overwritten without --replace. Exit 1 if anything stays open.
    """
    set_up_logs()
    settings = load_settings()
    began = time.monotonic()
    store, catalog, scope = store_of(settings), open_catalog(settings), Scope(topic)
    audit = Audit(store, catalog, scope, quick, time.time)
    seen = look(store, catalog, scope)
    topics = Topics(settings)
    means = Means(
        bucket=Bucket(s3_client(settings), settings.bucket),
        source=topics.source,
        examine=store.examine,
        replace=replace,
        dry_run=dry_run,
    )
    counts: Counter[Outcome] = Counter()
    is_open = 0
    try:
        for action in Repair(seen, means).run(audit.judged(seen, audit.promises(seen))):
            click.echo(f"{action.outcome} {action.key}: {action.why}")
            counts[action.outcome] += 1
            is_open += action.is_open
    finally:
        topics.close()
    done = ", ".join(f"{outcome} {counts[outcome]}" for outcome in Outcome if counts[outcome])
    click.echo(f"{done or 'nothing to repair'} in {time.monotonic() - began:.1f} s")
    if is_open:
        raise DifferenceFound(
            f"{is_open} objects are not what was promised", "docs/audit.md says what can be done"
        )


class Topics:
    """Kafka, asked only for topics that have something to repair."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sources: dict[str, KafkaSource | None] = {}

    def source(self, topic: str) -> KafkaSource | None:
        """A source of the topic; None where Kafka has none."""
        if topic not in self._sources:
            with kafka_errors(self._settings):
                admin = KafkaAdminClient(**kafka_settings(self._settings))
                try:
                    found = kafka_topics.describe(admin, [topic])
                finally:
                    admin.close()
            self._sources[topic] = (
                KafkaSource(self._settings, [found[topic]], share=None) if found else None
            )
        return self._sources[topic]

    def close(self) -> None:
        """Close all connections."""
        for source in self._sources.values():
            if source is not None:
                source.close()
