"""An alarm at once where most records of a kind go astray: a contract mistake, most likely.

Comes in: the manifests of one's own completed cuts. Goes out: a `Surge` for each window of records of
which more than half were set aside for one reason, or claimed by no contract; and an event in the log
when it begins, every ten minutes while it lasts, and when it is over. Nothing is lost meanwhile: what is set
aside can be replayed.
"""

import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
import structlog

from datacore.errors import ServiceUnreachable, shorten
from ingest.land.aside import SetAside
from ingest.land.bucket import Bucket
from ingest.land.manifest import Manifest
from ingest.land.route import UNCLAIMED
from ingest.meter import Meter

log = structlog.get_logger()

LEAST = 100
"""A window is judged when it holds so many records; smaller cuts are added up."""
SHARE = 0.5
AGAIN_S = 600.0
"""How often the log says again that a surge lasts."""
HEAD = 64 * 1024
"""Bytes of a quarantine object that are searched for an example."""


class Stray(NamedTuple):
    """Records of a data type (None: of the whole topic) that went astray for a reason."""

    topic: str
    data_type: str | None
    reason: str


@dataclass(frozen=True)
class Surge:
    """A window of which most went astray: `records` of `of`."""

    topic: str
    data_type: str | None
    reason: str
    """A reason of quarantine, or `unclaimed`."""
    records: int
    of: int

    @property
    def stray(self) -> Stray:
        """What it is a surge of."""
        return Stray(self.topic, self.data_type, self.reason)


@dataclass
class Window:
    """Records of one data type, or of a whole topic, since it was last judged."""

    records: int = 0
    astray: Counter[str] = field(default_factory=Counter)


class SurgeWatch:
    """Adds cuts up and judges windows. Pure."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str | None], Window] = {}

    def add(self, manifest: Manifest) -> tuple[list[Surge], set[tuple[str, str | None]]]:
        """The surges of the windows that this cut filled, and all windows that it filled."""
        topic = manifest.topic
        self._window(topic, None).records += manifest.records
        for landed in manifest.objects:
            if landed.data_type == UNCLAIMED:
                self._window(topic, None).astray[UNCLAIMED] += landed.records
            else:
                self._window(topic, landed.data_type).records += landed.records
        for count in manifest.reasons:
            window = self._window(topic, count.data_type)
            window.astray[count.reason] += count.records
            if count.data_type is not None:
                window.records += count.records
        full = {place for place, window in self._windows.items() if window.records >= LEAST}
        judged = [(place, self._windows.pop(place)) for place in sorted(full, key=str)]
        surges = [
            Surge(*place, reason, records, window.records)
            for place, window in judged
            for reason, records in sorted(window.astray.items())
            if records > SHARE * window.records
        ]
        return surges, full

    def _window(self, topic: str, data_type: str | None) -> Window:
        return self._windows.setdefault((topic, data_type), Window())


class SurgeAlarm:
    """Tells the log and the meter of surges."""

    def __init__(self, bucket: Bucket, meter: Meter) -> None:
        self._bucket = bucket
        self._meter = meter
        self._watch = SurgeWatch()
        self._told_at: dict[Stray, float] = {}

    def look(self, manifest: Manifest, now: float) -> None:
        """Judge a cut that was completed at `now` (seconds)."""
        surges, judged = self._watch.add(manifest)
        for surge in surges:
            self._meter.surge(surge)
            told_at = self._told_at.get(surge.stray)
            if told_at is None or now - told_at >= AGAIN_S:
                self._told_at[surge.stray] = now
                self._tell(surge, manifest)
        lasting = {surge.stray for surge in surges}
        for stray in [s for s in self._told_at if s[:2] in judged and s not in lasting]:
            del self._told_at[stray]
            log.info("surge_over", **stray._asdict())

    def _tell(self, surge: Surge, manifest: Manifest) -> None:
        facts = {**surge.stray._asdict(), "records": surge.records, "of": surge.of}
        if surge.reason == UNCLAIMED:
            del facts["reason"], facts["data_type"]
            key = next((o.key for o in manifest.objects if o.data_type == UNCLAIMED), None)
            log.warning(
                "unclaimed_surge",
                **facts,
                object=key,
                next="no contract's match fits them: correct or add one, then `datacore replay --type`",
            )
            return
        example = self._example(surge, manifest)
        log.error(
            "quarantine_surge",
            **facts,
            partition=manifest.partition,
            offset=example.offset if example else None,
            field=example.field if example else None,
            found=shorten(example.found) if example and example.found is not None else None,
            next="correct the contract (or whoever writes the records), then "
            f"`datacore quarantine replay --topic {surge.topic} --reason {surge.reason}`",
        )

    def _example(self, surge: Surge, manifest: Manifest) -> SetAside | None:
        """One of the records; None where none is near the beginning of what was set aside."""
        for aside in manifest.quarantine:
            for held in self._beginning(aside.key):
                if (held.reason, held.data_type) == (surge.reason, surge.data_type):
                    return held
        return None

    def _beginning(self, key: str) -> Iterator[SetAside]:
        try:
            head = self._bucket.beginning(key, HEAD)
        except ServiceUnreachable as error:
            # the alarm is due all the same
            log.info("no_example", key=key, why=error.message)
            return
        lines = zlib.decompressobj(wbits=31).decompress(head or b"")
        for line in lines.split(b"\n")[:-1]:
            yield msgspec.json.decode(line, type=SetAside)
