"""Partitions that get other locations, many in one call.

Spark's `alter table … partition (…) set location …` moves one. This moves as many as are named, in
Glue's batches: `alter table t set tblproperties ('datacore.relocate' = '{"to": "s3://bucket/new",
"partitions": ["dt=2026-01-02", …]}')`. Each goes to the directory of its own name below `to`.
"""

import json
from typing import Any

from hmsclient.genthrift.hive_metastore import ttypes

from metastore.calls.catalog import Catalog, Table
from metastore.calls.tables import changed_now, is_statistic
from metastore.translate.partitions import name_to_spec, partition_input, partition_keys

RELOCATE = "datacore.relocate"
"""The parameter that asks for it. It is carried out, and not kept."""


def relocate_partitions(catalog: Catalog, database: str, name: str, asked: str) -> None:
    """Point the partitions that `asked` names below the directory that it names. Files are not touched.

    Raises InvalidOperationException for partitions that are not there, before any is changed, and where
    Glue refused some, by then with the others changed; MetaException for another form of `asked`.
    """
    table = catalog.table(database, name)
    places = _places(table, asked)
    where = (database.lower(), name.lower())
    found = catalog.glue.get_partitions(*where, list(places))
    missing = places.keys() - {tuple(partition["Values"]) for partition in found}
    if missing:
        raise ttypes.InvalidOperationException(
            f"{len(missing)} of {len(places)} partitions are not there, among them "
            f"{list(min(missing))}; none was changed"
        )
    inputs = [_located(partition, places[tuple(partition["Values"])]) for partition in found]
    failures = catalog.glue.update_partitions(*where, inputs)
    if failures:
        raise ttypes.InvalidOperationException(
            f"{len(failures)} of {len(inputs)} partitions were not changed, among them {failures[0]}"
        )


def _places(table: Table, asked: str) -> dict[tuple[str, ...], str]:
    """Values of each partition to its new location."""
    try:
        wanted = json.loads(asked)
        directory, names = wanted["to"].rstrip("/"), [str(name) for name in wanted["partitions"]]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ttypes.MetaException(
            f'{RELOCATE} is not {{"to": "s3://…", "partitions": ["key=value", …]}}: {asked[:100]!r}'
        ) from error
    keys = [key.name for key in partition_keys(table)]
    places = {}
    for name in names:
        spec = name_to_spec(name)
        if list(spec) != keys:
            raise ttypes.MetaException(
                f"{name!r} is no partition of {table['Name']}, whose keys are {keys}"
            )
        places[tuple(spec.values())] = f"{directory}/{name}"
    return places


def _located(partition: Table, location: str) -> dict[str, Any]:
    """The partition at another location, without the statistics of its old files."""
    made = partition_input(partition)
    told = partition.get("Parameters") or {}
    return {
        **made,
        "StorageDescriptor": {**(partition.get("StorageDescriptor") or {}), "Location": location},
        "Parameters": changed_now({n: told[n] for n in told if not is_statistic(n)}),
    }
