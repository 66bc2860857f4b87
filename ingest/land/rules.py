"""Routing rules: the part of the contracts, and the limits, that decide where a record lands.

Comes in: contracts. Goes out: frozen `Rules` with a canonical JSON form and its hash, under which
they are kept on S3, so that a cut can be finished by the rules that it was begun with. An object's
bytes are a function of its offsets and these rules; so nothing else, no clock and no setting, may
decide where a record goes.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import msgspec

from datacore.contracts import Contract

FORMAT = 2
"""Raised when the router's meaning changes, so that the hash changes with it."""


@dataclass(frozen=True)
class Rule:
    """One contract's claim on the records of a topic.

    `match_field` None claims every record of the topic that no other rule claims.
    """

    data_type: str
    topic: str
    match_field: str | None
    match_value: str | None
    event_time: str | None
    """Dotted path. None: records carry no time, Kafka's timestamp is taken."""
    time_unit: str | None
    """s, ms or us for an epoch; None where the contract does not say."""


@dataclass(frozen=True)
class Limits:
    """Bounds on a record, the same for all topics."""

    future_ms: int = 3_600_000
    """How far an event may lie after its Kafka timestamp."""
    grace_ms: int = 600_000
    """How long after its end an hour waits for stragglers; later ones count as late."""
    line_bytes: int = 16 * 1024 * 1024
    depth: int = 500
    """Levels of nesting; Spark's reader stops at 1,000."""


@dataclass(frozen=True)
class Rules:
    """Everything that routing depends on."""

    claims: tuple[Rule, ...]
    limits: Limits = Limits()
    format: int = FORMAT

    @cached_property
    def document(self) -> bytes:
        """Canonical JSON: what `_contracts/<hash>.json` holds."""
        return msgspec.json.encode(
            {"format": self.format, "limits": self.limits, "claims": self.claims}, order="sorted"
        )

    @cached_property
    def hash(self) -> str:
        """The first 32 hex digits of the document's sha256."""
        return hash_of(self.document)

    def topics(self) -> tuple[str, ...]:
        """The topics that the rules name, sorted."""
        return tuple(sorted({rule.topic for rule in self.claims}))


def hash_of(document: bytes) -> str:
    """The hash that names a document of rules."""
    return hashlib.sha256(document).hexdigest()[:32]


def rules_of(contracts: Iterable[Contract], limits: Limits | None = None) -> Rules:
    """The routing part of `contracts`, in an order that does not depend on theirs."""
    claims = [
        Rule(
            data_type=contract.name,
            topic=contract.topic,
            match_field=contract.match.field if contract.match else None,
            match_value=contract.match.value if contract.match else None,
            event_time=contract.event_time,
            time_unit=contract.event_time_unit,
        )
        for contract in contracts
    ]
    return Rules(
        claims=tuple(sorted(claims, key=lambda rule: (rule.topic, rule.data_type))),
        limits=limits or Limits(),
    )


def read_rules(document: bytes) -> Rules:
    """`Rules.document` back to Rules. Raises msgspec.DecodeError where it was edited by hand."""
    return msgspec.json.decode(document, type=Rules)
