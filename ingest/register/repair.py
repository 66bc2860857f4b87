"""A day's raw partitions made equal to S3, in both directions.

Comes in: the bucket, the registrar, a day. Goes out: `Repaired` for each data type. What holds data
and is not in Glue is added, what points elsewhere is pointed right, what holds nothing is dropped.
May be repeated, and run beside landers: they register an hour after its objects are there.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ingest.land.bucket import Bucket
from ingest.land.hourlog import Hour
from ingest.land.objects import ROOT
from ingest.register.registrar import Registrar
from ingest.versions.history import histories
from ingest.versions.record import base_folder
from ingest.versions.settle import Settler


@dataclass(frozen=True)
class Repaired:
    """What was done to a day of a data type."""

    data_type: str
    hours: int
    """That hold data."""
    added: int
    moved: int
    dropped: int


class DayRepair:
    """Repairs days of `settler`'s bucket."""

    def __init__(self, registrar: Registrar, settler: Settler) -> None:
        self._registrar = registrar
        self._settler = settler
        self._bucket: Bucket = settler.bucket

    def run(self, data_types: Iterable[str], dt: str) -> list[Repaired]:
        """Every data type, in the order given."""
        return [self._repair(data_type, dt) for data_type in data_types]

    def _repair(self, data_type: str, dt: str) -> Repaired:
        seen = {h: at for h, at in self._registrar.locations(data_type).items() if h.dt == dt}
        based, versioned = self._hours(data_type, dt, ""), self._hours(data_type, dt, "_versions/")
        there = based | versioned
        added = self._registrar.hours(based - versioned - seen.keys())
        moved = 0
        known = histories(self._bucket, versioned)
        for hour in sorted(there):
            past = known.get(hour)
            wanted = past.newest.folder if past is not None else base_folder(hour)
            if hour in versioned and seen.get(hour) != wanted:
                self._settler.settle(hour)
            elif hour not in versioned and hour in seen and seen[hour] != wanted:
                self._registrar.publish(hour, wanted, self._settler.identity.clock())
            else:
                continue
            if hour in seen:
                moved += 1
            else:
                added += 1
        empty = seen.keys() - there
        if empty:  # a lander may have written since
            empty -= self._hours(data_type, dt, "") | self._hours(data_type, dt, "_versions/")
        for hour in sorted(empty):
            self._registrar.drop(hour)
        return Repaired(data_type, len(there), added, moved, len(empty))

    def _hours(self, data_type: str, dt: str, place: str) -> set[Hour]:
        """By their objects, not their folders: a Hive Metastore makes empty ones."""
        folder = f"{ROOT}/{place}{data_type}/{dt.replace('-', '/')}/"
        keys = self._bucket.keys(folder)
        return {Hour(data_type, dt, key.removeprefix(folder).partition("/")[0]) for key in keys}
