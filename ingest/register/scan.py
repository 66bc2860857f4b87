"""What S3 holds, by folder: which hours, chains, blocks and quarantined hours there are.

Comes in: the bucket. Goes out: `Found`. Folders are listed, not objects, so that the cost is one
request a day of a data type.
"""

from dataclasses import dataclass

from ingest.land.bucket import Bucket
from ingest.land.hourlog import Hour
from ingest.land.objects import ROOT


@dataclass(frozen=True)
class Found:
    """The folders that hold data."""

    hours: set[Hour]
    chains: set[tuple[str, int]]
    blocks: set[tuple[str, int]]
    quarantine: set[tuple[str, str, str]]
    """Topic, dt, hour."""
    versioned: set[Hour]
    """Hours that have versions, whatever their base folder holds."""
    replayed: set[str]
    """Topics that have replays."""


def scan(bucket: Bucket) -> Found:
    """List the folders of the raw logs and of the ledger."""
    types = [name for name in bucket.folders(f"{ROOT}/") if not name.startswith("_")]
    return Found(
        hours={
            Hour(data_type, dt, hour)
            for data_type in types
            for dt, hour in _hours(bucket, f"{ROOT}/{data_type}/")
        },
        chains=_numbered(bucket, f"{ROOT}/_cuts/"),
        blocks=_numbered(bucket, f"{ROOT}/_hours/"),
        quarantine={
            (topic, dt, hour)
            for topic in bucket.folders(f"{ROOT}/_quarantine/")
            for dt, hour in _hours(bucket, f"{ROOT}/_quarantine/{topic}/")
        },
        versioned=versioned_hours(bucket),
        replayed=set(bucket.folders(f"{ROOT}/_replays/")),
    )


def versioned_hours(bucket: Bucket) -> set[Hour]:
    """Hours that have versions."""
    return {
        Hour(data_type, dt, hour)
        for data_type in bucket.folders(f"{ROOT}/_versions/")
        for dt, hour in _hours(bucket, f"{ROOT}/_versions/{data_type}/")
    }


def _hours(bucket: Bucket, prefix: str) -> list[tuple[str, str]]:
    """`dt` and `hour` of each `yyyy/mm/dd/hh/` under `prefix`."""
    return [
        (f"{year}-{month}-{day}", hour)
        for year in bucket.folders(prefix)
        for month in bucket.folders(f"{prefix}{year}/")
        for day in bucket.folders(f"{prefix}{year}/{month}/")
        for hour in bucket.folders(f"{prefix}{year}/{month}/{day}/")
    ]


def _numbered(bucket: Bucket, prefix: str) -> set[tuple[str, int]]:
    return {
        (topic, int(number))
        for topic in bucket.folders(prefix)
        for number in bucket.folders(f"{prefix}{topic}/")
    }
