"""dbt's sources from contracts: the raw tables with their columns, types and meaning.

Comes in: contracts. Goes out: the YAML text of one source, `raw`, whose `config.meta` says all that
the staging macros build from: types, what is required, what identifies an event, when it happened.
Nothing here writes files.
"""

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

import yaml

from datacore.contracts.model import Column, Contract

HEADER = (
    "# Made from the contracts by `datacore type sources`. Change a contract and run it again.\n"
)

PARTITIONS = (
    ("dt", "date", "UTC date of the event's time; partition."),
    ("hour", "string", "UTC hour of the event's time, 00 to 23; partition."),
)
CORRUPT_RECORD = (
    "_corrupt_record",
    "string",
    "On Spark, the whole line where a value does not fit its type; else null.",
)


def dbt_sources(contracts: Iterable[Contract]) -> str:
    """The text of `_sources.yml`: one source `raw`, a table a data type, sorted by name.

    A table's `config.meta` has contract, version, owner, domain, topic, event_id (list of dotted
    paths), event_time (dotted path, or null for Kafka's timestamp) and event_time_unit (iso8601, s,
    ms or us). A column's has logical_type, required and event_id, and for a timestamp time_unit.
    """
    ordered = sorted(contracts, key=attrgetter("name"))
    document = {
        "version": 2,
        "sources": [
            {
                "name": "raw",
                "description": "Raw JSON lines on S3, by data type and hour, as they came.",
                "schema": "raw",
                "tables": [_table(contract) for contract in ordered],
            }
        ],
    }
    body = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
    return HEADER + body


def _table(contract: Contract) -> dict[str, Any]:
    columns = [_column(column, contract.event_id) for column in contract.columns]
    columns += [
        {"name": name, "data_type": hive_type, "description": text}
        for name, hive_type, text in (CORRUPT_RECORD, *PARTITIONS)
    ]
    return {
        "name": contract.name,
        "description": contract.description,
        "config": {
            "meta": {
                "contract": contract.file.name,
                "version": contract.version,
                "owner": contract.owner,
                "domain": contract.domain,
                "topic": contract.topic,
                "event_id": list(contract.event_id),
                "event_time": contract.event_time,
                "event_time_unit": _unit(contract.event_time_unit),
            }
        },
        "columns": columns,
    }


def _column(column: Column, event_id: tuple[str, ...]) -> dict[str, Any]:
    meta: dict[str, Any] = {
        "logical_type": column.logical_type,
        "required": column.required,
        "event_id": column.name in event_id,
    }
    if column.logical_type == "timestamp":
        meta["time_unit"] = _unit(column.time_unit)
    return {
        "name": column.name,
        "data_type": column.type,
        "description": column.description,
        "config": {"meta": meta},
    }


def _unit(time_unit: str | None) -> str:
    return time_unit or "iso8601"
