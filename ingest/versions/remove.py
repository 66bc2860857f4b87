"""Removal: objects that the newest version was made of, after a grace.

Comes in: a settled hour. Goes out: how many objects were removed. Only what a version record names
goes, and only when readers have been at the newest version for longer than the grace. A writer that
slept may put such an object back into the base folder: nobody reads it there, no version copies it,
and the next run removes it again.
"""

from ingest.versions.record import History, base_folder, name_of
from ingest.versions.settle import Settler


def remove_superseded(settler: Settler, known: History, grace_s: float) -> int:
    """Remove what the newest version supersedes; nothing while the grace lasts."""
    seen = settler.publisher.published(known.hour)
    if seen is None or seen.folder != known.newest.folder or seen.since is None:
        return 0
    if settler.identity.clock() - seen.since < grace_s:
        return 0
    superseded = known.superseded()
    base = settler.bucket.keys(base_folder(known.hour))
    keys = [key for key in base if name_of(key) in superseded]
    for version in known.versions[:-1]:
        # its outputs are inputs of the next; the rest are copies of what is in the base folder
        keys += settler.bucket.keys(version.folder)
    if keys:
        settler.bucket.remove(keys)
        settler.settle(known.hour)
    return len(keys)
