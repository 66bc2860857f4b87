"""The chain of manifests of one partition: the truth of how far landing came.

Comes in: claims. Goes out: the manifest that holds the place, one's own or the winner's. Each
manifest begins where the one before it ends, the first at offset 0; a manifest that has a successor
is complete, for a lander writes all objects of a cut before it claims the next.
"""

from collections.abc import Iterator

from datacore.errors import DifferenceFound
from ingest.land.bucket import Bucket
from ingest.land.cut import Cut, OpenCut
from ingest.land.manifest import Kind, Manifest, chain_prefix, read_manifest
from ingest.land.objects import ROOT, Body
from ingest.land.rules import Rules, read_rules
from ingest.land.source import Hint, Partition, RetentionOutran, Source


def rules_key(rules_hash: str) -> str:
    """Where rules are kept."""
    return f"{ROOT}/_contracts/{rules_hash}.json"


def manifests_since(bucket: Bucket, partition: Partition, offset: int) -> list[Manifest]:
    """The manifests that begin at `offset` or later, in order, with notes of lost objects."""
    prefix = chain_prefix(*partition)
    before = f"{prefix}{offset - 1:020}~" if offset else ""
    keys = list(bucket.keys(prefix, start_after=before))
    return [
        read_manifest(key, data)
        for key, data in zip(keys, bucket.get_all(keys), strict=True)
    ]  # fmt: skip


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
            start = f"{prefix}{hint.first:020}.json"
            for key in self._claims(prefix, start[: -len(".json")]):  # noqa: B007 — the last one
                pass
        if key is None:
            for key in self._claims(prefix, ""):  # noqa: B007 — the last one
                pass
        if key is None:
            return None
        data = self._bucket.get(key)
        assert data is not None, key
        return read_manifest(key, data)

    def _claims(self, prefix: str, start_after: str) -> Iterator[str]:
        for key in self._bucket.keys(prefix, start_after):
            if not key.endswith(".lost.json"):
                yield key

    def claim(self, manifest: Manifest) -> Manifest:
        """Put `manifest` at its place; the result is what stands there, ours or the winner's."""
        if self._bucket.put_new(manifest.key, manifest.to_json()):
            return manifest
        data = self._bucket.get(manifest.key)
        assert data is not None, manifest.key
        return read_manifest(manifest.key, data)

    def missing(self, manifest: Manifest) -> dict[str, str]:
        """Keys of the objects that are not on S3 yet, with the checksums promised."""
        promised = {o.key: o.sha256 for o in manifest.everything}
        found = self._bucket.checksums(promised)
        return {key: sha256 for key, sha256 in promised.items() if found[key] is None}

    def complete(self, manifest: Manifest) -> Manifest | None:
        """Write what is missing of a cut, from the source and by the cut's own rules.

        Returns a note of what is lost where the source no longer holds the range. Raises
        DifferenceFound where the range gives other lines than the manifest promised.
        """
        missing = self.missing(manifest)
        if not missing:
            return None
        try:
            cut = self._again(manifest)
        except RetentionOutran:
            return self._note_lost(manifest, missing)
        self._bucket.put_bodies(_as_promised(cut, missing))
        return None

    def _again(self, manifest: Manifest) -> Cut:
        document = self._bucket.get(rules_key(manifest.rules))
        assert document is not None, manifest.rules
        cut = OpenCut(self.partition, manifest.first, read_rules(document))
        again = self._source.read(self.partition, manifest.first, manifest.next, manifest.names)
        for batch in again:
            cut.add(batch)
        return cut.finish(manifest.next, manifest.topic_id, manifest.lander, manifest.written_at)

    def _note_lost(self, manifest: Manifest, missing: dict[str, str]) -> Manifest:
        note = Manifest(
            kind=Kind.LOST_OBJECTS,
            topic=manifest.topic,
            topic_id=manifest.topic_id,
            partition=manifest.partition,
            first=manifest.first,
            next=manifest.next,
            records=sum(o.records for o in manifest.everything if o.key in missing),
            rules=manifest.rules,
            lander=manifest.lander,
            written_at=manifest.written_at,
            objects=tuple(o for o in manifest.objects if o.key in missing),
            quarantine=tuple(o for o in manifest.quarantine if o.key in missing),
        )
        self._bucket.put_new(note.key, note.to_json())
        return note

    def keep_rules(self, rules: Rules) -> None:
        """Keep the rules of the cuts to come."""
        self._bucket.put_new(rules_key(rules.hash), rules.document)


def _as_promised(cut: Cut, missing: dict[str, str]) -> dict[str, Body]:
    for key, sha256 in missing.items():
        body = cut.bodies.get(key)
        if body is None or body.sha256 != sha256:
            raise DifferenceFound(
                f"{key}: Kafka's records give other lines than the manifest promised",
                "the topic was changed under the chain; see docs/ingest.md, “When a cut differs”",
            )
    return {key: cut.bodies[key] for key in missing}
