"""Puts the platform together: the site with its variables, and the parts that stand on it.

Comes in: a state directory and ports. Goes out: a `Site` and its `Part`s in the order of their
needs. Starts nothing.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from datacore.errors import UsageError, shorten
from datacore.settings import load_settings
from sandbox.jars.fetch import Cache, cache_directory
from sandbox.jars.lock import read_lock
from sandbox.java import find_java
from sandbox.part import Part, Site
from sandbox.parts import kafka_secure
from sandbox.parts.aws import aws_part
from sandbox.parts.kafka import kafka_part
from sandbox.parts.metastore import metastore_part
from sandbox.parts.redshift import redshift_part
from sandbox.parts.thrift import thrift_part
from sandbox.ports import HOST
from sandbox.state import State

LOOPBACK_ONLY = "sandbox"
"""Key and password of services that listen on loopback and hold nothing of worth."""


def make_site(state: State, ports: Mapping[str, int]) -> Site:
    """The site with every variable that its env file holds."""

    def address(name: str) -> str:
        return f"{HOST}:{ports[name]}"

    variables = {
        "DATACORE_SANDBOX_DIR": str(state.directory),
        "AWS_ENDPOINT_URL": f"http://{address('aws')}",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": LOOPBACK_ONLY,
        "AWS_SECRET_ACCESS_KEY": LOOPBACK_ONLY,
        "DATACORE_BUCKET": "datacore-logs",
        "DATACORE_LAKE_BUCKET": "datacore-lake",
        "DATACORE_KAFKA": address("kafka"),
        "DATACORE_METASTORE": address("metastore"),
        "DATACORE_THRIFT": address("thrift"),
        "DATACORE_REDSHIFT": address("redshift"),
        "DATACORE_REDSHIFT_DATABASE": "warehouse",
        "DATACORE_REDSHIFT_USER": "datacore",
        "DATACORE_REDSHIFT_PASSWORD": LOOPBACK_ONLY,
    }
    if kafka_secure.PORT in ports:
        home = state.home("kafka")
        variables |= kafka_secure.secure_variables(address(kafka_secure.PORT), home, LOOPBACK_ONLY)
    return Site(state, ports, variables)


def make_parts(site: Site, topics: tuple[str, ...] = ()) -> tuple[Part, ...]:
    """Every part of the platform, each after those that it needs; `topics` are made in Kafka."""
    java = find_java()
    return (
        kafka_part(site, java, jar_paths("kafka"), topics),
        aws_part(site),
        metastore_part(site),
        thrift_part(site, java, jar_paths("s3a")),
        redshift_part(site),
    )


def parts_needed(parts: Iterable[Part], names: Iterable[str]) -> tuple[Part, ...]:
    """The parts of those names and what they need, in order; all where there are no names.

    Raises UsageError for a name that no part has.
    """
    found = {part.name: part for part in parts}
    wanted: set[str] = set()
    waiting = list(names) or list(found)
    while waiting:
        name = waiting.pop()
        if name not in found:
            raise UsageError(f"no part {shorten(name)!r}", f"one of: {', '.join(found)}")
        wanted.add(name)
        waiting += found[name].needs
    return tuple(part for part in found.values() if part.name in wanted)


def jar_paths(use: str) -> tuple[Path, ...]:
    """Where the locked jars of one use are in the cache."""
    cache = Cache(cache_directory())
    return tuple(cache.path(jar) for jar in read_lock() if jar.use == use)


def contract_topics() -> tuple[str, ...]:
    """The topics that the contracts name; none where there are no contracts."""
    directory = load_settings().contracts
    if not directory.is_dir():
        return ()
    from datacore.contracts import load_contracts

    return tuple(sorted({contract.topic for contract in load_contracts(directory)}))
