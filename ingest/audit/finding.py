"""What an audit finds: one fact that does not hold, where, and what to do about it.

Comes in: nothing. Goes out: `Finding`s of a fixed set of kinds; docs/audit.md has a row for each.
"""

from dataclasses import dataclass
from enum import StrEnum


class FindingKind(StrEnum):
    """What does not hold."""

    BUCKET_UNENCRYPTED = "bucket_unencrypted"
    UNENCRYPTED = "unencrypted"
    OTHER_KEY = "other_key"

    CHAIN_GAP = "chain_gap"
    CHAIN_OVERLAP = "chain_overlap"
    CHAIN_GENERATION = "chain_generation"
    MANIFEST_DAMAGED = "manifest_damaged"
    RULES_MISSING = "rules_missing"
    RULES_CHANGED = "rules_changed"

    OBJECT_MISSING = "object_missing"
    OBJECT_EDITED = "object_edited"
    OBJECT_DAMAGED = "object_damaged"
    OBJECT_UNNOTED = "object_unnoted"
    OBJECT_UNKNOWN = "object_unknown"

    HOUR_LOG_HOLE = "hour_log_hole"
    HOUR_LOG_DAMAGED = "hour_log_damaged"
    HOUR_LOG_TOTALS = "hour_log_totals"
    HOUR_LOG_AHEAD = "hour_log_ahead"
    HOUR_LOG_BEHIND = "hour_log_behind"

    RECORD_DAMAGED = "record_damaged"
    RECORD_HOLE = "record_hole"
    REPLAYED_TWICE = "replayed_twice"
    VERSION_RECORDS = "version_records"

    GLUE_TABLE = "glue_table"
    GLUE_PARTITION = "glue_partition"
    GLUE_LOCATION = "glue_location"

    SEQUENCE_REPEATED = "sequence_repeated"

    LOST_RANGE = "lost_range"
    LOST_OBJECTS = "lost_objects"
    SEQUENCE_LOST = "sequence_lost"


LOSSES = frozenset(
    {FindingKind.LOST_RANGE, FindingKind.LOST_OBJECTS, FindingKind.SEQUENCE_LOST}
)  # fmt: skip
"""Lines that are gone, though the store says so truly: nothing in it needs repair."""

EARLIER_VERSION = "restore it from the bucket's earlier versions"

NEXT = {
    FindingKind.BUCKET_UNENCRYPTED: "set SSE-KMS with a key of your own as the bucket's default",
    FindingKind.UNENCRYPTED: "copy the object onto itself, so that the bucket's default encrypts it",
    FindingKind.OTHER_KEY: "copy the object onto itself, so that the bucket's key encrypts it",
    FindingKind.CHAIN_GAP: f"a manifest was removed: {EARLIER_VERSION}",
    FindingKind.CHAIN_OVERLAP: "a manifest was written by hand or by another program: find out which, remove it",
    FindingKind.CHAIN_GENERATION: "a manifest was removed or written by hand: compare it with the bucket's earlier versions",
    FindingKind.MANIFEST_DAMAGED: f"it was edited or truncated: {EARLIER_VERSION}",
    FindingKind.RULES_MISSING: f"{EARLIER_VERSION}; without it no cut of these rules can be completed",
    FindingKind.RULES_CHANGED: f"it was edited or truncated: {EARLIER_VERSION}",
    FindingKind.OBJECT_MISSING: "`datacore repair` writes it again while Kafka holds its records",
    FindingKind.OBJECT_EDITED: "`datacore repair --replace` writes the true one while Kafka holds its records",
    FindingKind.OBJECT_DAMAGED: "`datacore repair --replace` writes the true one while Kafka holds its records",
    FindingKind.OBJECT_UNNOTED: "copy the object onto itself with the metadata `sha256` and `records`, else a lander that meets it stops",
    FindingKind.OBJECT_UNKNOWN: "find out who wrote it, then move it out of production-logs/",
    FindingKind.HOUR_LOG_HOLE: EARLIER_VERSION,
    FindingKind.HOUR_LOG_DAMAGED: f"it was edited or truncated: {EARLIER_VERSION}",
    FindingKind.HOUR_LOG_TOTALS: "compare the entry with the bucket's earlier versions; what was built on it may be wrong",
    FindingKind.HOUR_LOG_AHEAD: f"a manifest was removed, or the entry edited: {EARLIER_VERSION}",
    FindingKind.HOUR_LOG_BEHIND: "run `datacore land --until-caught-up`",
    FindingKind.RECORD_DAMAGED: f"it was edited or truncated: {EARLIER_VERSION}",
    FindingKind.RECORD_HOLE: EARLIER_VERSION,
    FindingKind.REPLAYED_TWICE: "a record was written by hand or by another program: the lines are in S3 twice",
    FindingKind.VERSION_RECORDS: "run the replay or the compaction of the hour again; if it stays, compare the folder with its version's record",
    FindingKind.GLUE_TABLE: "add the contract back (or move its hours away), then `datacore register`",
    FindingKind.GLUE_PARTITION: "run `datacore register`",
    FindingKind.GLUE_LOCATION: "point the partition at the folder named",
    FindingKind.SEQUENCE_REPEATED: "see who sends without a transaction; staging drops duplicates by the event's id",
    FindingKind.LOST_RANGE: "send the lines again from their files, if they are kept; give the topic a longer retention",
    FindingKind.LOST_OBJECTS: "send the lines again from their files, if they are kept",
    FindingKind.SEQUENCE_LOST: "look at the same lines of the file on its host; a lost range explains it",
}


@dataclass(frozen=True)
class Finding:
    """One fact that does not hold."""

    kind: FindingKind
    key: str
    """The S3 key, table, chain or file that it is about."""
    wrong: str
    """What is wrong, with the numbers."""
    next: str
    """What to do about it."""

    @classmethod
    def of(cls, kind: FindingKind, key: str, wrong: str) -> "Finding":
        """A finding with its kind's next step."""
        return cls(kind, key, wrong, NEXT[kind])

    @property
    def is_loss(self) -> bool:
        """Lines are gone, and the store says so truly."""
        return self.kind in LOSSES
