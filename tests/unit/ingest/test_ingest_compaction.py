"""Compaction against faults: whatever is killed, doubled or late, readers see each line once."""

import gzip
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_bucket import Crash, MemoryBucket
from memory_stage import HOUR, NOW, P0, P1, Counting, Schedule, Stage, Step, killed

from datacore.errors import DifferenceFound
from ingest.land.hourlog import Hour
from ingest.land.source import Partition
from ingest.versions.history import history
from ingest.versions.record import Why, base_folder, version_folder


def landed(partitions: tuple[Partition, ...] = (P0, P1)) -> Stage:
    """A sealed hour of three objects a partition."""
    stage = Stage()
    for partition in partitions:
        stage.clicks(6, partition)
    stage.land()
    assert len(stage.bucket().sizes(base_folder(HOUR))) == 3 * len(partitions)
    return stage


def late(stage: Stage) -> None:
    """A late record arrives and is landed."""
    stage.clicks(1)
    stage.land()


def test_a_sealed_hour_becomes_one_object_with_the_same_lines() -> None:
    stage = landed()
    before = stage.seen()
    (outcome,) = stage.compact()
    assert (len(outcome.before), len(outcome.after), outcome.version) == (6, 1, 1)
    assert stage.seen() == before
    (key,) = stage.bucket().keys(version_folder(HOUR, 1))
    lines = gzip.decompress(stage.objects[key][0]).splitlines()
    # in the order of partition and offset
    assert lines == [r.value for p in (P0, P1) for r in stage.log.records[p]]
    known = history(stage.bucket(), HOUR)
    assert known is not None
    assert known.newest.why is Why.COMPACT
    assert [len(known.newest.inputs), known.newest.outputs[0].records] == [6, 12]
    stage.check_totals()


def test_an_open_hour_is_left_alone_and_so_is_one_object() -> None:
    stage = Stage()
    stage.now -= 4 * 3600
    stage.log.records[P0] = [
        r._replace(timestamp=NOW - 4 * 3_600_000) for r in landed().log.records[P0]
    ]
    stage.land()
    assert not stage.ledger().hours[HOUR].sealed
    assert stage.compact() == []
    single = Stage()
    single.clicks(2)
    single.land()
    assert single.compact() == []
    assert not any("/_versions/" in key for key in single.objects)


def test_compacting_again_changes_nothing() -> None:
    stage = landed()
    stage.compact()
    before = dict(stage.objects)
    assert stage.compact() == []
    assert stage.objects == before


def test_superseded_objects_go_after_the_grace_and_no_other() -> None:
    stage = landed()
    stage.compact()
    stage.now += 3_599
    assert stage.compact() == []
    assert len(stage.bucket().sizes(base_folder(HOUR))) == 6
    late(stage)
    stage.now += 2
    outcomes = stage.compact(grace_s=3600)
    assert [o.removed for o in outcomes] == [0], "the hour was published anew just now"
    stage.now += 3_601
    (outcome,) = stage.compact()
    assert outcome.removed == 6 + 1 + 2
    assert len([k for k in stage.objects if "/click/" in k and k.endswith(".gz")]) == 1
    stage.check()
    stage.check_totals()


def steps_of(run: Callable[[Stage, Step], object]) -> int:
    counting = Counting()
    run(landed(), counting)
    return counting.steps


def test_killed_at_any_step_readers_see_each_line_once_and_the_next_run_heals() -> None:
    steps = steps_of(lambda stage, step: stage.compact(step))
    assert steps > 20
    for number in range(steps):
        stage = landed()
        with pytest.raises(Crash):
            stage.compact(Counting(number, killed))
        stage.check()
        stage.compact()
        assert stage.places[HOUR].folder == version_folder(HOUR, 1)
        stage.check()
        stage.check_totals()


def test_killed_while_removing_readers_see_each_line_once() -> None:
    compacted = landed()
    compacted.compact()
    counting = Counting()
    compacted.compact(counting, grace_s=0)
    for number in range(counting.steps):
        stage = landed()
        stage.compact()
        with pytest.raises(Crash):
            stage.compact(Counting(number, killed), grace_s=0)
        stage.check()
        stage.compact(grace_s=0)
        assert not stage.bucket().sizes(base_folder(HOUR))
        stage.check_totals()


def test_a_late_record_between_any_two_steps_is_seen_from_its_entry_on() -> None:
    steps = steps_of(lambda stage, step: stage.compact(step))
    for number in range(steps):
        stage = landed()

        def arrives(stage: Stage = stage) -> None:
            late(stage)
            stage.check()

        counting = Counting(number, arrives)

        def checked(stage: Stage = stage, counting: Counting = counting) -> None:
            counting()
            stage.check()

        stage.compact(checked)
        assert sum(stage.seen().values()) == 13
        stage.check_totals()
        stage.compact(grace_s=0)
        stage.compact(grace_s=0)
        assert sum(stage.seen().values()) == 13


def test_an_object_that_is_not_in_the_hour_log_yet_outlives_removal() -> None:
    def lands_without_an_entry(stage: Stage) -> None:
        stage.clicks(1)
        lander = stage.lander()
        lander._step()
        lander._cut_all()

    counting = Counting()
    stage = landed()
    stage.compact()
    stage.compact(counting, grace_s=0)
    for number in range(counting.steps):
        stage = landed()
        stage.compact()
        stage.compact(
            Counting(number, lambda stage=stage: lands_without_an_entry(stage)), grace_s=0
        )
        stage.check()
        stage.land()
        stage.check()
        stage.check_totals()


def test_a_late_lander_overtaken_by_compaction_at_any_step_loses_nothing() -> None:
    counting = Counting()
    stage = landed()
    stage.clicks(3)
    stage.land(counting)
    for number in range(counting.steps):
        stage = landed()
        stage.clicks(3)

        def compacted(stage: Stage = stage) -> None:
            stage.compact(grace_s=0)
            stage.compact(grace_s=0)

        stage.land(Counting(number, compacted))
        stage.check()
        assert sum(stage.seen().values()) == 15
        stage.check_totals()


def test_of_two_compactors_one_wins_and_the_other_goes_on() -> None:
    steps = steps_of(lambda stage, step: stage.compact(step))
    said = set()
    for number in range(steps):
        stage = landed()
        mine = stage.compact(Counting(number, lambda stage=stage: stage.compact()))
        said |= {outcome.left for outcome in mine}
        stage.check()
        stage.check_totals()
        known = history(stage.bucket(), HOUR)
        assert known is not None
        assert len(known.versions) == 1
    assert "another run writes version 1" in said


def test_a_compactor_that_slept_through_two_versions_and_their_removal_does_no_harm() -> None:
    def meanwhile(stage: Stage) -> None:
        stage.compact()
        late(stage)
        late(stage)
        stage.compact()
        stage.now += 4_000
        stage.compact()

    harmful = set()
    for number in range(steps_of(lambda stage, step: stage.compact(step))):
        stage = landed()
        counting = Counting(number, lambda stage=stage: meanwhile(stage))

        def checked(
            stage: Stage = stage, counting: Counting = counting, number: int = number
        ) -> None:
            counting()
            try:
                stage.check()
            except AssertionError:
                harmful.add(number)

        try:
            stage.compact(checked)
        except DifferenceFound as error:
            # what it had listed is gone since
            assert "is gone" in error.message  # noqa: PT017
        stage.check()
        stage.check_totals()
        stage.compact()
        known = history(stage.bucket(), HOUR)
        assert known is not None
        assert stage.places[HOUR].folder == known.newest.folder
    # it slept for longer than the grace between its last look and the call that publishes
    assert len(harmful) == 1


def test_a_compactor_that_slept_points_readers_back_only_from_its_very_last_look() -> None:
    def meanwhile(stage: Stage) -> None:
        stage.compact()
        late(stage)
        late(stage)
        stage.compact()

    backwards = set()
    for number in range(steps_of(lambda stage, step: stage.compact(step))):
        stage = landed()
        counting = Counting(number, lambda stage=stage: meanwhile(stage))
        folders = []

        def checked(
            stage: Stage = stage, counting: Counting = counting, folders: list[str] = folders
        ) -> None:
            counting()
            folders.append(stage.places[HOUR].folder)
            # an older version is whole as well
            stage.check()

        stage.compact(checked)
        if version_folder(HOUR, 1) in folders[number:]:
            backwards.add(number)
        assert stage.places[HOUR].folder == version_folder(HOUR, 2)
    assert len(backwards) == 1


def test_readers_are_pointed_back_where_a_late_publication_overtook_a_newer_one() -> None:
    stage = landed()
    stage.compact()
    first = stage.places[HOUR]
    late(stage)
    stage.compact()
    # the answer was lost and the process with it; its call comes through now
    stage.places[HOUR] = first
    late(stage)
    stage.check()
    stage.settler().settle(HOUR)
    assert stage.places[HOUR].folder == version_folder(HOUR, 2)
    stage.check()
    stage.check_totals()


def test_an_input_that_a_zombie_puts_back_is_never_read() -> None:
    stage = landed()
    before = {k: v for k, v in stage.objects.items() if k.startswith(base_folder(HOUR))}
    stage.compact(grace_s=0)
    assert not stage.bucket().sizes(base_folder(HOUR))
    stage.objects |= before
    stage.check()
    late(stage)
    stage.compact()
    stage.check()
    stage.check_totals()
    stage.compact(grace_s=0)
    assert sum(stage.seen().values()) == 13
    assert not stage.bucket().sizes(base_folder(HOUR))


def test_a_lander_knows_that_compacted_objects_were_landed() -> None:
    stage = landed((P0,))
    stage.compact(grace_s=0)
    before = dict(stage.objects)
    # no hint, and Kafka has dropped it all
    stage.log.hints.clear()
    stage.log.ends[P0] = 6
    stage.log.begins[P0] = 6
    stage.log.records[P0] = []
    stage.land()
    assert stage.objects == before


def test_an_object_that_was_changed_is_told_and_its_hour_left_as_it_is() -> None:
    stage = landed()
    key = next(iter(stage.bucket().keys(base_folder(HOUR))))
    stage.objects[key] = (gzip.compress(b'{"another":"line"}\n'), stage.objects[key][1])
    with pytest.raises(DifferenceFound, match="not the 2 promised"):
        stage.compact()
    assert stage.places[HOUR].folder == base_folder(HOUR)
    assert not any("/_versions/" in key for key in stage.objects)


def test_a_strange_object_is_told() -> None:
    stage = landed()
    stage.objects[base_folder(HOUR) + "notes.txt"] = (gzip.compress(b"mine\n"), {})
    with pytest.raises(DifferenceFound, match="belongs to no manifest"):
        stage.compact()


def test_an_hour_that_two_topics_share_waits_for_both_seals() -> None:
    stage = landed()
    key = "production-logs/_hours/u/0/00000000000000000000.json"
    entry = (
        b'{"topic":"u","sequence":0,"written_at":"","offsets":{},"watermarks":{},"hours":'
        b'[{"data_type":"click","dt":"2026-01-02","hour":"01","records":0,"bytes":0,"late":0,'
        b'"sealed":%s}]}\n'
    )
    stage.objects[key] = (entry % b"false", {})
    assert stage.compact() == []
    stage.objects[key] = (entry % b"true", {})
    assert len(stage.compact()) == 1


@settings(max_examples=150)
@given(st.data())
def test_at_any_interleaving_and_whatever_is_killed_readers_see_each_line_once(
    data: st.DataObject,
) -> None:
    stage = landed()
    schedule = Schedule()
    kinds: dict[str, Callable[[Step], object]] = {
        "compact": lambda step: stage.compact(step),
        "settle": lambda step: stage.settler(step).settle(HOUR),
        "late": lambda step: stage.land(step),
    }
    alive: list[int] = []
    try:
        for _ in range(data.draw(st.integers(1, 25))):
            if len(alive) < 3:
                kind = data.draw(st.sampled_from(sorted(kinds)))
                if kind == "late":
                    stage.clicks(1, data.draw(st.sampled_from([P0, P1])))
                alive.append(schedule.start(kinds[kind]))
            number = data.draw(st.sampled_from(alive))
            for _ in range(data.draw(st.integers(1, 30))):
                if number in schedule.running():
                    schedule.go(number)
                    stage.check()
            if number in schedule.running() and data.draw(st.integers(0, 9)) == 0:
                schedule.kill(number)
            alive = [n for n in alive if n in schedule.running()]
    finally:
        schedule.finish()
    stage.land()
    stage.compact()
    stage.compact(grace_s=0)
    assert set(stage.seen()) == {r.value for rs in stage.log.records.values() for r in rs}
    stage.check()
    stage.check_totals()


def test_the_hours_of_a_day_are_told_apart() -> None:
    stage = Stage()
    other = b'{"type":"click","at":"2026-01-02T02:10:00Z","from":[9,%d]}'
    stage.clicks(4)
    stage.produce(*(other % n for n in range(4)), partition=P1)
    stage.land()
    assert [o.hour for o in stage.compact()] == [HOUR, Hour("click", "2026-01-02", "02")]
    assert MemoryBucket.using(stage.bucket()).folders("production-logs/_versions/") == ["click"]
    stage.check()
