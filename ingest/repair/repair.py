"""Repair: what is missing or edited is made again by its manifest, and compared before it stands.

Comes in: objects that an audit judged, the chains, the source. Goes out: an `Action` for each. An
object that is there is removed only if asked for, and only when the true one is in hand.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from datacore.errors import DatacoreError
from ingest.audit.audit import Judged
from ingest.audit.facts import Promise, Stored
from ingest.audit.finding import FindingKind
from ingest.audit.look import Seen
from ingest.audit.objects import check_object
from ingest.audit.records import HourObject, hour_folder
from ingest.land.bucket import Bucket
from ingest.land.chain import Chain, rules_key
from ingest.land.manifest import Manifest
from ingest.land.objects import Body
from ingest.land.rules import hash_of
from ingest.land.source import Mark, Partition, RetentionOutran, Source

REPAIRED = frozenset(
    {FindingKind.OBJECT_MISSING, FindingKind.OBJECT_EDITED, FindingKind.OBJECT_DAMAGED}
)


class Outcome(StrEnum):
    """What became of an object."""

    RESTORED = "restored"
    REPLACED = "replaced"
    WOULD_RESTORE = "would restore"
    WOULD_REPLACE = "would replace"
    LEFT = "left as it is"
    """It holds other lines, and nobody asked to replace it."""
    NOT_RESTORED = "not restored"


@dataclass(frozen=True)
class Action:
    """One object and what was done about it."""

    outcome: Outcome
    key: str
    why: str

    @property
    def is_open(self) -> bool:
        """Whether the object is still not what was promised."""
        return self.outcome in (Outcome.LEFT, Outcome.NOT_RESTORED)


class NotRestorable(Exception):
    """The object cannot be made again; the text says why."""


@dataclass(frozen=True)
class Means:
    """What a repair works with."""

    bucket: Bucket
    source: Callable[[str], Source | None]
    """Kafka's view of a topic; None where it has none."""
    examine: Callable[[str], Stored | None]
    replace: bool = False
    """Remove an object that holds other lines, and write the true one."""
    dry_run: bool = False
    """Make everything again and compare it, but write and remove nothing."""


class Repair:
    """One repair of what was `seen`."""

    def __init__(self, seen: Seen, means: Means) -> None:
        self._seen = seen
        self._means = means
        self._manifests = {
            link.place.text: link.manifest for link in seen.links() if link.manifest is not None
        }

    def run(self, judged: Iterable[Judged]) -> Iterator[Action]:
        """Repair those that are missing or edited; what lacks nothing is passed over."""
        by_record: dict[str, list[Judged]] = defaultdict(list)
        for one in judged:
            if {finding.kind for finding in one.findings} & REPAIRED:
                by_record[one.promise.by].append(one)
        # raw objects first: a copy in a version's folder is made of them
        for by in sorted(by_record, key=lambda key: (key not in self._manifests, key)):
            yield from self._repair(by, by_record[by])

    def _repair(self, by: str, judged: list[Judged]) -> Iterator[Action]:
        asked = []
        for one in judged:
            if _is_spoilt(one) and not self._means.replace:
                why = "; ".join(finding.wrong for finding in one.findings)
                yield Action(Outcome.LEFT, one.promise.key, f"{why}; --replace writes the true one")
            else:
                asked.append(one)
        if not asked:
            return
        manifest = self._manifests.get(by)
        try:
            if manifest is None:
                bodies: Mapping[str, Body | None] = {one.promise.key: None for one in asked}
            else:
                bodies = self._again(
                    manifest, {one.promise.key: one.promise.sha256 for one in asked}
                )
        except NotRestorable as error:
            for one in asked:
                yield Action(Outcome.NOT_RESTORED, one.promise.key, str(error))
            return
        for one in asked:
            yield self._write(one, bodies[one.promise.key])

    def _again(self, manifest: Manifest, wanted: dict[str, str]) -> dict[str, Body]:
        """Objects of a cut out of Kafka. Raises NotRestorable."""
        document = self._seen.documents.get(manifest.rules)
        if document is None or hash_of(document) != manifest.rules:
            raise NotRestorable(f"its rules {rules_key(manifest.rules)} are missing or changed")
        source = self._means.source(manifest.topic)
        if source is None:
            raise NotRestorable(f"Kafka has no topic {manifest.topic}")
        if manifest.topic_id and source.topic_id(manifest.topic) not in ("", manifest.topic_id):
            raise NotRestorable(f"its topic was deleted; {manifest.topic} was made again since")
        partition = Partition(manifest.topic, manifest.partition)
        offsets = f"the offsets [{manifest.first}, {manifest.next}) of partition {partition.number}"
        if source.ends().get(partition, 0) < manifest.next:
            raise NotRestorable(f"Kafka does not reach {offsets}")
        if not manifest.names and source.dropped(partition, Mark(manifest.first)) is not None:
            raise NotRestorable(f"Kafka no longer holds {offsets}")
        try:
            return Chain(self._means.bucket, source, partition).bodies(manifest, wanted)
        except RetentionOutran as error:
            raise NotRestorable(f"Kafka no longer holds {offsets}") from error
        except DatacoreError as error:
            if error.exit_code != error.exit_code.DIFFERENCE:
                raise
            raise NotRestorable(error.message) from error

    def _write(self, one: Judged, body: Body | None) -> Action:
        promise, means = one.promise, self._means
        try:
            data, whence = (body.data, "Kafka") if body else self._copy(promise)
        except NotRestorable as error:
            return Action(Outcome.NOT_RESTORED, promise.key, str(error))
        spoilt = _is_spoilt(one)
        holds = f"{promise.records:,} records from {whence}, as {promise.by} promised"
        if means.dry_run:
            outcome = Outcome.WOULD_REPLACE if spoilt else Outcome.WOULD_RESTORE
            return Action(outcome, promise.key, holds)
        if spoilt:
            means.bucket.remove([promise.key])
        noted = {"sha256": promise.sha256, "records": str(promise.records)}
        means.bucket.put_new(promise.key, data, noted)
        for finding in check_object(promise, means.examine(promise.key)):
            return Action(Outcome.NOT_RESTORED, promise.key, finding.wrong)
        return Action(Outcome.REPLACED if spoilt else Outcome.RESTORED, promise.key, holds)

    def _copy(self, promise: Promise) -> tuple[bytes, str]:
        """An object of a version's folder that is a copy of one in the base folder."""
        place = HourObject.parse(promise.key)
        if place is None or not place.version:
            raise NotRestorable(f"{promise.by} promised it: run its replay again")
        base = f"{hour_folder(place.hour, 0)}/{place.name}"
        original = self._means.examine(base)
        if original is None or original.noted_sha256 != promise.sha256:
            raise NotRestorable(f"{promise.by} promised it: run `datacore compact` again")
        if any(check_object(promise, original)):
            raise NotRestorable(f"{base} is not what was promised either")
        data = self._means.bucket.get(base)
        if data is None:
            raise NotRestorable(f"{base} is gone")
        return data, base


def _is_spoilt(one: Judged) -> bool:
    """Whether something stands where the object should: other lines, or a lander's giving it up."""
    return one.stored is not None
