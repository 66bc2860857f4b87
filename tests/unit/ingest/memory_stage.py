"""Landers, compactors and replayers on one bucket in memory, each stopped where a test wants it.

Every request of a process is a step. `Schedule` lets processes go on one step at a time, in an order
that a test draws, and kills them; `Stage.check` looks at what readers see, between any two steps.
"""

import base64
import gzip
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from memory_bucket import Crash, MemoryBucket
from memory_source import Log, MemoryRecord, MemorySource

from ingest.land.hourlog import Hour, Ledger
from ingest.land.hours import read_ledger
from ingest.land.lander import CutPolicy, Lander
from ingest.land.lane import LanderIdentity
from ingest.land.rules import Rule, Rules
from ingest.land.source import Partition
from ingest.replay.replayer import Choice, Limit, Replayer, Summary
from ingest.versions.compact import Compactor, Outcome, Policy, sealed_hours
from ingest.versions.record import base_folder
from ingest.versions.settle import Published, Settler

P0, P1 = Partition("t", 0), Partition("t", 1)
NOW = 1_767_330_000_000
"""2026-01-02T05:00:00Z."""
HOUR = Hour("click", "2026-01-02", "01")
CLICKS = (Rule("click", "t", "type", "click", "at", None),)
WRONG = (Rule("click", "t", "type", "click", "when", None),)
"""A contract that looks for the time in a field that is not there."""
WITH_VIEWS = (*CLICKS, Rule("view", "t", "type", "view", "at", None))

Step = Callable[[], None]


def at_once() -> None:
    """A step of a process that nobody stops."""


def click(partition: int, offset: int, kind: str = "click") -> bytes:
    """A record of the hour 01 that tells where it came from."""
    return b'{"type":"%s","at":"2026-01-02T01:10:00Z","from":[%d,%d]}' % (
        kind.encode(), partition, offset,
    )  # fmt: skip


class StepBucket(MemoryBucket):
    """A process's view of the bucket."""

    def __init__(self, objects: dict[str, tuple[bytes, dict[str, str]]], step: Step) -> None:
        super().__init__()
        self.objects = objects
        self._step = step

    def put_new(self, key: str, data: bytes, metadata: Mapping[str, str] | None = None) -> bool:
        self._step()
        return super().put_new(key, data, metadata)

    def read(self, key: str) -> tuple[bytes, Mapping[str, str]] | None:
        self._step()
        return super().read(key)

    def keys(self, prefix: str, start_after: str = "") -> Iterator[str]:
        self._step()
        return super().keys(prefix, start_after)

    def sizes(self, prefix: str) -> dict[str, int]:
        self._step()
        return {key: len(self.objects[key][0]) for key in MemoryBucket.keys(self, prefix)}

    def checksum(self, key: str) -> str | None:
        self._step()
        return super().checksum(key)

    def remove(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._step()
            self.objects.pop(key, None)


class StepGlue:
    """A process's view of Glue: which folder readers find for each hour, and since when."""

    def __init__(self, places: dict[Hour, Published], step: Step) -> None:
        self._places = places
        self._step = step

    def hours(self, hours: set[Hour]) -> int:
        return self.versions({hour: base_folder(hour) for hour in hours})

    def versions(self, folders: Mapping[Hour, str]) -> int:
        for hour, folder in folders.items():
            self._step()
            self._places.setdefault(hour, Published(folder, None))
        return len(folders)

    def published(self, hour: Hour) -> Published | None:
        self._step()
        return self._places.get(hour)

    def publish(self, hour: Hour, folder: str, now: float) -> None:
        self._step()
        self._places[hour] = Published(folder, now)

    def cuts(self, topic: str, partition: int) -> None: ...
    def replays(self, topic: str) -> None: ...
    def block(self, topic: str, block: int) -> None: ...
    def quarantine(self, topic: str, dt: str, hour: str) -> None: ...


@dataclass
class Stage:
    """The platform: Kafka's log, the bucket, Glue, a clock."""

    log: Log = field(default_factory=lambda: Log({P0: [], P1: []}))
    objects: dict[str, tuple[bytes, dict[str, str]]] = field(default_factory=dict)
    places: dict[Hour, Published] = field(default_factory=dict)
    now: float = NOW / 1000
    cut: int = 100
    """Bytes of a cut: two records, about."""

    def produce(self, *values: bytes, partition: Partition = P0) -> None:
        """Append records to a partition."""
        records = self.log.records[partition]
        for value in values:
            records.append(MemoryRecord(len(records), NOW, value))

    def clicks(self, count: int, partition: Partition = P0, kind: str = "click") -> None:
        """Append records that tell their place."""
        at = len(self.log.records[partition])
        self.produce(
            *(click(partition.number, n, kind) for n in range(at, at + count)), partition=partition
        )

    def bucket(self, step: Step = at_once) -> StepBucket:
        return StepBucket(self.objects, step)

    def lander(self, step: Step = at_once, claims: tuple[Rule, ...] = CLICKS) -> Lander:
        return Lander(
            MemorySource(self.log, step=2),
            self.bucket(step),
            Rules(claims),
            StepGlue(self.places, step),
            LanderIdentity("lander", lambda: self.now),
            CutPolicy(bytes=self.cut),
        )

    def land(self, step: Step = at_once, claims: tuple[Rule, ...] = CLICKS) -> None:
        """Land all that Kafka holds; objects hold two records at most."""
        self.lander(step, claims).run_until_caught_up(threading.Event())

    def settler(self, step: Step = at_once) -> Settler:
        identity = LanderIdentity("compactor", lambda: self.now)
        return Settler(self.bucket(step), StepGlue(self.places, step), identity)

    def compact(self, step: Step = at_once, grace_s: float = 3600.0) -> list[Outcome]:
        """Compact the hours of every type that has data."""
        settler = self.settler(step)
        compactor = Compactor(settler, Policy(grace_s=grace_s))
        sealed, _ = sealed_hours(settler.bucket)
        types = ("click", "unclaimed", "view")
        found = [o for name in types for o in compactor.day(name, "2026-01-02", sealed)]
        for outcome in found:
            if outcome.difference is not None:
                raise outcome.difference
        return found

    def replay(
        self,
        step: Step = at_once,
        claims: tuple[Rule, ...] = CLICKS,
        choice: Choice | None = None,
        limit: Limit | None = None,
    ) -> Summary:
        settler, summary = self.settler(step), Summary()
        replayer = Replayer(settler, StepGlue(self.places, step), "t", claims, limit)
        replayer.run(choice or Choice(), summary)
        return summary

    def seen(self, *types: str) -> Counter[bytes]:
        """What readers of these types (all) see: the lines in the folders that Glue points to."""
        lines: Counter[bytes] = Counter()
        for hour, place in list(self.places.items()):
            if not types or hour.data_type in types:
                for key in [k for k in self.objects if k.startswith(place.folder)]:
                    lines.update(gzip.decompress(self.objects[key][0]).splitlines())
        return lines

    def aside(self) -> Counter[bytes]:
        """The values of quarantined records, replayed or not."""
        return Counter(
            base64.b64decode(json.loads(line)["value"])
            for key, (data, _) in list(self.objects.items())
            if "/_quarantine/" in key
            for line in gzip.decompress(data).splitlines()
        )

    def ledger(self) -> Ledger:
        return read_ledger(MemoryBucket.using(self.bucket()), "t")

    def promised(self) -> set[bytes]:
        """The values that the hour log counts as read."""
        offsets = self.ledger().offsets
        return {
            record.value or b""
            for partition, records in self.log.records.items()
            for record in records
            if record.offset < offsets.get(partition.number, 0)
        }

    def check(self) -> None:
        """Readers see each line that the hour log promised, and none twice."""
        seen = self.seen()
        assert set(seen.values()) <= {1}, seen.most_common(3)
        produced = {r.value for records in self.log.records.values() for r in records}
        assert seen.keys() <= produced
        missing = self.promised() - seen.keys() - self.aside().keys()
        assert not missing, missing

    def check_totals(self) -> None:
        """The hour log's totals are what readers see, hour by hour."""
        for hour, totals in self.ledger().hours.items():
            place = self.places.get(hour)
            lines = [
                line
                for key, (data, _) in self.objects.items()
                if place is not None and key.startswith(place.folder)
                for line in gzip.decompress(data).splitlines()
            ]
            size = sum(len(line) + 1 for line in lines)
            assert (totals.records, totals.bytes) == (len(lines), size), hour


class Counting:
    """A step that counts, and acts once, before step number `at`."""

    def __init__(self, at: int = -1, act: Step = at_once) -> None:
        self.steps = 0
        self._at = at
        self._act = act

    def __call__(self) -> None:
        number, self.steps = self.steps, self.steps + 1
        if number == self._at:
            self._act()


def killed() -> None:
    """The process ends here."""
    raise Crash


class Schedule:
    """Processes in threads, of which one goes on at a time, one step."""

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._granted: int | None = None
        self._doomed: set[int] = set()
        self._over: set[int] = set()
        self._errors: list[BaseException] = []
        self._threads: list[threading.Thread] = []

    def start(self, process: Callable[[Step], object]) -> int:
        """Start a process; it stops before its first step."""
        number = len(self._threads)

        def run() -> None:
            try:
                process(lambda: self._wait(number))
            except Crash:
                pass
            except BaseException as error:  # noqa: BLE001 — told by `finish`
                self._errors.append(error)
            with self._turn:
                self._over.add(number)
                self._granted = None
                self._turn.notify_all()

        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        with self._turn:
            self._granted = number
            thread.start()
            self._turn.wait_for(lambda: self._granted is None, 10)
        return number

    def _wait(self, number: int) -> None:
        with self._turn:
            self._granted = None
            self._turn.notify_all()
            assert self._turn.wait_for(lambda: self._granted == number, 60)
            if number in self._doomed:
                raise Crash

    def running(self) -> list[int]:
        """The processes that have not ended."""
        return [number for number in range(len(self._threads)) if number not in self._over]

    def go(self, number: int) -> None:
        """Let a process make its next step, up to the one after."""
        with self._turn:
            self._granted = number
            self._turn.notify_all()
            assert self._turn.wait_for(lambda: self._granted is None, 10)

    def kill(self, number: int) -> None:
        """End a process before its next step."""
        self._doomed.add(number)
        self.go(number)

    def finish(self) -> None:
        """End all; raises what any of them raised."""
        for number in self.running():
            self.kill(number)
        for error in self._errors:
            raise error
