"""What may be replayed: quarantined records, and records that no contract claimed.

Comes in: a topic, and the replays that stand. Goes out: `Source`s, and their records. Quarantine
objects are evidence and stay as they are; an object of `unclaimed` is read where the newest version
of its hour has it. Only reads.
"""

import base64
import gzip
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from datacore.errors import DifferenceFound
from ingest.headers import TOO_LARGE
from ingest.land.aside import SetAside
from ingest.land.chain import rules_key
from ingest.land.event_time import MS_PER_HOUR
from ingest.land.hourlog import Hour
from ingest.land.hours import read_ledger, uncounted
from ingest.land.manifest import Manifest, read_manifest
from ingest.land.objects import ROOT, hour_number
from ingest.land.route import UNCLAIMED
from ingest.land.rules import Limits, read_rules
from ingest.replay.entry import Replays, Taken, numbers
from ingest.versions.record import History, ObjectName, base_folder, name_of, place_of
from ingest.versions.settle import Settler

QUARANTINE = f"{ROOT}/_quarantine/"
ASIDE = re.compile(r"(\d{4})/(\d\d)/(\d\d)/(\d\d)/\d+(?:~\d{4})?\+\d+\.jsonl\.gz", re.ASCII)


@dataclass(frozen=True)
class Source:
    """An object that holds records which may be replayed."""

    key: str
    """As it was landed."""
    dt: str
    hour: str
    unclaimed: bool

    @property
    def of(self) -> Hour:
        """The hour of `unclaimed`."""
        return Hour(UNCLAIMED, self.dt, self.hour)


@dataclass(frozen=True)
class Waiting:
    """A record that may be replayed."""

    number: int
    """Its offset, or the number of its line in an object of `unclaimed`."""
    timestamp: int
    value: bytes
    bytes: int
    """Of its value as landed, newline included."""
    reason: str | None
    """Why it was set aside; None for one of `unclaimed`."""
    data_type: str | None
    """The contract that claimed it when it was set aside, where known."""


class Sources:
    """The sources of one topic."""

    def __init__(self, settler: Settler, topic: str) -> None:
        self._bucket = settler.bucket
        self._settler = settler
        self._topic = topic
        self._histories: dict[Hour, History] = {}

    def forget(self) -> None:
        """Look again at which versions the hours have."""
        self._histories.clear()

    def limits(self, sources: Sequence[Source]) -> Limits:
        """The limits that landing had last, by the cut of the newest source."""
        newest = max(sources, key=lambda source: (source.dt, source.hour))
        manifest = self._manifest(newest)
        (document,) = self._bucket.get_all([rules_key(manifest.rules)])
        return read_rules(document).limits

    def quarantined(self) -> list[Source]:
        """Quarantine objects, in order."""
        prefix = f"{QUARANTINE}{self._topic}/"
        found = []
        for key in self._bucket.keys(prefix):
            place = ASIDE.fullmatch(key.removeprefix(prefix))
            if place is None:
                raise DifferenceFound(f"{key} is of no cut", "move it out of production-logs/")
            year, month, day, hour = place.groups()
            found.append(Source(key, f"{year}-{month}-{day}", hour, unclaimed=False))
        return found

    def unclaimed(self) -> list[Source]:
        """Objects of `unclaimed`, in order, but for those whose cuts the hour log does not count
        yet: it takes away what a replay took."""
        open_cuts = uncounted(self._bucket, read_ledger(self._bucket, self._topic))
        found = {held.key for cut in open_cuts for held in cut.objects}
        there: set[tuple[Hour, str]] = set()
        for folder in (f"{ROOT}/{UNCLAIMED}/", f"{ROOT}/_versioned/{UNCLAIMED}/"):
            for key in self._bucket.keys(folder):
                place, name = place_of(key), ObjectName.parse(name_of(key))
                if place is not None and name is not None and name.topic == self._topic:
                    there.add((place[0], name_of(key)))
        return [
            Source(base_folder(hour) + name, hour.dt, hour.hour, unclaimed=True)
            for hour, name in sorted(there)
            if base_folder(hour) + name not in found
        ]

    def waiting(self, source: Source, replays: Replays) -> Iterator[Waiting]:
        """The records of a source that no replay took, in order. `replays` are all that stand."""
        gone = replays.taken(source.key)
        return (record for record in self._records(source, replays) if record.number not in gone)

    def taken(self, taken: Taken, replays: Replays) -> list[Waiting]:
        """The records that a replay took out of one object. `replays` are all that stand."""
        source = Source(taken.key, taken.dt, taken.hour, taken.data_type is not None)
        wanted = numbers(taken.offsets)
        found = [r for r in self._records(source, replays) if r.number in wanted]
        if len(found) != taken.records:
            raise DifferenceFound(
                f"{taken.key} holds {len(found)} of the {taken.records} records that a replay took",
                "it was changed; restore it from the bucket's earlier versions",
            )
        return found

    def _records(self, source: Source, replays: Replays) -> Iterator[Waiting]:
        return self._left(source, replays) if source.unclaimed else self._set_aside(source)

    def _set_aside(self, source: Source) -> Iterator[Waiting]:
        (data,) = self._bucket.get_all([source.key])
        content = gzip.decompress(data)
        promised = {held.key: held.sha256 for held in self._manifest(source).quarantine}
        # an object that was lost before it was written may be there without a line
        if content and hashlib.sha256(content).hexdigest() != promised.get(source.key):
            raise DifferenceFound(
                f"{source.key} holds other lines than its manifest promised",
                "it was changed; restore it from the bucket's earlier versions",
            )
        for line in content.splitlines():
            held = msgspec.json.decode(line, type=SetAside)
            if held.value is None or any(name == TOO_LARGE for name, _ in held.headers):
                # no record, or only the beginning of a line
                continue
            value = base64.b64decode(held.value)
            yield Waiting(
                held.offset, held.timestamp, value, len(value) + 1, held.reason, held.data_type
            )

    def _left(self, source: Source, replays: Replays) -> Iterator[Waiting]:
        """The lines of an object of `unclaimed` that versions left there."""
        past = self._history(source.of)
        key, gone = source.key, set[int]()
        if name_of(key) in past.superseded():
            key = past.newest.folder + name_of(key)
            if all(output.key != key for output in past.newest.outputs):
                return
            left_out = past.newest.replays.get(self._topic, 0)
            gone = replays.taken(source.key, upto=left_out)
        lines = self._settler.outputs.lines(past, key)
        timestamp = self._timestamp(source)
        left = (number for number in range(len(lines) + len(gone)) if number not in gone)
        for number, line in zip(left, lines, strict=True):
            yield Waiting(number, timestamp, line, len(line) + 1, None, None)

    def _timestamp(self, source: Source) -> int:
        """Kafka's timestamp of an object's records: the last that the hour and the cut allow.

        A raw line does not tell its own; the cut's are known to what it spans, about a minute.
        """
        last = self._manifest(source).max_timestamp
        begins = hour_number(source.dt, source.hour) * MS_PER_HOUR
        ends = begins + MS_PER_HOUR - 1
        return ends if last is None else max(begins, min(ends, last))

    def _manifest(self, source: Source) -> Manifest:
        """The cut that landed a source."""
        name = name_of(source.key)
        if not source.unclaimed:
            name = aside_name(self._topic, name)
        parsed = ObjectName.parse(name)
        if parsed is None:
            raise DifferenceFound(f"{source.key} is of no cut", "move it out of production-logs/")
        (data,) = self._bucket.get_all([parsed.promise])
        return read_manifest(parsed.promise, data)

    def _history(self, hour: Hour) -> History:
        """The versions of an hour, the newest complete."""
        if hour not in self._histories:
            self._histories[hour] = self._settler.settle(hour) or History(hour, ())
        return self._histories[hour]


def aside_name(topic: str, name: str) -> str:
    """A quarantine object's name, `<partition>[~g]+<first>`, as a raw object of its cut has it."""
    partition, _, first = name.partition("+")
    number, tilde, generation = partition.partition("~")
    return f"{topic}{tilde}{generation}+{number}+{first}"
