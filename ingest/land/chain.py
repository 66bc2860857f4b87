"""The chain of manifests of one partition: the truth of how far landing came.

Comes in: claims. Goes out: the manifest that holds the place, one's own or the winner's. Each
manifest begins where the one before it ends, the first at offset 0; a manifest that has a successor
is complete, for a lander writes all objects of a cut before it claims the next. Where the topic was
deleted and made again, a manifest of kind `end` closes the chain's generation, and the next begins.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace

from datacore.errors import DifferenceFound, ServiceUnreachable
from ingest.land.bucket import Bucket
from ingest.land.cut import Cut, OpenCut
from ingest.land.manifest import Kind, Manifest, Place, chain_prefix, read_manifest
from ingest.land.objects import NOTHING, ROOT, Body, offset_name
from ingest.land.rules import Rules, read_rules
from ingest.land.source import Hint, Mark, Partition, RetentionOutran, Source
from ingest.versions.arrivals import landed_checksums


def rules_key(rules_hash: str) -> str:
    """Where rules are kept."""
    return f"{ROOT}/_contracts/{rules_hash}.json"


def manifests_since(
    bucket: Bucket, partition: Partition, offset: int, generation: int = 0
) -> list[Manifest]:
    """The manifests that begin at the place or later, in order, with notes of lost objects."""
    prefix = chain_prefix(*partition)
    before = offset_name(generation, 0)[:-20]
    if offset:
        before = f"{offset_name(generation, offset - 1)}~"
    keys = list(bucket.keys(prefix, start_after=f"{prefix}{before}" if before else ""))
    return [
        read_manifest(key, data)
        for key, data in zip(keys, bucket.get_all(keys), strict=True)
    ]  # fmt: skip


def hint_of(manifest: Manifest) -> Hint:
    """What is kept of a cut that is complete."""
    digest = hashlib.sha256(manifest.to_json()).hexdigest()[:16]
    return Hint(manifest.first, manifest.next, manifest.generation, digest)


class Chain:
    """The chain of `partition`, with the means to extend and complete it."""

    def __init__(self, bucket: Bucket, source: Source, partition: Partition) -> None:
        self._bucket = bucket
        self._source = source
        self.partition = partition

    def last(self, hint: Hint | None) -> Manifest | None:
        """The manifest at the chain's end. A hint that proves true shortens the listing."""
        prefix = chain_prefix(*self.partition)
        key = None
        if hint is not None:
            start = f"{prefix}{offset_name(hint.generation, hint.first)}"
            for key in self._claims(start):  # noqa: B007 — the last one
                pass
        if key is None:
            for key in self._claims(""):  # noqa: B007 — the last one
                pass
        return self._read(key) if key is not None else None

    def last_of_each_generation(self) -> list[Manifest]:
        """The newest generation last. Lists the whole chain: for a topic that was made again."""
        prefix = chain_prefix(*self.partition)
        ends: dict[str, str] = {}
        for key in self._claims(""):
            ends[key.removeprefix(prefix).rpartition("+")[0]] = key
        return [self._read(key) for key in ends.values()]

    def _claims(self, start_after: str) -> Iterator[str]:
        for key in self._bucket.keys(chain_prefix(*self.partition), start_after):
            if not key.endswith(".lost.json"):
                yield key

    def _read(self, key: str) -> Manifest:
        data = self._bucket.get(key)
        if data is None:
            raise DifferenceFound(f"manifest {key} is gone", "it must not be removed")
        return read_manifest(key, data)

    def claim(self, manifest: Manifest) -> Manifest:
        """Put `manifest` at its place; the result is what stands there, ours or the winner's."""
        if self._bucket.put_new(manifest.key, manifest.to_json()):
            return manifest
        return self._read(manifest.key)

    def begin_after(
        self, last: Manifest, end: Manifest, topic_id: str
    ) -> tuple[Place, Mark] | Manifest:
        """Where a topic made again begins. `last` is complete and of an earlier topic.

        Closes the generation with `end`; the result is another lander's cut where one was first.
        A topic that Kafka called deleted too early goes on where it was left: ids never come back,
        so what landed of this id is this topic's.
        """
        if not last.kind.closes:
            standing = self.claim(end)
            if not standing.kind.closes:
                return standing
            last = standing
        # only of generations closed before: in the one that begins another lander may have cut already,
        # and its cut has to be met and completed like any other
        before = [
            m
            for m in self.last_of_each_generation()
            if m.topic_id == topic_id and m.generation <= last.generation
        ]
        mark = before[-1].mark if before else Mark(0)
        return Place(last.generation + 1, mark.offset), mark

    def missing(self, manifest: Manifest) -> dict[str, str]:
        """Keys of the objects that were never written with their lines, with the checksums promised."""
        found = landed_checksums(self._bucket, manifest.everything)
        promised = {o.key: o.sha256 for o in manifest.everything}
        return {k: sha256 for k, sha256 in promised.items() if found[k] in (None, NOTHING.sha256)}

    def complete(self, manifest: Manifest) -> Manifest | None:
        """Write what is missing of a cut, from the source and by the cut's own rules.

        Returns a note of what is lost where the source no longer holds the range, or holds it of
        another topic. Raises DifferenceFound where the range gives other lines than the manifest
        promised.
        """
        missing = self.missing(manifest)
        if not missing:
            return None
        if NOTHING.sha256 in self._bucket.checksums(missing).values():
            return self._give_up(manifest)
        if self.of_another_topic(manifest):
            return self._give_up(manifest)
        try:
            bodies = _as_promised(self._again(manifest), missing)
        except RetentionOutran:
            return self._give_up(manifest)
        except (DifferenceFound, ServiceUnreachable):
            if self.of_another_topic(manifest):
                return self._give_up(manifest)
            raise
        return None if self._bucket.put_bodies(bodies) else self._give_up(manifest)

    def of_another_topic(self, manifest: Manifest) -> bool:
        """Whether the topic of that manifest is no more."""
        return _differ(manifest.topic_id, self._source.topic_id(self.partition.topic))

    def _again(self, manifest: Manifest) -> Cut:
        document = self._bucket.get(rules_key(manifest.rules))
        assert document is not None, manifest.rules
        rules = read_rules(document)
        cut = OpenCut(self.partition, manifest.first, rules, manifest.generation)
        again = self._source.read(self.partition, manifest.first, manifest.next, manifest.names)
        for batch in again:
            cut.add(batch)
        return cut.finish(manifest.next, manifest.topic_id, manifest.lander, manifest.written_at)

    def _give_up(self, manifest: Manifest) -> Manifest | None:
        """Note what is lost of a cut; the note, where it is new.

        What is lost is decided object by object, by who writes its key first: the cut's own lander,
        which may only have slept, or this one, with an object that holds nothing. So all who come
        here find the same.
        """
        self._bucket.give_up(self.missing(manifest))
        lost = self.missing(manifest)
        if not lost:
            return None
        note = replace(
            manifest,
            kind=Kind.LOST_OBJECTS,
            records=sum(o.records for o in manifest.everything if o.key in lost),
            min_timestamp=None,
            max_timestamp=None,
            gaps=(),
            objects=tuple(o for o in manifest.objects if o.key in lost),
            quarantine=tuple(o for o in manifest.quarantine if o.key in lost),
            reasons=(),
            producers=(),
        )
        return note if self._bucket.put_new(note.key, note.to_json()) else None

    def bodies(self, manifest: Manifest, wanted: dict[str, str]) -> dict[str, Body]:
        """Objects of a cut again, out of the source, by key; `wanted` are their checksums.

        Writes nothing. Raises RetentionOutran, and DifferenceFound where the range gives other
        lines than the manifest promised.
        """
        return _as_promised(self._again(manifest), wanted)

    def keep_rules(self, rules: Rules) -> None:
        """Keep the rules of the cuts to come."""
        self._bucket.put_new(rules_key(rules.hash), rules.document)


def _differ(one: str, other: str | None) -> bool:
    """Whether two topics' ids are known and not the same; None is no topic's."""
    return other is None or bool(one and other and one != other)


def _as_promised(cut: Cut, missing: dict[str, str]) -> dict[str, Body]:
    for key, sha256 in missing.items():
        body = cut.bodies.get(key)
        if body is None or body.sha256 != sha256:
            raise DifferenceFound(
                f"{key}: Kafka's records give other lines than the manifest promised",
                "the topic was changed under the chain; see docs/ingest.md, “When a cut differs”",
            )
    return {key: cut.bodies[key] for key in missing}
