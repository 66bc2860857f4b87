"""Whether Glue has every hour, chain and block, at a folder that holds it.

Comes in: what the ledger says there is, and Glue's partitions. Goes out: findings, and which
folder readers see. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ingest.audit.finding import Finding, FindingKind
from ingest.audit.records import HourObject, hour_folder
from ingest.audit.versions import Versions
from ingest.land.hourlog import Hour
from ingest.register.tables import RAW

Locations = Mapping[tuple[str, ...], str]
"""A table's partitions: values to location."""


@dataclass(frozen=True)
class Folder:
    """A partition that Glue should have. `path` is the folder's key, without a slash at its end."""

    database: str
    table: str
    values: tuple[str, ...]
    path: str

    @property
    def name(self) -> str:
        return f"{self.database}.{self.table} {'/'.join(self.values)}"


def version_read(bucket: str, hour: Hour, locations: Locations | None) -> int | None:
    """The version of an hour that Glue points at, 0 for the base folder; None if neither."""
    location = (locations or {}).get((hour.dt, hour.hour), "")
    place = HourObject.parse(f"{_path(bucket, location)}/-")
    return place.version if place is not None and place.hour == hour else None


def check_hours(
    bucket: str,
    hours: Iterable[Hour],
    tables: Mapping[str, Locations | None],
    versions: Versions,
) -> Iterator[Finding]:
    """Every hour has its partition, at its base folder or the folder of a version that there is.

    `tables` are the raw tables, None where Glue has none.
    """
    absent: dict[str, int] = {}
    for hour in sorted(hours):
        locations = tables.get(hour.data_type)
        if locations is None:
            absent[hour.data_type] = absent.get(hour.data_type, 0) + 1
            continue
        folder = Folder(RAW, hour.data_type, (hour.dt, hour.hour), hour_folder(hour, 0))
        location = locations.get(folder.values)
        if location is None:
            yield _no_partition(folder)
            continue
        version = version_read(bucket, hour, locations)
        if version is None or (version and version not in versions.get(hour, {})):
            newest = max(versions.get(hour, {}), default=0)
            yield _elsewhere(folder, location, f"s3://{bucket}/{hour_folder(hour, newest)}")
    for data_type, count in sorted(absent.items()):
        wrong = f"Glue has no such table, {count:,} hours of it are on S3"
        yield Finding.of(FindingKind.GLUE_TABLE, f"{RAW}.{data_type}", wrong)


def check_folders(
    bucket: str, folders: Iterable[Folder], tables: Mapping[str, Locations | None]
) -> Iterator[Finding]:
    """The ledger's own tables: every chain, block and quarantined hour has its partition."""
    for folder in folders:
        location = (tables.get(folder.table) or {}).get(folder.values)
        if location is None:
            yield _no_partition(folder)
        elif _path(bucket, location) != folder.path:
            yield _elsewhere(folder, location, f"s3://{bucket}/{folder.path}")


def _no_partition(folder: Folder) -> Finding:
    wrong = f"Glue has no partition for {folder.path}/"
    return Finding.of(FindingKind.GLUE_PARTITION, folder.name, wrong)


def _elsewhere(folder: Folder, location: str, right: str) -> Finding:
    wrong = f"Glue points at {location}, its data is in {right}"
    return Finding.of(FindingKind.GLUE_LOCATION, folder.name, wrong)


def _path(bucket: str, location: str) -> str:
    """A location of this bucket as a key, without a slash at its end; of another as it is."""
    return location.removeprefix(f"s3://{bucket}/").rstrip("/")
