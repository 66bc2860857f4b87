"""The hour log: totals so far, seals, revisions, and where it is read from."""

from dataclasses import replace

import pytest

from datacore.errors import UsageError
from ingest.land.hourlog import BLOCK, Entry, Hour, HourTotals, Ledger, read_entry
from ingest.land.manifest import Kind, LandedObject, Manifest

HOUR_3 = 1_767_326_400_000
"""2026-01-02T04:00:00Z: the hour 03 is over."""
GRACE = 600_000
SEALED = HOUR_3 + GRACE
ASKED = HOUR_3 + 3_600_000
LANDED_AT = "2026-01-02T05:00:00.000Z"
"""An hour after the hour 03 was over."""


def cut(first: int, next_: int, at: int, records: int = 0, late: int = 0) -> Manifest:
    """A cut with `records` of hour 03, the last of which Kafka stamped `at`."""
    objects = (LandedObject("k", "click", "2026-01-02", "03", records, records * 10, late, "s"),)
    return Manifest(
        Kind.CUT, "t", "id", 0, first, next_, records, "r", "l", LANDED_AT,
        min_timestamp=at, max_timestamp=at, objects=objects if records else (),
    )  # fmt: skip


def hour(records: int, late: int = 0, sealed: bool = False) -> HourTotals:
    return HourTotals("click", "2026-01-02", "03", records, records * 10, late, sealed)


def entry(
    ledger: Ledger,
    manifests: dict[int, list[Manifest]],
    idle: set[int] | None = None,
    asked: int = ASKED,
) -> Entry | None:
    """The next entry, applied."""
    made = ledger.next_entry(manifests, idle or set(), asked, GRACE, "now")
    if made is not None:
        ledger.apply(made)
    return made


def test_an_entry_tells_totals_so_far_of_the_hours_that_changed() -> None:
    ledger = Ledger("t")
    first = entry(ledger, {0: [cut(0, 5, HOUR_3, 5)], 1: []})
    second = entry(ledger, {0: [cut(5, 8, HOUR_3, 3), cut(8, 9, HOUR_3, 1)], 1: []})
    assert first is not None
    assert second is not None
    assert (first.sequence, first.offsets, first.hours) == (0, {"0": 5, "1": 0}, (hour(5),))
    assert (second.sequence, second.offsets, second.hours) == (1, {"0": 9, "1": 0}, (hour(9),))


def test_nothing_new_makes_no_entry() -> None:
    ledger = Ledger("t")
    assert entry(ledger, {0: [], 1: []}) is None
    entry(ledger, {0: [cut(0, 5, HOUR_3, 5)]})
    assert entry(ledger, {0: []}) is None


def test_an_hour_is_sealed_when_every_partition_has_passed_it_and_the_grace() -> None:
    ledger = Ledger("t")
    entry(ledger, {0: [cut(0, 5, SEALED, 5)], 1: [cut(0, 1, SEALED - 1, 1)]})
    assert not ledger.hours[Hour("click", "2026-01-02", "03")].sealed
    sealing = entry(ledger, {0: [], 1: [cut(1, 2, SEALED)]})
    assert sealing is not None
    assert sealing.hours == (hour(6, sealed=True),)


def test_a_record_from_the_future_seals_nothing_that_is_still_to_come() -> None:
    ledger = Ledger("t")
    first = entry(ledger, {0: [cut(0, 5, 2**63 - 1, 5)]})
    assert first is not None
    assert first.watermarks == {"0": HOUR_3 + 3_600_000}
    late = LandedObject("k", "click", "2026-01-02", "06", 1, 10, 0, "s")
    second = ledger.next_entry(
        {0: [replace(cut(5, 6, 2**62, 1), objects=(late,))]}, set(), ASKED, GRACE, "now"
    )
    assert second is not None
    assert [(h.hour, h.sealed) for h in second.hours] == [("06", False)]


def test_an_idle_partition_passes_with_the_clock() -> None:
    ledger = Ledger("t")
    entry(ledger, {0: [cut(0, 5, SEALED, 5)], 1: []})
    assert not ledger.hours[Hour("click", "2026-01-02", "03")].sealed
    assert entry(ledger, {0: [], 1: []}, {1}, asked=SEALED - 1) is None
    sealing = entry(ledger, {0: [], 1: []}, {1}, asked=SEALED)
    assert sealing is not None
    assert sealing.hours == (hour(5, sealed=True),)


def test_nothing_is_sealed_beyond_the_moment_at_which_the_partitions_were_asked_for() -> None:
    """A partition that was added since may hold more of the hour."""
    ledger = Ledger("t")
    entry(ledger, {0: [cut(0, 5, SEALED, 5)]}, asked=SEALED - 1)
    assert not ledger.hours[Hour("click", "2026-01-02", "03")].sealed
    entry(ledger, {0: [], 1: [cut(0, 1, SEALED - 1, 1)]}, asked=ASKED)
    assert not ledger.hours[Hour("click", "2026-01-02", "03")].sealed
    entry(ledger, {0: [], 1: [cut(1, 2, SEALED)]}, asked=ASKED)
    assert ledger.hours[Hour("click", "2026-01-02", "03")] == hour(6, sealed=True)


def test_an_entry_that_does_not_follow_is_told_with_what_to_do() -> None:
    ledger = Ledger("t")
    with pytest.raises(UsageError, match=r"0000001\.json does not follow entry -1") as told:
        ledger.apply(Entry("t", 1, "now", {}, {}, ()))
    assert "restore it" in told.value.hint


def test_late_data_after_the_seal_is_a_revision() -> None:
    ledger = Ledger("t")
    entry(ledger, {0: [cut(0, 5, SEALED, 5)]})
    revision = entry(ledger, {0: [cut(5, 7, SEALED + 10, 2, late=2)]})
    assert revision is not None
    assert revision.hours == (hour(7, late=2, sealed=True),)


def test_objects_that_were_lost_are_not_counted() -> None:
    whole = cut(0, 5, HOUR_3, 5)
    note = Manifest(
        Kind.LOST_OBJECTS, "t", "id", 0, 0, 5, 5, "r", "l", LANDED_AT, objects=whole.objects
    )
    made = Ledger("t").next_entry({0: [whole, note]}, set(), ASKED, GRACE, "now")
    assert made is not None
    assert made.hours == (hour(0),)


def test_an_entry_is_read_again_as_it_was_written() -> None:
    made = Ledger("t").next_entry({0: [cut(0, 5, HOUR_3, 5)]}, set(), ASKED, GRACE, "now")
    assert made is not None
    assert read_entry(made.key, made.to_json()) == made
    assert made.key == "production-logs/_hours/t/0/00000000000000000000.json"


def test_a_block_holds_a_thousand_entries() -> None:
    late = Entry("t", BLOCK, "now", {}, {}, ())
    assert late.key == "production-logs/_hours/t/1/00000000000000001000.json"


def test_a_ledger_is_the_same_from_its_snapshot() -> None:
    ledger = Ledger("t")
    entry(ledger, {0: [cut(0, 5, SEALED, 5)], 1: [cut(0, 1, HOUR_3, 1)]})
    again = Ledger("t", sequence=ledger.sequence - 1)
    again.apply(read_entry("k", ledger.snapshot()))
    assert again == ledger
