"""Settling an hour: its newest version made complete, and shown to readers.

Comes in: an hour. Goes out: its objects in the newest version's folder, and Glue's partition that
points there. Whoever comes first does what is missing, whoever comes later finds it done, so a
killed run is healed by the next, and two at once do no harm. Order: the record (`claim`), the
outputs, late objects of the base folder, all read back, then the partition.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog

from ingest.land.bucket import Bucket
from ingest.land.hourlog import Hour
from ingest.land.lane import LanderIdentity
from ingest.land.objects import Body
from ingest.versions.arrivals import copies
from ingest.versions.history import history, newest
from ingest.versions.outputs import Outputs
from ingest.versions.record import History, Version, base_folder

log = structlog.get_logger()


@dataclass(frozen=True)
class Published:
    """Where readers find an hour."""

    folder: str
    """Key of the folder, with a slash at the end."""
    since: float | None
    """When a version was published there, seconds since 1970; None where nobody noted it."""


class Publisher(Protocol):
    """Who tells readers; `ingest.register` implements it by Glue's partitions."""

    def published(self, hour: Hour) -> Published | None:
        """None where readers do not know the hour."""

    def publish(self, hour: Hour, folder: str, now: float) -> None:
        """Point readers to a folder, and note when."""


class Settler:
    """Completes and publishes versions."""

    def __init__(self, bucket: Bucket, publisher: Publisher, identity: LanderIdentity) -> None:
        self.bucket = bucket
        self.publisher = publisher
        self.identity = identity
        self.outputs = Outputs(bucket)

    def claim(self, version: Version, bodies: Mapping[str, Body]) -> bool:
        """Write a version's record, then the outputs at hand; False where its number is taken."""
        if not self.bucket.put_new(version.key, version.to_json()):
            return False
        self.bucket.put_bodies(bodies)
        return True

    def settle(self, hour: Hour) -> History | None:
        """Bring the newest version to readers; None where the hour has no version."""
        while True:
            known = history(self.bucket, hour)
            if known is None:
                return None
            self._complete(known)
            self._spread(known)
            seen = self.publisher.published(hour)
            if seen is None or seen.folder != known.newest.folder or seen.since is None:
                self._check(known.newest)
                if newest(self.bucket, hour) != known.newest.version:
                    continue
                self.publisher.publish(hour, known.newest.folder, self.identity.clock())
                log.info("version_published", folder=known.newest.folder)
            # another may have gone on meanwhile, and been overtaken by the call above
            if newest(self.bucket, hour) == known.newest.version:
                return known

    def _complete(self, known: History) -> None:
        """Write the outputs that are missing."""
        there = set(self.bucket.keys(known.newest.folder))
        missing = [output for output in known.newest.outputs if output.key not in there]
        for output, body in self.outputs.bodies(known, missing):
            self.bucket.put_bodies({output.key: body})

    def _spread(self, known: History) -> None:
        """Copy what arrived in the base folder beside the versions into all of them."""
        arrived = list(self.bucket.keys(base_folder(known.hour)))
        wanted = copies(known, arrived)
        if wanted:
            there = {
                key
                for keys in self.bucket.keys_of(version.folder for version in known.versions)
                for key in keys
            }
            self.bucket.copy_all(copy for copy in wanted if copy[1] not in there)

    def _check(self, version: Version) -> None:
        """Read every output back. Raises DifferenceFound."""
        for output in version.outputs:
            self.outputs.lines(History(version.of, (version,)), output.key)
