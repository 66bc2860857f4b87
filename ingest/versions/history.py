"""Which versions hours have: the records under `_versions/`, listed by day.

Comes in: hours. Goes out: a `History` of each that has versions. Only reads.
"""

from collections.abc import Iterable

from datacore.errors import DifferenceFound
from ingest.land.bucket import Bucket
from ingest.land.hourlog import Hour
from ingest.versions.record import History, place_of, read_version, records_prefix


def histories(bucket: Bucket, hours: Iterable[Hour]) -> dict[Hour, History]:
    """The histories of those of `hours` that have versions; one listing a day of a data type."""
    wanted = set(hours)
    days = sorted({records_prefix(hour)[: -len("hh/")] for hour in wanted})
    found: dict[Hour, list[str]] = {}
    for keys in bucket.keys_of(days):
        for key in keys:
            place = place_of(key)
            if place is not None and place[0] in wanted:
                found.setdefault(place[0], []).append(key)
    return {hour: _read(bucket, hour, keys) for hour, keys in found.items()}


def history(bucket: Bucket, hour: Hour) -> History | None:
    """The history of one hour; None where it has no version."""
    keys = list(bucket.keys(records_prefix(hour)))
    return _read(bucket, hour, keys) if keys else None


def newest(bucket: Bucket, hour: Hour) -> int:
    """The number of the last version; 0 where there is none."""
    return len(list(bucket.keys(records_prefix(hour))))


def _read(bucket: Bucket, hour: Hour, keys: list[str]) -> History:
    versions = tuple(
        read_version(key, data) for key, data in zip(keys, bucket.get_all(keys), strict=True)
    )
    if [version.version for version in versions] != list(range(1, len(versions) + 1)):
        raise DifferenceFound(
            f"the versions of {hour.data_type} {hour.dt} {hour.hour} have gaps: {', '.join(keys)}",
            "a record was removed; restore it from the bucket's earlier versions",
        )
    return History(hour, versions)
