"""The contract as types: only what the platform acts on, in the field's own words."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Match:
    """Claims the records of a topic whose `field` (dotted path) is the string `value`."""

    field: str
    value: str


@dataclass(frozen=True)
class Column:
    """One field of the record, at the top level.

    `type` is the raw table's type in Hive's words (`string`, `bigint`, `array<string>`,
    `struct<a:bigint,b:string>`), as Glue stores it. `logical_type` is ODCS's (`timestamp`, …):
    a timestamp is `string` (ISO 8601) or `bigint` (epoch) in the raw table and is cast in staging.
    `time_unit` is `s`, `ms` or `us` for an epoch, else None.
    """

    name: str
    type: str
    logical_type: str
    required: bool
    description: str
    time_unit: str | None = None


@dataclass(frozen=True)
class Contract:
    """One data type: where its records come from, how they are routed, what they hold."""

    name: str
    """The data type: lower_snake, singular. Also S3 prefix, raw table and staging stem."""
    domain: str
    version: str
    topic: str
    match: Match | None
    """None: the contract claims every record of its topic that no other contract matches."""
    event_time: str | None
    """Dotted path of the event's time. None: records carry no time, so Kafka's timestamp of the
    record is the event's time (`eventTime: $kafka`)."""
    event_time_unit: str | None
    """`s`, `ms` or `us` where the event's time is an epoch; None where it is ISO 8601 text."""
    event_id: tuple[str, ...]
    """Dotted paths of the fields that identify an event; repeated ids are duplicates. A path that
    is not a column's name leads into that column's struct."""
    columns: tuple[Column, ...]
    description: str
    owner: str
    file: Path
    """Where the contract was read from; only its name is part of the canonical form."""
