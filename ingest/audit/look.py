"""Looking: everything that an audit sees before it reads the objects themselves.

Comes in: the store, Glue, a scope. Goes out: `Seen`. Only reads. The order lets landers go on
meanwhile: objects are listed before the manifests that promise them are read, logs before Glue
and the chains that they cover; so what is seen first is never ahead of what is seen later.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ingest.audit.facts import BucketKey, Link, Listed, Scope, read_link
from ingest.audit.finding import Finding, FindingKind
from ingest.audit.glue import Locations, version_read
from ingest.audit.log import LogObject
from ingest.audit.objects import check_bucket, check_encryption, check_unknown, cut_of
from ingest.audit.records import (
    REPLAY_KEY,
    RULES_KEY,
    LogEntry,
    LogPlace,
    Replay,
    Version,
    VersionPlace,
    read_record,
)
from ingest.audit.store import Store
from ingest.land.hourlog import Hour, log_prefix
from ingest.land.manifest import ManifestKey
from ingest.land.objects import ROOT
from ingest.register.catalog import Catalog
from ingest.register.tables import PLATFORM, RAW

LEDGER = ("_contracts", "_cuts", "_hours", "_replays", "_versions")
"""Folders whose objects are records about the others."""


@dataclass
class Topic:
    """All that the ledger says of one topic."""

    name: str
    log: list[LogObject] = field(default_factory=list)
    replays: list[Replay] = field(default_factory=list)
    chains: dict[int, list[Link]] = field(default_factory=lambda: defaultdict(list))

    def links(self) -> Iterator[Link]:
        """The links of all chains."""
        for _, links in sorted(self.chains.items()):
            yield from links


@dataclass
class Seen:
    """What an audit saw, and what it found wrong in seeing it."""

    bucket: str
    key: BucketKey
    listed: list[Listed] = field(default_factory=list)
    """Objects of the scope that are no records about others."""
    topics: dict[str, Topic] = field(default_factory=dict)
    documents: dict[str, bytes] = field(default_factory=dict)
    """Rules by the hash that names them."""
    versions: dict[Hour, dict[int, Version]] = field(default_factory=lambda: defaultdict(dict))
    raw: dict[str, Locations | None] = field(default_factory=dict)
    """Glue's partitions of the raw tables that the hour logs name; None: no such table."""
    platform: dict[str, Locations | None] = field(default_factory=dict)
    read: dict[Hour, int | None] = field(default_factory=dict)
    """The version of each hour that Glue points at."""
    findings: list[Finding] = field(default_factory=list)

    def links(self) -> Iterator[Link]:
        """The links of all chains of all topics."""
        for topic in self.topics.values():
            yield from topic.links()


def look(store: Store, catalog: Catalog, scope: Scope) -> Seen:
    """See everything in the scope."""
    return _Looking(store, catalog, scope).look()


class _Looking:
    def __init__(self, store: Store, catalog: Catalog, scope: Scope) -> None:
        self._store = store
        self._catalog = catalog
        self._scope = scope
        self._seen = Seen(store.name, store.default_key())

    def look(self) -> Seen:
        seen = self._seen
        self._tell(check_bucket(seen.bucket, seen.key))
        seen.listed = list(self._data())
        self._logs()
        self._glue()
        self._versions()
        self._chains()
        self._rules()
        return seen

    def _tell(self, findings: Iterable[Finding]) -> None:
        self._seen.findings.extend(findings)

    def _data(self) -> Iterator[Listed]:
        topic = self._scope.topic
        if self._scope.first_day is None and self._scope.last_day is None:
            found: Iterable[Listed] = self._store.listed(f"{ROOT}/")
        else:
            found = self._data_of_days()
        for held in found:
            if held.key.removeprefix(f"{ROOT}/").partition("/")[0] in LEDGER:
                if topic is None:
                    self._tell(check_unknown([held], (), ()))
            elif topic is None or topic_of(held.key) == topic:
                yield held

    def _data_of_days(self) -> Iterator[Listed]:
        for name in self._store.folders(f"{ROOT}/"):
            if name in ("_quarantine", "_versioned"):
                for under in self._store.folders(f"{ROOT}/{name}/"):
                    yield from self._days(f"{ROOT}/{name}/{under}/")
            elif name not in LEDGER:
                yield from self._days(f"{ROOT}/{name}/")

    def _days(self, prefix: str) -> Iterator[Listed]:
        """Objects of the scope's days under a folder of days."""
        first, last = self._scope.first_day, self._scope.last_day
        return self._store.listed(
            prefix,
            f"{prefix}{first.replace('-', '/')}/" if first else "",
            f"{prefix}{last.replace('-', '/')}/" if last else "",
        )

    def _documents(self, listed: Iterable[Listed]) -> Iterator[tuple[str, bytes]]:
        """Keys and bytes of records; each must be encrypted as all other objects."""
        keys = (held.key for held in listed)
        for answer in self._store.side_by_side(self._store.read, keys):
            if answer is not None:
                stored, data = answer
                self._tell(check_encryption(stored, self._seen.key))
                yield stored.key, data

    def _names(self, *folders: str) -> list[str]:
        if self._scope.topic is not None:
            return [self._scope.topic]
        return sorted({name for f in folders for name in self._store.folders(f"{ROOT}/{f}/")})

    def _topic(self, name: str) -> Topic:
        return self._seen.topics.setdefault(name, Topic(name))

    def _logs(self) -> None:
        for name in self._names("_hours"):
            for key, data in self._documents(self._store.listed(log_prefix(name))):
                place = LogPlace.parse(key)
                if place is not None:
                    entry = read_record(data, LogEntry)
                    self._topic(name).log.append(LogObject(place, key, entry))

    def _glue(self) -> None:
        seen = self._seen
        hours = {
            Hour(told.data_type, told.dt, told.hour)
            for topic in seen.topics.values()
            for held in topic.log
            if isinstance(held.entry, LogEntry)
            for told in held.entry.hours
        }
        for data_type in sorted({hour.data_type for hour in hours}):
            seen.raw[data_type] = self._catalog.locations(RAW, data_type)
        for hour in hours:
            seen.read[hour] = version_read(seen.bucket, hour, seen.raw[hour.data_type])
        for name in ("cut", "hour", "quarantine", "replay"):
            seen.platform[name] = self._catalog.locations(PLATFORM, name)

    def _versions(self) -> None:
        for data_type in self._store.folders(f"{ROOT}/_versions/"):
            for key, data in self._documents(self._days(f"{ROOT}/_versions/{data_type}/")):
                place = VersionPlace.parse(key)
                version = read_record(data, Version)
                if isinstance(version, str):
                    self._tell([Finding.of(FindingKind.RECORD_DAMAGED, key, version)])
                elif place is not None:
                    self._seen.versions[place.hour][place.number] = version

    def _chains(self) -> None:
        for name in self._names("_cuts", "_replays"):
            topic = self._topic(name)
            for key, data in self._documents(self._store.listed(f"{ROOT}/_replays/{name}/")):
                replay = read_record(data, Replay)
                if isinstance(replay, str):
                    self._tell([Finding.of(FindingKind.RECORD_DAMAGED, key, replay)])
                elif REPLAY_KEY.fullmatch(key):
                    topic.replays.append(replay)
            for key, data in self._documents(self._store.listed(f"{ROOT}/_cuts/{name}/")):
                place = ManifestKey.parse(key)
                if place is not None:
                    topic.chains[place.partition].append(read_link(place, data))

    def _rules(self) -> None:
        for key, data in self._documents(self._store.listed(f"{ROOT}/_contracts/")):
            match = RULES_KEY.fullmatch(key)
            if match is not None:
                self._seen.documents[match[1]] = data


def topic_of(key: str) -> str | None:
    """The topic whose object a key names: a cut's, or a replay's."""
    cut = cut_of(key)
    if cut is not None:
        return cut.topic
    name, plus, _ = key.rpartition("/")[2].partition("+replay+")
    return name if plus else None
