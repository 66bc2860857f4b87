"""Replay against faults: whatever is killed or doubled, each record that was set aside lands once."""

import itertools
import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_bucket import Crash
from memory_stage import (
    CLICKS,
    HOUR,
    P0,
    P1,
    WITH_VIEWS,
    WRONG,
    Counting,
    Schedule,
    Stage,
    Step,
    killed,
)

from datacore.errors import DifferenceFound, UsageError
from ingest.headers import TOO_LARGE
from ingest.land.hourlog import Hour
from ingest.quarantine.read import counts, records
from ingest.replay.entry import numbers, ranges
from ingest.replay.log import replays_since
from ingest.replay.replayer import Choice, Limit
from ingest.versions.history import history

VIEWS = Choice(data_type="view", unclaimed=True)
VIEW_HOUR = Hour("view", "2026-01-02", "01")
UNCLAIMED_HOUR = Hour("unclaimed", "2026-01-02", "05")


def set_aside(count: int = 6) -> Stage:
    """A topic whose records a wrong contract has set aside, all of them."""
    stage = Stage()
    stage.clicks(count)
    stage.clicks(count, P1)
    stage.land(claims=WRONG)
    assert sum(stage.aside().values()) == 2 * count
    return stage


def unclaimed(count: int = 6) -> Stage:
    """Every other record is one that no contract claims."""
    stage = Stage()
    for partition in (P0, P1):
        for _ in range(count // 2):
            stage.clicks(1, partition)
            stage.clicks(1, partition, "view")
    stage.land()
    return stage


def values(stage: Stage, kind: str = "") -> set[bytes]:
    found = {r.value or b"" for held in stage.log.records.values() for r in held}
    return {value for value in found if f'"{kind}'.encode() in value}


def check_once(stage: Stage, data_type: str, expected: set[bytes]) -> None:
    assert stage.seen(data_type) == Counter(expected)
    stage.check_totals()


def test_what_a_wrong_contract_set_aside_lands_when_it_is_mended() -> None:
    stage = set_aside()
    summary = stage.replay()
    assert (summary.replayed, summary.replays, summary.stay.total()) == (12, 1, 0)
    check_once(stage, "click", values(stage))
    (replay,) = replays_since(stage.bucket(), "t", 0)
    assert [(r.reason, r.data_type, r.records) for r in replay.reasons] == [
        ("no_time", "click", 12)
    ]
    assert [o.key for o in replay.objects] == [
        "production-logs/click/2026/01/02/01/t+replay+00000000000000000000.jsonl.gz"
    ]
    assert replay.objects[0].late == 12, "Kafka stamped them hours after their hour"
    assert sum(len(numbers(s.offsets)) for s in replay.sources) == 12
    assert stage.ledger().replays == 1


def test_a_record_that_was_replayed_is_not_replayed_again() -> None:
    stage = set_aside()
    stage.replay()
    before = dict(stage.objects)
    summary = stage.replay()
    assert (summary.replayed, summary.replays) == (0, 0)
    assert stage.objects == before


def test_what_still_does_not_fit_stays_and_is_told_by_reason() -> None:
    stage = set_aside()
    stage.produce(b"no json", b'{"type":"click"}')
    stage.land(claims=WRONG)
    summary = stage.replay()
    assert summary.replayed == 12
    assert dict(summary.stay) == {"not_json": 1, "no_time": 1}
    assert summary.line().endswith("stay 2 (not_json 1, no_time 1)")
    listed = {(c.reason, c.data_type): (c.records, c.replayed) for c in counts(stage.bucket(), "t")}
    assert listed == {("no_time", "click"): (1, 12), ("not_json", None): (1, 0)}
    assert [r.value for r in records(stage.bucket(), "t", "no_time")] == [b'{"type":"click"}']
    everything = list(records(stage.bucket(), "t", replayed=True))
    assert Counter(r.replayed for r in everything) == {True: 12, False: 2}


def test_only_the_reason_that_was_asked_for_is_replayed() -> None:
    stage = set_aside()
    assert stage.replay(choice=Choice(reason="bad_time")).replayed == 0
    assert stage.replay(choice=Choice(reason="no_time")).replayed == 12


def test_what_stands_for_a_line_that_was_too_long_is_never_replayed() -> None:
    stage = set_aside()
    first = stage.log.records[P0][0]
    headers = (("host", b"h"), ("file", b"f"), ("seq", b"1"), (TOO_LARGE, b"99"))
    stage.log.records[P0].append(replace_record(first, len(stage.log.records[P0]), headers))
    stage.land(claims=WRONG)
    assert stage.replay().replayed == 12
    assert {c.reason: c.records for c in counts(stage.bucket(), "t")}["too_large"] == 1


def replace_record(record, offset, headers):  # type: ignore[no-untyped-def]
    return record._replace(offset=offset, headers=headers)


def test_unclaimed_records_move_to_the_type_that_claims_them_now() -> None:
    stage = unclaimed()
    stage.land(claims=WITH_VIEWS)
    assert stage.seen("unclaimed") == Counter(values(stage, "view"))
    summary = stage.replay(claims=WITH_VIEWS, choice=VIEWS)
    assert summary.replayed == 6
    check_once(stage, "view", values(stage, "view"))
    check_once(stage, "unclaimed", set())
    hours = stage.ledger().hours
    assert (hours[UNCLAIMED_HOUR].records, hours[UNCLAIMED_HOUR].bytes) == (0, 0)
    assert hours[VIEW_HOUR].records == 6
    assert not hours[VIEW_HOUR].sealed, "a replay seals nothing"
    stage.land(claims=WITH_VIEWS)
    assert stage.ledger().hours[VIEW_HOUR].sealed
    assert hours[HOUR].sealed
    # later ones that nobody claims are seen beside
    stage.clicks(1, kind="other")
    stage.land(claims=WITH_VIEWS)
    assert len(stage.seen("unclaimed")) == 1
    stage.check_totals()


def test_unclaimed_rows_are_taken_in_parts_by_one_type_after_another() -> None:
    stage = unclaimed()
    stage.clicks(3, P0, "other")
    stage.land()
    stage.replay(claims=WITH_VIEWS, choice=VIEWS)
    stage.compact(grace_s=0)
    check_once(stage, "unclaimed", values(stage, "other"))
    others = (*WITH_VIEWS, replace(CLICKS[0], data_type="other", match_value="other"))
    assert stage.replay(claims=others, choice=Choice(None, "other", True)).replayed == 3
    check_once(stage, "other", values(stage, "other"))
    check_once(stage, "unclaimed", set())
    known = history(stage.bucket(), UNCLAIMED_HOUR)
    assert known is not None
    assert [v.replays for v in known.versions] == [{"t": 1}, {"t": 2}]


def test_unclaimed_records_that_the_hour_log_does_not_count_yet_wait() -> None:
    stage = Stage()
    stage.clicks(2, P0, "view")
    lander = stage.lander()
    lander._step()
    lander._cut_all()
    assert stage.replay(claims=WITH_VIEWS, choice=VIEWS).replayed == 0
    lander._write_log()
    assert stage.replay(claims=WITH_VIEWS, choice=VIEWS).replayed == 2
    stage.check_totals()


def test_a_large_replay_is_several_of_bounded_size() -> None:
    stage = set_aside()
    summary = stage.replay(limit=Limit(bytes=150))
    assert summary.replays > 2
    check_once(stage, "click", values(stage))
    assert stage.ledger().replays == summary.replays


@pytest.mark.parametrize("made", [set_aside, unclaimed])
def test_killed_at_any_step_the_next_run_lands_each_record_once(
    made: Callable[[], Stage],
) -> None:
    def run(stage: Stage, step: Step) -> None:
        stage.replay(step, WITH_VIEWS, Choice(unclaimed=True), Limit(bytes=150))

    counting = Counting()
    run(made(), counting)
    for number in range(0, counting.steps, 2 if made is set_aside else 3):
        stage = made()
        with pytest.raises(Crash):
            run(stage, Counting(number, killed))
        run(stage, lambda: None)
        assert set(stage.seen("click", "view")) == values(stage)
        assert not stage.seen("unclaimed")
        stage.check()
        stage.check_totals()


def test_a_lander_does_not_count_a_replay_that_is_not_complete() -> None:
    counting = Counting()
    unclaimed().replay(counting, WITH_VIEWS, VIEWS)
    counted = set()
    for number in range(counting.steps):
        stage = unclaimed()
        with pytest.raises(Crash):
            stage.replay(Counting(number, killed), WITH_VIEWS, VIEWS)
        stage.land()
        ledger = stage.ledger()
        counted.add(ledger.replays)
        known = history(stage.bucket(), UNCLAIMED_HOUR)
        if ledger.replays:
            assert stage.seen("view") == Counter(values(stage, "view"))
            assert known is not None
        else:
            assert VIEW_HOUR not in ledger.hours
    assert counted == {0, 1}


def test_who_is_overtaken_by_a_replay_that_was_killed_completes_it() -> None:
    counting = Counting()
    set_aside(2).replay(counting)
    for number in range(counting.steps):
        for killed_at in range(counting.steps):
            stage = set_aside(2)

            def other(stage: Stage = stage, killed_at: int = killed_at) -> None:
                # takes one object's records, and leaves the rest
                with suppress(Crash):
                    stage.replay(Counting(killed_at, killed), limit=Limit(bytes=1))

            stage.replay(Counting(number, other))
            stage.replay()
            check_once(stage, "click", values(stage))


def test_while_records_move_readers_find_each_in_one_table_or_the_other() -> None:
    stage = unclaimed()
    stage.clicks(1, P0, "view")
    stage.land(claims=WITH_VIEWS)
    stage.clicks(1, P1, "view")
    stage.clicks(1, P1, "view")
    stage.land(claims=WITH_VIEWS)
    stage.compact(grace_s=0)
    assert history(stage.bucket(), VIEW_HOUR) is not None

    def checked() -> None:
        assert stage.promised() <= stage.seen().keys()

    assert stage.replay(checked, WITH_VIEWS, VIEWS).replayed == 6
    check_once(stage, "view", values(stage, "view"))


def test_lines_of_one_object_go_to_two_types_one_after_the_other() -> None:
    stage = Stage(cut=10_000)
    for _ in range(5):
        stage.clicks(1, P0, "view")
        stage.clicks(1, P0, "other")
        stage.clicks(1, P0, "third")
    stage.land()
    assert stage.replay(claims=WITH_VIEWS, choice=VIEWS).replayed == 5
    others = (*WITH_VIEWS, replace(CLICKS[0], data_type="other", match_value="other"))
    assert stage.replay(claims=others, choice=Choice(None, "other", True)).replayed == 5
    check_once(stage, "view", values(stage, "view"))
    check_once(stage, "other", values(stage, "other"))
    check_once(stage, "unclaimed", values(stage, "third"))
    first, second = replays_since(stage.bucket(), "t", 0)
    assert first.sources[0].offsets == tuple((n, n + 1) for n in range(0, 15, 3))
    assert second.sources[0].offsets == tuple((n, n + 1) for n in range(1, 15, 3))


def test_a_lander_counts_a_replay_that_was_killed_before_its_entry() -> None:
    stage = set_aside()
    counting = Counting()
    set_aside().replay(counting)
    with pytest.raises(Crash):
        stage.replay(Counting(counting.steps - 1, killed))
    assert stage.ledger().replays == 0
    stage.land()
    assert stage.ledger().replays == 1
    stage.check_totals()


def test_of_two_replays_at_once_each_takes_what_the_other_left() -> None:
    counting = Counting()
    unclaimed().replay(counting, WITH_VIEWS, VIEWS)
    taken = Counter[int]()
    for number in range(0, counting.steps, 2):
        stage = unclaimed()
        mine = stage.replay(
            Counting(number, lambda stage=stage: stage.replay(claims=WITH_VIEWS, choice=VIEWS)),
            WITH_VIEWS,
            VIEWS,
        )
        taken[mine.replayed] += 1
        check_once(stage, "view", values(stage, "view"))
        check_once(stage, "unclaimed", set())
    assert taken.keys() == {0, 6}


def test_a_replay_into_a_compacted_hour_is_seen_there() -> None:
    stage = set_aside()
    stage.clicks(4)
    stage.land()
    stage.compact(grace_s=0)
    assert stage.replay().replayed == 12
    stage.check()
    check_once(stage, "click", values(stage))
    assert stage.ledger().hours[HOUR].sealed, "it was"
    stage.compact(grace_s=0)
    stage.compact(grace_s=0)
    check_once(stage, "click", values(stage))
    # what it landed is in a version now, and gone from where it was landed
    assert stage.replay().replayed == 0
    check_once(stage, "click", values(stage))


def test_a_source_that_was_changed_is_told() -> None:
    stage = set_aside()
    key = next(k for k in stage.objects if "/_quarantine/" in k)
    other = next(k for k in stage.objects if "/_quarantine/" in k and k != key)
    stage.objects[key] = stage.objects[other]
    with pytest.raises(DifferenceFound, match="other lines than its manifest promised"):
        stage.replay()


def test_an_object_that_is_of_no_cut_is_told() -> None:
    stage = set_aside()
    stage.objects["production-logs/_quarantine/t/notes.txt"] = (b"mine", {})
    with pytest.raises(DifferenceFound, match=r"notes\.txt is of no cut"):
        stage.replay()
    with pytest.raises(UsageError, match=r"notes\.txt is of no cut"):
        counts(stage.bucket(), "t")


@settings(max_examples=100)
@given(st.data())
def test_at_any_interleaving_each_record_is_landed_once(data: st.DataObject) -> None:
    stage = unclaimed(4)
    stage.clicks(2)
    stage.land(claims=WRONG)
    schedule = Schedule()
    small = Limit(bytes=150)
    kinds: dict[str, Callable[[Step], object]] = {
        "quarantine": lambda step: stage.replay(step, WITH_VIEWS, Choice(), small),
        "views": lambda step: stage.replay(step, WITH_VIEWS, VIEWS, small),
        "compact": lambda step: stage.compact(step),
        "late": lambda step: stage.land(step, CLICKS),
    }
    alive: list[int] = []
    try:
        for _ in range(data.draw(st.integers(1, 20))):
            if len(alive) < 3:
                kind = data.draw(st.sampled_from(sorted(kinds)))
                if kind == "late":
                    stage.clicks(1, P0, data.draw(st.sampled_from(["click", "view"])))
                alive.append(schedule.start(kinds[kind]))
            number = data.draw(st.sampled_from(alive))
            for _ in range(data.draw(st.integers(1, 40))):
                if number in schedule.running():
                    schedule.go(number)
            if number in schedule.running() and data.draw(st.integers(0, 9)) == 0:
                schedule.kill(number)
            alive = [n for n in alive if n in schedule.running()]
    finally:
        schedule.finish()
    stage.land()
    stage.replay(claims=WITH_VIEWS, choice=Choice(unclaimed=True))
    stage.compact(grace_s=0)
    assert set(stage.seen("click", "view")) == values(stage)
    assert not stage.seen("unclaimed")
    stage.check()
    stage.check_totals()


@given(st.sets(st.integers(0, 50)))
def test_numbers_are_the_same_from_their_ranges(of: set[int]) -> None:
    found = ranges(sorted(of))
    assert numbers(found) == of
    assert all(before[1] < after[0] for before, after in itertools.pairwise(found))


def test_an_entry_is_one_line_of_json_that_tells_what_was_taken() -> None:
    stage = set_aside(2)
    stage.replay()
    ((data, _),) = [held for key, held in stage.objects.items() if "/_replays/" in key]
    assert data.count(b"\n") == 1
    assert [s["offsets"] for s in json.loads(data)["sources"]] == [[[0, 2]], [[0, 2]]]
