"""What an audit sees: objects as S3 answers them, manifests as they were read, Glue's partitions.

Comes in: keys and bytes. Goes out: frozen facts that the checks judge. Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from datacore.errors import UsageError
from ingest.land.manifest import Kind, Manifest, ManifestKey, read_manifest


@dataclass(frozen=True)
class Listed:
    """An object in a listing. `size` is of the bytes as stored."""

    key: str
    size: int


@dataclass(frozen=True)
class Content:
    """What an object's lines really are. `broken` says where reading them failed."""

    records: int
    bytes: int
    sha256: str
    broken: str | None = None


@dataclass(frozen=True)
class Stored:
    """An object as S3 answered for it. `content` is None where it was not read."""

    key: str
    algorithm: str | None
    """How it is encrypted at rest."""
    kms_key: str | None
    noted_sha256: str | None
    noted_records: str | None
    content: Content | None = None


@dataclass(frozen=True)
class BucketKey:
    """The bucket's default encryption. `names` are all names of its key, ARN among them."""

    algorithm: str | None
    names: frozenset[str] = frozenset()

    def is_named(self, key: str | None) -> bool:
        """Whether `key`, an ARN as S3 gives it, is the bucket's key."""
        return key is not None and (key in self.names or key.rpartition(":key/")[2] in self.names)


@dataclass(frozen=True)
class Scope:
    """What is audited: one topic or all, and event days (`yyyy-mm-dd`, both included) or all.

    Chains and hour logs are always read whole; days bound the objects and Glue's hours.
    """

    topic: str | None = None
    first_day: str | None = None
    last_day: str | None = None

    def covers(self, dt: str) -> bool:
        """Whether the day is audited."""
        return (self.first_day or dt) <= dt <= (self.last_day or dt)


@dataclass(frozen=True)
class Promise:
    """An object that something promised. `by` is the key of the manifest or record."""

    key: str
    dt: str
    """Its day: of the event, or in quarantine of Kafka's timestamp."""
    records: int
    sha256: str
    by: str
    needed: bool = True
    """False where it may be gone: superseded by a version, or told as lost."""


@dataclass(frozen=True)
class Link:
    """One manifest of a chain. `damage` is set where it is not to be believed."""

    place: ManifestKey
    manifest: Manifest | None
    damage: str | None = None


def read_link(place: ManifestKey, data: bytes) -> Link:
    """Read a manifest; what is unreadable or contradicts itself is damage, not an error."""
    try:
        manifest = read_manifest(place.text, data)
    except UsageError as error:
        return Link(place, None, str(error.__cause__))
    return Link(place, manifest, "; ".join(_contradictions(place, manifest)) or None)


def _contradictions(place: ManifestKey, manifest: Manifest) -> Iterable[str]:
    if manifest.key != place.text:
        yield f"it says that it is {manifest.key}"
    length = manifest.next - manifest.first
    if length < 0 or (length == 0) != manifest.kind.closes:
        yield f"its range is [{manifest.first}, {manifest.next})"
    if manifest.kind is not Kind.CUT:
        return
    held = sum(o.records for o in manifest.everything)
    if held != manifest.records:
        yield f"its objects hold {held:,} records, it says {manifest.records:,}"
    gaps = sum(after - before for before, after in manifest.gaps)
    if manifest.records + gaps != length:
        yield f"{manifest.records:,} records and {gaps:,} gaps are no {length:,} offsets"
    aside = sum(o.records for o in manifest.quarantine)
    reasons = sum(r.records for r in manifest.reasons)
    if aside != reasons:
        yield f"its reasons count {reasons:,} records, its quarantine objects {aside:,}"
