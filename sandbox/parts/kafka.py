"""The part `kafka`: one broker that is its own controller (KRaft), with transactions.

Comes in: a site, Java, the class path. Goes out: the `Part`; also topics, on request, and a listener
with TLS and SCRAM where the site has a port for it. Topics are never made by using them.
"""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from datacore.errors import ServiceUnreachable, UsageError
from sandbox.part import Part, Site
from sandbox.parts import kafka_secure
from sandbox.ports import HOST

if TYPE_CHECKING:
    from kafka import KafkaAdminClient

CLUSTER_ID = "datacore-sandbox-00001"
"""22 characters, as Kafka's own ids (16 bytes in base64) have."""

LARGEST_MESSAGE = 32 * 1024 * 1024
"""Bytes. A line of 20 MB passes."""

PARTITIONS = 2
"""Of a topic, where nobody says otherwise. Each makes an object an hour and type, and objects cost."""


def kafka_part(site: Site, java: Path, jars: Iterable[Path], topics: Iterable[str]) -> Part:
    """The broker, with `topics` made once it answers."""
    home = site.state.home("kafka")
    properties = home / "server.properties"
    program = (
        str(java),
        "-Xms128m",
        "-Xmx512m",
        "-XX:+UseSerialGC",
        # the broker copies bytes; compiling less saves a third of its start
        "-XX:TieredStopAtLevel=1",
        "-Duser.timezone=UTC",
        f"-Djava.io.tmpdir={home}",
        f"-Dlog4j2.configurationFile={home / 'log4j2.properties'}",
        "-cp",
        ":".join(str(jar) for jar in jars),
    )
    return Part(
        name="kafka",
        title="Kafka (KRaft, one broker)",
        port=site.ports["kafka"],
        before=(
            (
                *program,
                "kafka.tools.StorageTool",
                "format",
                "-t",
                CLUSTER_ID,
                "-c",
                str(properties),
            ),
        ),
        command=(*program, "kafka.Kafka", str(properties)),
        files={
            properties: broker_properties(site, home / "data"),
            home / "log4j2.properties": LOGGING,
            **(kafka_secure.secure_files(home) if kafka_secure.PORT in site.ports else {}),
        },
        ask=lambda: _brokers(site.address("kafka")),
        furnish=lambda: _furnish(site, topics),
    )


def _furnish(site: Site, topics: Iterable[str]) -> None:
    broker = site.address("kafka")
    create_topics(broker, topics, PARTITIONS)
    if kafka_secure.PORT in site.ports:
        admin = _admin(broker)
        try:
            password = site.variables["DATACORE_SANDBOX_KAFKA_SECURE_PASSWORD"]
            kafka_secure.make_user(admin, password)
        finally:
            admin.close()


def broker_properties(site: Site, data: Path) -> str:
    """The text of server.properties."""
    secure = kafka_secure.PORT in site.ports
    advertised = f"PLAINTEXT://{site.address('kafka')}"
    protocols = "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"
    if secure:
        advertised += f",{kafka_secure.LISTENER}://{site.address(kafka_secure.PORT)}"
        protocols += f",{kafka_secure.LISTENER}:SASL_SSL"
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{site.address('controller')}",
        "listeners": f"{advertised},CONTROLLER://{site.address('controller')}",
        "advertised.listeners": advertised,
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": protocols,
        "host.name": HOST,
        "log.dirs": str(data),
        "auto.create.topics.enable": "false",
        "num.partitions": str(PARTITIONS),
        "default.replication.factor": "1",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "group.initial.rebalance.delay.ms": "0",
        "message.max.bytes": str(LARGEST_MESSAGE),
        "replica.fetch.max.bytes": str(LARGEST_MESSAGE),
        "socket.request.max.bytes": str(4 * LARGEST_MESSAGE),
        "num.network.threads": "2",
        "num.io.threads": "4",
        "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
        **(kafka_secure.secure_properties(data.parent) if secure else {}),
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


LOGGING = """\
status = warn
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %p %c{1}: %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
"""


def create_topics(broker: str, names: Iterable[str], partitions: int) -> tuple[str, ...]:
    """Make the topics that are not there yet; the names of those made.

    Raises UsageError if one is there with another number of partitions, or has a name that Kafka
    refuses; ServiceUnreachable if the broker does not answer.
    """
    from kafka.errors import KafkaError

    wanted = tuple(dict.fromkeys(names))
    if not wanted:
        return ()
    admin = None
    try:
        admin = _admin(broker)
        there = {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics()}
        for name in wanted:
            if there.get(name, partitions) != partitions:
                raise UsageError(
                    f"topic {name} is there already, with {there[name]} partitions",
                    "use it as it is, or choose another name",
                )
        new = tuple(name for name in wanted if name not in there)
        if new:
            sizes = {"num_partitions": partitions, "replication_factor": 1}
            admin.create_topics(dict.fromkeys(new, sizes), wait_for_metadata=True)
    except KafkaError as error:
        if getattr(error, "errno", 0) in _REFUSALS:
            raise UsageError(f"topic: {error}", "letters, digits, '.', '_' and '-' only") from error
        raise ServiceUnreachable(
            f"Kafka at {broker} did not answer: {error}", "see `datacore sandbox status`"
        ) from error
    finally:
        if admin is not None:
            admin.close()
    return new


_REFUSALS = frozenset({17, 37})
"""INVALID_TOPIC_EXCEPTION and INVALID_PARTITIONS in Kafka's protocol."""


def _brokers(broker: str) -> object:
    admin = _admin(broker)
    try:
        return admin.describe_cluster()
    finally:
        admin.close()


def _admin(broker: str) -> "KafkaAdminClient":
    from kafka import KafkaAdminClient

    # while the broker starts, its refusals are expected and ours to report
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    return KafkaAdminClient(
        bootstrap_servers=broker, request_timeout_ms=5_000, bootstrap_timeout_ms=2_000
    )
