"""The log of a topic's replays on S3, numbered from 0 without a gap.

Comes in: entries to claim. Goes out: the entries that stand. A replay that has a successor is
complete: its objects are written, and the hours of `unclaimed` that it took from are rewritten.
"""

from datacore.errors import DifferenceFound
from ingest.land.bucket import Bucket
from ingest.land.hourlog import Hour
from ingest.replay.entry import Replay, read_replay, replays_prefix
from ingest.versions.arrivals import landed_checksums
from ingest.versions.history import histories


def replays_since(bucket: Bucket, topic: str, sequence: int) -> list[Replay]:
    """The entries from `sequence` on, in order."""
    prefix = replays_prefix(topic)
    before = f"{prefix}{sequence - 1:020}.json" if sequence else ""
    keys = list(bucket.keys(prefix, before))
    found = [
        read_replay(key, data)
        for key, data in zip(keys, bucket.get_all(keys), strict=True)
    ]  # fmt: skip
    if [replay.sequence for replay in found] != list(range(sequence, sequence + len(found))):
        raise DifferenceFound(
            f"the replays of topic {topic} have gaps: {', '.join(keys)}",
            "an entry was removed; restore it from the bucket's earlier versions",
        )
    return found


def complete_since(bucket: Bucket, topic: str, sequence: int) -> list[Replay]:
    """The entries from `sequence` on that are complete: all, or all but the last."""
    found = replays_since(bucket, topic, sequence)
    return found if not found or is_complete(bucket, found[-1]) else found[:-1]


def is_complete(bucket: Bucket, replay: Replay) -> bool:
    """Whether a replay's objects are written and its rows of `unclaimed` left out by a version."""
    if None in landed_checksums(bucket, replay.objects).values():
        return False
    hours = {Hour(taken.data_type or "", taken.dt, taken.hour) for taken in replay.unclaimed}
    known = histories(bucket, hours)
    return all(
        hour in known and known[hour].newest.replays.get(replay.topic, 0) > replay.sequence
        for hour in hours
    )
