"""Whether the chain of a partition is whole: each offset in one manifest, generation by generation.

Comes in: the links of one chain, in key order. Goes out: findings. Pure.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ingest.audit.facts import Link
from ingest.audit.finding import Finding, FindingKind
from ingest.land.chain import rules_key
from ingest.land.manifest import Kind
from ingest.land.rules import hash_of


def check_chain(links: Sequence[Link]) -> Iterator[Finding]:
    """Begins at 0, no gap, no overlap, generations closed; what is damaged or tells of a loss."""
    for link in links:
        if link.damage is not None:
            yield Finding.of(FindingKind.MANIFEST_DAMAGED, link.place.text, link.damage)
        yield from _loss(link)
    yield from _order([link for link in links if not link.place.note])


def _loss(link: Link) -> Iterator[Finding]:
    manifest, key = link.manifest, link.place.text
    if manifest is None:
        return
    if manifest.kind is Kind.LOST and manifest.extent_unknown:
        yield Finding.of(
            FindingKind.LOST_RANGE,
            key,
            f"records between the sequence numbers {manifest.source_first or '(none landed)'} and "
            f"{manifest.source_last or '(none held)'} may be lost; how many, nobody can tell",
        )
    elif manifest.kind is Kind.LOST:
        yield Finding.of(
            FindingKind.LOST_RANGE,
            key,
            f"Kafka no longer held the offsets [{manifest.first}, {manifest.next}) "
            f"when the lander came to them",
        )
    if manifest.kind is Kind.LOST_OBJECTS:
        names = ", ".join(held.key for held in manifest.everything)
        yield Finding.of(
            FindingKind.LOST_OBJECTS,
            key,
            f"{manifest.records:,} records could not be written before Kafka dropped them: {names}",
        )


def _order(links: Sequence[Link]) -> Iterator[Finding]:
    walk = _Walk()
    for link in links:
        yield from walk.step(link)


@dataclass
class _Walk:
    """Where a chain stands. `at` None: behind a damaged manifest nobody knows."""

    generation: int = 0
    at: int | None = 0
    closed: bool = False
    """The generation has its manifest of kind `end` or `closed`."""
    topic_id: str = ""
    left: dict[str, int] = field(default_factory=dict)
    """Where earlier generations ended, by the topic's id: a topic that was called deleted too early
    goes on in a later generation where it was left."""

    def step(self, link: Link) -> Iterator[Finding]:
        place, manifest = link.place, link.manifest
        if place.generation != self.generation:
            yield from self._next_generation(link)
        elif self.closed:
            yield Finding.of(
                FindingKind.CHAIN_GENERATION, place.text, "it stands behind the generation's end"
            )
        if self.at is not None and place.first > self.at:
            yield Finding.of(
                FindingKind.CHAIN_GAP,
                place.text,
                f"no manifest holds the offsets [{self.at}, {place.first}) before it",
            )
        if self.at is not None and place.first < self.at:
            yield Finding.of(
                FindingKind.CHAIN_OVERLAP,
                place.text,
                f"it begins at {place.first}, the manifest before it ends at {self.at}",
            )
        if manifest is None:
            self.at = None
            return
        self.at = max(self.at or 0, manifest.next)
        self.closed = self.closed or manifest.kind.closes
        if self.topic_id and manifest.topic_id and manifest.topic_id != self.topic_id:
            yield Finding.of(
                FindingKind.CHAIN_GENERATION,
                place.text,
                f"it is of topic id {manifest.topic_id}, those before it of {self.topic_id}",
            )
        self.topic_id = manifest.topic_id or self.topic_id

    def _next_generation(self, link: Link) -> Iterator[Finding]:
        place, manifest = link.place, link.manifest
        if self.at is not None and (not self.closed or place.generation != self.generation + 1):
            yield Finding.of(
                FindingKind.CHAIN_GENERATION,
                place.text,
                f"generation {place.generation} begins, but no manifest ends "
                f"generation {place.generation - 1}",
            )
        if self.topic_id and self.at is not None:
            self.left[self.topic_id] = self.at
        self.generation, self.closed, self.topic_id = place.generation, False, ""
        self.at = None if manifest is None else self.left.get(manifest.topic_id, 0)


def check_rules(links: Iterable[Link], documents: Mapping[str, bytes]) -> Iterator[Finding]:
    """Whether the rules that manifests name are there, and all documents are what they are named.

    `documents` are by the hash that names them.
    """
    cuts = Counter(
        link.manifest.rules
        for link in links
        if link.manifest is not None and not link.manifest.kind.closes
    )
    for named in sorted(cuts.keys() - documents.keys()):
        yield Finding.of(
            FindingKind.RULES_MISSING, rules_key(named), f"{cuts[named]:,} manifests were cut by it"
        )
    for named, document in sorted(documents.items()):
        if hash_of(document) != named:
            yield Finding.of(
                FindingKind.RULES_CHANGED,
                rules_key(named),
                f"its content has the hash {hash_of(document)}; "
                f"{cuts[named]:,} manifests were cut by it",
            )
