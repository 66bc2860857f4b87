"""The lander's side of versions: what arrives in an hour's base folder reaches its versions too.

Comes in: objects that were just written to base folders. Goes out: copies in the folders of the
hours' versions. Who writes a version writes its record first and looks into the base folder after;
who lands writes to the base folder first and looks for records after. So one of the two sees the
object, and both may copy it: the same name, the same bytes, `If-None-Match`.
"""

from collections.abc import Iterable

from ingest.land.bucket import Bucket
from ingest.land.hourlog import Hour, hour_of
from ingest.land.manifest import LandedObject, QuarantineObject
from ingest.land.objects import NOTHING
from ingest.versions.history import histories
from ingest.versions.record import History, base_folder, name_of


def follow_versions(bucket: Bucket, landed: Iterable[LandedObject]) -> dict[Hour, History]:
    """Copy objects into every version of their hours that was not made of them.

    The result are the histories of the hours that have versions.

    Into every version and not the newest alone: which one readers see is Glue's to say, and an
    old one may be seen still, or again for a moment.
    """
    keys: dict[Hour, list[str]] = {}
    for held in landed:
        keys.setdefault(hour_of(held), []).append(held.key)
    found = histories(bucket, keys)
    bucket.copy_all(copy for hour, known in found.items() for copy in copies(known, keys[hour]))
    return found


def copies(known: History, keys: Iterable[str]) -> list[tuple[str, str]]:
    """Source and target of every copy that objects of the base folder need."""
    listed = list(keys)
    found = []
    for version in known.versions:
        superseded = known.superseded(version.version)
        found += [
            (key, version.folder + name_of(key))
            for key in listed
            if name_of(key) not in superseded
        ]  # fmt: skip
    return found


def whole_folder(bucket: Bucket, known: History) -> str:
    """The folder of the newest version whose outputs are all written; else the base folder."""
    for version in reversed(known.versions):
        there = set(bucket.keys(version.folder))
        if all(output.key in there for output in version.outputs):
            return version.folder
    return base_folder(known.hour)


def landed_checksums(
    bucket: Bucket, promised: Iterable[LandedObject | QuarantineObject]
) -> dict[str, str | None]:
    """sha256 of each object's lines, by key; None where it was never written.

    An object that a version was made of was written, whether it was removed since, or given up
    after that by a lander that had looked before it was written.
    """
    objects = {held.key: held for held in promised}
    found = bucket.checksums(objects)
    doubtful = [
        held
        for key, held in objects.items()
        if found[key] in (None, NOTHING.sha256) and isinstance(held, LandedObject)
    ]
    known = histories(bucket, {hour_of(held) for held in doubtful})
    for held in doubtful:
        past = known.get(hour_of(held))
        if past is not None and name_of(held.key) in past.superseded():
            found[held.key] = held.sha256
    return found
