"""Whether each object is what was promised of it, encrypted by the bucket's key, and promised.

Comes in: promises, objects as S3 answered for them, keys as listed. Goes out: findings. Pure.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator

from ingest.audit.facts import BucketKey, Link, Listed, Promise, Stored
from ingest.audit.finding import Finding, FindingKind
from ingest.audit.records import (
    CUT_OBJECT,
    RAW_KEY,
    REPLAY_KEY,
    RULES_KEY,
    LogPlace,
    VersionPlace,
)
from ingest.land.manifest import Kind, ManifestKey
from ingest.land.objects import ROOT

KMS = "aws:kms"
NOTHING = (hashlib.sha256().hexdigest(), "0")
"""What an object notes that was given up as lost: it has no lines."""


def promises_of(links: Iterable[Link]) -> Iterator[Promise]:
    """Every object that the manifests of chains promise; those told as lost are not needed."""
    listed = list(links)
    lost = {
        held.key
        for link in listed
        if link.place.note and link.manifest is not None
        for held in link.manifest.everything
    }
    for link in listed:
        if link.place.note or link.manifest is None or link.manifest.kind is not Kind.CUT:
            continue
        for held in link.manifest.everything:
            yield Promise(
                key=held.key,
                dt=held.dt,
                records=held.records,
                sha256=held.sha256,
                by=link.place.text,
                needed=held.key not in lost,
            )


def check_object(promise: Promise, stored: Stored | None) -> Iterator[Finding]:
    """One promised object against what S3 holds."""
    promised = f"{promise.by} promised {promise.records:,} records, sha256 {promise.sha256}"
    if stored is None:
        if promise.needed:
            yield Finding.of(FindingKind.OBJECT_MISSING, promise.key, promised)
        return
    noted = (stored.noted_sha256, stored.noted_records)
    holds = noted
    if stored.content is not None:
        holds = (stored.content.sha256, str(stored.content.records))
        if stored.content.broken is not None:
            wrong = f"behind {holds[1]} records: {stored.content.broken}; {promised}"
            yield Finding.of(FindingKind.OBJECT_DAMAGED, promise.key, wrong)
            return
    if holds == NOTHING and not promise.needed:
        return
    true = (promise.sha256, str(promise.records))
    if holds == NOTHING:
        wrong = f"it was given up and holds nothing, but no note says so; {promised}"
        yield Finding.of(FindingKind.OBJECT_MISSING, promise.key, wrong)
    elif holds != true and holds[0] is not None:
        wrong = f"it holds {holds[1]} records, sha256 {holds[0]}; {promised}"
        yield Finding.of(FindingKind.OBJECT_EDITED, promise.key, wrong)
    elif noted != true:
        wrong = f"its metadata says {noted[1]} records, sha256 {noted[0]}; {promised}"
        yield Finding.of(FindingKind.OBJECT_UNNOTED, promise.key, wrong)


def check_encryption(stored: Stored, key: BucketKey) -> Iterator[Finding]:
    """Encrypted at rest, by KMS, with the bucket's default key."""
    if stored.algorithm is None or not stored.algorithm.startswith(KMS):
        wrong = f"it is encrypted with {stored.algorithm or 'nothing'}, not {KMS}"
        yield Finding.of(FindingKind.UNENCRYPTED, stored.key, wrong)
    elif key.names and not key.is_named(stored.kms_key):
        wrong = f"it is encrypted with {stored.kms_key}, the bucket's key is {min(key.names)}"
        yield Finding.of(FindingKind.OTHER_KEY, stored.key, wrong)


def check_bucket(bucket: str, key: BucketKey) -> Iterator[Finding]:
    """The bucket encrypts by KMS what is written to it."""
    if key.algorithm is None or not key.algorithm.startswith(KMS):
        wrong = f"its default encryption is {key.algorithm or 'none'}, not {KMS}"
        yield Finding.of(FindingKind.BUCKET_UNENCRYPTED, f"s3://{bucket}", wrong)


def is_of_ledger(key: str) -> bool:
    """Whether a key has the form of a manifest, log entry, rules, replay or version record."""
    return (
        ManifestKey.parse(key) is not None
        or LogPlace.parse(key) is not None
        or VersionPlace.parse(key) is not None
        or RULES_KEY.fullmatch(key) is not None
        or REPLAY_KEY.fullmatch(key) is not None
    )


def check_unknown(
    listed: Iterable[Listed], known: Collection[str], damaged: Collection[ManifestKey]
) -> Iterator[Finding]:
    """Objects that nothing speaks of; those of a damaged manifest wait for its repair.

    An empty object whose key ends with a slash marks a folder: Hive and S3's consoles make such.
    """
    for held in listed:
        marks_a_folder = held.key.endswith("/") and held.size == 0
        if marks_a_folder or held.key in known or is_of_ledger(held.key):
            continue
        if damaged and cut_of(held.key) in damaged:
            continue
        wrong = f"no manifest, replay or version speaks of it; it has {held.size:,} bytes"
        yield Finding.of(FindingKind.OBJECT_UNKNOWN, held.key, wrong)


def cut_of(key: str) -> ManifestKey | None:
    """The manifest that would promise an object of this name; None for no cut's object."""
    found = CUT_OBJECT.fullmatch(key.rpartition("/")[2])
    if found is None:
        return None
    topic, generation, partition, aside_generation, first = found.groups()
    aside = key.startswith(f"{ROOT}/_quarantine/")
    if aside == (topic is not None) or not (aside or RAW_KEY.fullmatch(key)):
        return None
    name = key.removeprefix(f"{ROOT}/_quarantine/").partition("/")[0] if aside else topic
    return ManifestKey(name, int(partition), int(generation or aside_generation or 0), int(first))
