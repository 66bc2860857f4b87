"""The tables that Glue should hold: `raw` by the contracts, `platform` over the ledger.

Comes in: contracts and the bucket's name. Goes out: `Table`s as Glue's TableInput has them. Athena,
Trino and Spectrum read them by the SerDe named here, Spark by the datasource properties. Pure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from datacore.contracts import Contract
from ingest.land.objects import ROOT
from ingest.land.route import UNCLAIMED
from ingest.register.spark import CORRUPT, Column, datasource

RAW = "raw"
PLATFORM = "platform"
DATABASES = {
    RAW: "Log records as they came: one table a data type, by day and hour of the event.",
    PLATFORM: "The ledger: what landed when, which hours are whole, what was set aside.",
}

OPENX = "org.openx.data.jsonserde.JsonSerDe"
LAZY = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
TEXT_IN = "org.apache.hadoop.mapred.TextInputFormat"
TEXT_OUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"

COMMENT_CHARACTERS = 255
DESCRIPTION_CHARACTERS = 2048

LANDED = "struct<key:string,data_type:string,dt:string,hour:string,records:bigint,bytes:bigint,late:bigint,sha256:string>"
ASIDE = "struct<key:string,dt:string,hour:string,records:bigint,bytes:bigint,sha256:string>"
CUT = (
    ("kind", "string", "cut, lost, lost_objects, end or closed."),
    ("topic_id", "string", "Kafka's id of the topic, which changes when it is made again."),
    ("partition", "bigint", "Partition of the topic."),
    ("first", "bigint", "First offset of the range."),
    ("next", "bigint", "Offset after the range."),
    ("records", "bigint", "Records in the range."),
    ("rules", "string", "Hash of the routing rules."),
    ("lander", "string", "Process that made the cut."),
    ("written_at", "string", "When the cut was made, ISO 8601, UTC."),
    ("min_timestamp", "bigint", "Least Kafka timestamp, ms since 1970."),
    ("max_timestamp", "bigint", "Greatest Kafka timestamp, ms since 1970."),
    ("gaps", "array<array<bigint>>", "Ranges without a record: transaction markers and the like."),
    ("objects", f"array<{LANDED}>", "Raw objects of the cut."),
    ("quarantine", f"array<{ASIDE}>", "Quarantine objects of the cut."),
    (
        "reasons",
        "array<struct<reason:string,data_type:string,records:bigint>>",
        "Records set aside, by reason and data type.",
    ),
    (
        "producers",
        "array<struct<host:string,file:string,records:bigint,ranges:array<array<bigint>>>>",
        "Sequence numbers by producing file: runs [first, last], in order.",
    ),
    ("source_first", "string", "Kinesis: sequence number of the first record."),
    ("source_last", "string", "Kinesis: sequence number of the last record."),
    ("extent_unknown", "boolean", "Lost: nobody can tell how many records; it takes one offset."),
    ("generation", "bigint", "How often the topic had been made again, from 0."),
    ("format", "bigint", "Version of this format."),
)
HOUR = (
    ("sequence", "bigint", "Number of the entry in its topic's log."),
    ("written_at", "string", "When the entry was written, ISO 8601, UTC."),
    ("offsets", "map<string,bigint>", "Landing is complete below these, by partition."),
    ("watermarks", "map<string,bigint>", "Each partition has brought all up to this, ms."),
    (
        "hours",
        "array<struct<data_type:string,dt:string,hour:string,records:bigint,bytes:bigint,late:bigint,sealed:boolean>>",
        "Totals so far of each hour that changed.",
    ),
    ("generations", "map<string,bigint>", "Generation of the topic that an offset speaks of."),
    ("topic_ids", "map<string,string>", "That generation's id of the topic."),
    ("replays", "bigint", "Replays of the topic that the totals count."),
)
TAKEN = "struct<key:string,dt:string,hour:string,data_type:string,records:bigint,bytes:bigint,offsets:array<array<bigint>>>"
REPLAY = (
    ("sequence", "bigint", "Number of the replay in its topic's log."),
    ("rules", "string", "Hash of the routing rules."),
    ("writer", "string", "Process that replayed."),
    ("written_at", "string", "When, ISO 8601, UTC."),
    ("sources", f"array<{TAKEN}>", "Records taken; data_type is unclaimed, or null: quarantine."),
    ("objects", f"array<{LANDED}>", "Raw objects landed."),
    (
        "reasons",
        "array<struct<reason:string,data_type:string,records:bigint>>",
        "Why the records taken from quarantine had been set aside.",
    ),
    ("format", "bigint", "Version of this format."),
)
QUARANTINE = (
    ("partition", "bigint", "Partition of the topic."),
    ("offset", "bigint", "Offset of the record."),
    ("timestamp", "bigint", "Kafka's timestamp, ms since 1970."),
    ("headers", "array<array<string>>", "Names, and values in base64."),
    ("reason", "string", "Why it was set aside."),
    ("data_type", "string", "The contract that claims it, where known."),
    ("field", "string", "The field to blame."),
    ("found", "string", "That field's value, shortened."),
    ("value", "string", "The record's bytes in base64."),
)


@dataclass(frozen=True)
class Table:
    """A table of a database, as Glue's TableInput."""

    database: str
    input: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.input["Name"])


def raw_location(bucket: str, data_type: str) -> str:
    """The folder of a data type."""
    return f"s3://{bucket}/{ROOT}/{data_type}"


def hour_location(bucket: str, data_type: str, dt: str, hour: str) -> str:
    """The folder of an hour of a data type."""
    return f"{raw_location(bucket, data_type)}/{dt.replace('-', '/')}/{hour}"


def raw_table(contract: Contract, bucket: str) -> Table:
    """The raw table of a contract: its columns, by `dt` and `hour`."""
    columns = [(column.name, column.type, column.description) for column in contract.columns]
    return _json_table(
        RAW,
        contract.name,
        contract.description,
        raw_location(bucket, contract.name),
        columns,
        DT_HOUR,
        {"datacore.contract_version": contract.version},
        corrupt=True,
    )


def raw_tables(contracts: Iterable[Contract], bucket: str) -> list[Table]:
    """The raw tables of all contracts, and `unclaimed`."""
    return [*(raw_table(contract, bucket) for contract in contracts), unclaimed_table(bucket)]


def unclaimed_table(bucket: str) -> Table:
    """Records that no contract claims, each as one string: they share no columns."""
    columns = (("value", "string", "The record as it came: a JSON object."),)
    location = raw_location(bucket, UNCLAIMED)
    table = _table(
        RAW,
        UNCLAIMED,
        "Records that no contract claims, by the hour of their Kafka timestamp.",
        location,
        columns,
        DT_HOUR,
        datasource("text", columns, DT_HOUR),
    )
    # A JSON text holds no raw control character, so the line is never split.
    table.input["StorageDescriptor"]["SerdeInfo"] = {
        "SerializationLibrary": LAZY,
        "Parameters": {"field.delim": "\u0001", "path": location},
    }
    return table


DT_HOUR = (("dt", "date", "Day of the event, UTC."), ("hour", "string", "Hour of the event, 00 to 23, UTC."))  # fmt: skip
TOPIC = ("topic", "string", "Kafka topic.")


def platform_tables(bucket: str) -> list[Table]:
    """The ledger's tables over manifests, hour log and quarantine."""
    root = f"s3://{bucket}/{ROOT}"
    return [
        _json_table(
            PLATFORM, "cut", "The chain of manifests: one row per cut.", f"{root}/_cuts", CUT,
            (TOPIC, ("topic_partition", "int", "Partition of the topic.")),
        ),
        _json_table(
            PLATFORM, "hour", "The hour log: one row per entry.", f"{root}/_hours", HOUR,
            (TOPIC, ("block", "bigint", "Sequence div 1,000.")),
        ),
        _json_table(
            PLATFORM, "quarantine", "One row per record that was set aside.", f"{root}/_quarantine",
            QUARANTINE, (TOPIC, DT_HOUR[0], ("hour", "string", "Hour of Kafka's timestamp.")),
        ),
        _json_table(
            PLATFORM, "replay", "One row per replay of records that were set aside.",
            f"{root}/_replays", REPLAY, (TOPIC,),
        ),
    ]  # fmt: skip


Columns = Sequence[Column]


def _json_table(
    database: str,
    name: str,
    description: str,
    location: str,
    columns: Columns,
    partitions: Columns,
    parameters: dict[str, str] | None = None,
    corrupt: bool = False,
) -> Table:
    spark = [
        (name, kind, _one_line(comment, COMMENT_CHARACTERS)) for name, kind, comment in columns
    ]
    if corrupt:
        spark.append(CORRUPT)
    table = _table(
        database,
        name,
        description,
        location,
        columns,
        partitions,
        {**datasource("json", spark, partitions), **(parameters or {})},
    )
    serde = {"path": location, "ignore.malformed.json": "false"}
    if corrupt:
        serde |= {"columnNameOfCorruptRecord": CORRUPT[0], "mode": "PERMISSIVE"}
    table.input["StorageDescriptor"]["SerdeInfo"] = {
        "SerializationLibrary": OPENX,
        "Parameters": serde,
    }
    return table


def _table(
    database: str,
    name: str,
    description: str,
    location: str,
    columns: Columns,
    partitions: Columns,
    parameters: dict[str, str],
) -> Table:
    return Table(
        database,
        {
            "Name": name,
            "Description": _one_line(description, DESCRIPTION_CHARACTERS),
            "TableType": "EXTERNAL_TABLE",
            "PartitionKeys": [_column(*column) for column in partitions],
            "Parameters": {"EXTERNAL": "TRUE", "classification": "json", **parameters},
            "StorageDescriptor": {
                "Columns": [_column(*column) for column in columns],
                "Location": location,
                "InputFormat": TEXT_IN,
                "OutputFormat": TEXT_OUT,
            },
        },
    )


def _column(name: str, kind: str, comment: str) -> dict[str, str]:
    return {"Name": name.lower(), "Type": kind, "Comment": _one_line(comment, COMMENT_CHARACTERS)}


def _one_line(text: str, characters: int) -> str:
    """Glue refuses newlines and long texts."""
    return " ".join(text.split())[:characters]
