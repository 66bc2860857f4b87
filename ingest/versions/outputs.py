"""A version's objects, made of its inputs; the same for whoever makes them.

Comes in: inputs by key. Goes out: `Body`s. Each input is read whole and compared with what its
manifest, replay or version promised; what differs is told and nothing is made of it.
"""

import gzip
import hashlib
from collections.abc import Iterable, Iterator
from functools import lru_cache

from datacore.aws import UPLOADS
from datacore.errors import DifferenceFound
from ingest.land.bucket import Bucket
from ingest.land.manifest import LandedObject, Manifest, read_manifest
from ingest.land.objects import Body, OpenObject
from ingest.replay.entry import Replay, Replays, read_replay
from ingest.replay.log import replays_since
from ingest.versions.record import (
    History,
    ObjectName,
    Output,
    Version,
    Why,
    base_folder,
    name_of,
)


class Outputs:
    """Makes objects of versions. Keeps the manifests that it read last, and the replays."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._promised = lru_cache(maxsize=1_000)(self._read_promise)
        self._replays: dict[str, Replays] = {}

    def bodies(self, known: History, wanted: Iterable[Output]) -> Iterator[tuple[Output, Body]]:
        """The bodies of some outputs of the newest version.

        Raises DifferenceFound where an input is not what was promised, or gives other lines than
        the record promised.
        """
        chosen = {output.key: output for output in wanted}
        version = known.newest
        for output, inputs in _made_of(version):
            if output.key not in chosen:
                continue
            if version.why is Why.COMPACT:
                body = self.merged(known, inputs)
            else:
                body = self.without(known, version.replays, inputs[0])
            if body.sha256 != output.sha256:
                raise DifferenceFound(
                    f"{version.key}: its inputs give other lines than it promised for {output.key}",
                    "the record was edited, or replays were; nothing was published",
                )
            yield output, body

    def merged(self, known: History, inputs: Iterable[str]) -> Body:
        """The lines of inputs, one after the other. `known`: the versions before, or with, this."""
        made = OpenObject()
        listed = list(inputs)
        for start in range(0, len(listed), UPLOADS):
            some = listed[start : start + UPLOADS]
            for key, data in zip(some, self._bucket.get_all(some), strict=True):
                for line in self._lines(known, key, data):
                    made.add(line)
        return made.finish()

    def without(self, known: History, replays: dict[str, int], key: str) -> Body:
        """The lines of an object of `unclaimed` that no replay below `replays` took.

        `known` ends with the version that is made, or with the one before it.
        """
        name = ObjectName.parse(name_of(key))
        made = OpenObject()
        kept = self.lines(known, key)
        if name is not None:
            before = _left_out(known, key, name.topic)
            upto = replays.get(name.topic, 0)
            entries = self._replays_below(name.topic, upto)
            landed = base_folder(known.hour) + name_of(key)
            gone = entries.taken(landed, upto=before)
            now = entries.taken(landed, before, upto)
            numbers = _numbers(len(kept) + len(gone), gone)
            kept = [line for number, line in zip(numbers, kept, strict=True) if number not in now]
        for line in kept:
            made.add(line)
        return made.finish()

    def _replays_below(self, topic: str, upto: int) -> Replays:
        """A topic's replays, up to that one at least."""
        found = self._replays.setdefault(topic, Replays())
        if len(found) < upto:
            found.extend(replays_since(self._bucket, topic, len(found)))
        return found

    def lines(self, known: History, key: str) -> list[bytes]:
        """The lines of an input, as promised."""
        return self._lines(known, key, next(self._bucket.get_all([key])))

    def _lines(self, known: History, key: str, data: bytes) -> list[bytes]:
        try:
            content = gzip.decompress(data)
        except (OSError, EOFError) as error:
            raise DifferenceFound(f"{key} is no whole gzip file: {error}", "restore it") from error
        lines = content.split(b"\n")
        if lines.pop():
            raise DifferenceFound(f"{key} breaks off within its last line", "restore it")
        records, sha256 = self._promise(known, key)
        if len(lines) == records and hashlib.sha256(content).hexdigest() == sha256:
            return lines
        if not lines and self._lost(known, key):
            return lines
        raise DifferenceFound(
            f"{key} holds {len(lines)} lines that are not the {records} promised",
            "it was changed; restore it from the bucket's earlier versions",
        )

    def _promise(self, known: History, key: str) -> tuple[int, str]:
        """How many lines an input holds, and their sha256."""
        for version in known.versions:
            for output in version.outputs:
                if output.key == key:
                    return output.records, output.sha256
        landed = base_folder(known.hour) + name_of(key)
        name = ObjectName.parse(name_of(key))
        promised = self._promised(name.promise) if name is not None else None
        for held in promised.objects if promised is not None else ():
            if held.key == landed:
                return held.records, held.sha256
        raise DifferenceFound(
            f"{key} belongs to no manifest, replay or version",
            "move it out of production-logs/; nothing that landing wrote looks like it",
        )

    def _read_promise(self, key: str) -> Manifest | Replay | None:
        data = self._bucket.get(key)
        if data is None:
            return None
        return read_replay(key, data) if "/_replays/" in key else read_manifest(key, data)

    def _lost(self, known: History, key: str) -> bool:
        """Whether a note beside the manifest says that the object was lost before it was written."""
        name = ObjectName.parse(name_of(key))
        if name is None:
            return False
        note = self._promised(name.promise.removesuffix(".json") + ".lost.json")
        lost: tuple[LandedObject, ...] = note.objects if note is not None else ()
        return any(held.key == base_folder(known.hour) + name_of(key) for held in lost)


def _made_of(version: Version) -> Iterator[tuple[Output, tuple[str, ...]]]:
    """Each output of a version with its inputs."""
    if version.why is Why.REPLAY:
        by_name = {name_of(key): key for key in version.inputs}
        for output in version.outputs:
            yield output, (by_name[name_of(output.key)],)
        return
    at = 0
    for output in version.outputs:
        yield output, version.inputs[at : at + output.merges]
        at += output.merges


def _left_out(known: History, key: str, topic: str) -> int:
    """How many replays of the topic are left out already of the object `key`."""
    for version in known.versions:
        if any(output.key == key for output in version.outputs):
            return version.replays.get(topic, 0)
    return 0


def _numbers(count: int, gone: set[int]) -> list[int]:
    """The numbers of an object's lines as landed, without those that are gone."""
    return [number for number in range(count) if number not in gone]
