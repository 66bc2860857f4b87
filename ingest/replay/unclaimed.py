"""Hours of `unclaimed`, written again without the rows that replays took.

Comes in: a replay that stands, its objects landed. Goes out: a version of each hour that it took
from, published. So a record that was replayed is in its data type, and in `unclaimed` no more.
"""

from datacore.errors import DifferenceFound
from ingest.land.hourlog import Hour
from ingest.land.objects import Body
from ingest.replay.entry import Replay
from ingest.versions.record import (
    History,
    Output,
    Version,
    Why,
    base_folder,
    name_of,
    order,
    version_folder,
)
from ingest.versions.settle import Settler


def leave_out(settler: Settler, replay: Replay) -> None:
    """Rewrite the hours of `unclaimed` that a replay took from; again does no harm."""
    hours: dict[Hour, set[str]] = {}
    for taken in replay.unclaimed:
        hour = Hour(taken.data_type or "", taken.dt, taken.hour)
        hours.setdefault(hour, set()).add(name_of(taken.key))
    for hour, names in sorted(hours.items()):
        _leave_out(settler, hour, names, replay.topic, replay.sequence + 1)


def _leave_out(settler: Settler, hour: Hour, names: set[str], topic: str, replays: int) -> None:
    while True:
        known = settler.settle(hour)
        past = known or History(hour, ())
        if past.versions and past.newest.replays.get(topic, 0) >= replays:
            return
        version, bodies = _next(settler, past, names, {topic: replays})
        if settler.claim(version, bodies):
            settler.settle(hour)
            return


def _next(
    settler: Settler, past: History, names: set[str], replays: dict[str, int]
) -> tuple[Version, dict[str, Body]]:
    """The next version of an hour, and its objects, each under the name that it has."""
    left_out = {**(past.newest.replays if past.versions else {}), **replays}
    folder = past.newest.folder if past.versions else base_folder(past.hour)
    inputs = sorted(settler.bucket.keys(folder), key=lambda key: order(name_of(key)))
    missing = names - {name_of(key) for key in inputs}
    if missing:
        raise DifferenceFound(
            f"{folder} lacks {', '.join(sorted(missing))}, of which a replay took records",
            "restore it from the bucket's earlier versions",
        )
    number = len(past.versions) + 1
    bodies: dict[str, Body] = {}
    for key in inputs:
        body = settler.outputs.without(past, left_out, key)
        if body.records:
            bodies[version_folder(past.hour, number) + name_of(key)] = body
    version = Version(
        *past.hour,
        version=number,
        why=Why.REPLAY,
        writer=settler.identity.name,
        written_at=settler.identity.now_text(),
        inputs=tuple(inputs),
        outputs=tuple(Output(k, b.records, b.bytes, b.sha256) for k, b in bodies.items()),
        replays=left_out,
    )
    return version, bodies
