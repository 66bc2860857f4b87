"""Topics that are made again, grow, or lose what was not landed yet: told, and nothing twice."""

from collections import Counter

import pytest
from fault_child import Break, Child
from fault_stage import Stage, wait_until
from kafka import TopicPartition
from witness import Witness

pytestmark = pytest.mark.sandbox


def make_again(stage: Stage, partitions: int = 2) -> None:
    stage.platform.delete_topic(stage.topic)
    stage.platform.make_topic(stage.topic, partitions)


def generations(witness: Witness) -> dict[int, list[tuple[int, str, int, int]]]:
    """Of each partition its claims: generation, kind, first, next."""
    return {
        partition: [
            (m["generation"], m["kind"], m["first"], m["next"])
            for m in chain
            if m["kind"] != "lost_objects"
        ]
        for partition, chain in witness.manifests().items()
    }


def check_generations(stage: Stage) -> None:
    """Each generation goes on from 0 without a gap, and ends with `end` but for the last."""
    for claims in generations(stage.witness).values():
        at = (0, 0)
        for generation, kind, first, next_ in claims:
            assert (generation, first) == at, claims
            at = (generation + 1, 0) if kind == "end" else (generation, next_)


@pytest.mark.parametrize("follow", [False, True], ids=["until-caught-up", "running"])
def test_a_topic_made_again_is_landed_whole_beside_the_first(stage: Stage, follow: bool) -> None:
    stage.produce(60)
    lander = stage.start_land("--cut-seconds", "0.5", follow=True) if follow else None
    if lander is None:
        assert stage.land() == 0
    wait_until(lambda: sum(stage.witness.landed().values()) == 60, "the first topic on S3")
    first = Counter(stage.kafka().values.values())
    make_again(stage)
    stage.produce(40)
    if lander is not None:
        wait_until(lambda: sum(stage.witness.landed().values()) == 100, "the second on S3")
        lander.terminate()
        assert stage.wait(lander) == 0, stage.told()
    assert stage.land() == 0, stage.told()
    assert stage.witness.landed() == first + Counter(stage.kafka().values.values())
    check_generations(stage)
    assert "topic_made_again" in stage.told()
    entries = stage.witness.entries()
    assert entries[-1]["generations"] == {"0": 1, "1": 1}
    ends = {str(p): end for p, end in stage.kafka().ends.items()}
    assert entries[-1]["offsets"] == ends
    assert stage.audit() == set()


def test_an_unfinished_cut_of_the_first_topic_is_told_and_the_second_is_whole(
    stage: Stage,
) -> None:
    stage.produce(60)
    stage.land_broken(Break("object", 2))
    first = stage.witness.landed()
    make_again(stage)
    stage.produce(40)
    assert stage.land() == 0, stage.told()
    second = Counter(stage.kafka().values.values())
    assert stage.witness.landed() >= second
    assert not (stage.witness.landed() - second) - first
    notes = [
        m for c in stage.witness.manifests().values() for m in c if m["kind"] == "lost_objects"
    ]
    assert len(notes) == 1
    assert "objects_lost" in stage.told()
    check_generations(stage)
    assert stage.audit() == {"lost_objects"}


@pytest.mark.parametrize("step", ["give-up", "note"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_lander_that_is_killed_while_it_gives_up_tells_the_same(
    stage: Stage, step: str, after: bool
) -> None:
    stage.produce(60)
    stage.land_broken(Break("object", 2))
    kept = stage.witness.landed()
    make_again(stage)
    stage.produce(40)
    stage.land_broken(Break(step, 0, after))
    assert stage.land() == 0, stage.told()
    assert stage.witness.landed() == kept + Counter(stage.kafka().values.values())
    (note,) = [
        m for c in stage.witness.manifests().values() for m in c if m["kind"] == "lost_objects"
    ]
    lost = {held["key"] for held in (*note["objects"], *note["quarantine"])}
    assert all(not stage.witness.lines(key) for key in lost)
    assert lost
    assert stage.audit() == {"lost_objects"}


def test_a_topic_made_again_with_fewer_partitions_holds_no_seal_back(stage: Stage) -> None:
    stage.produce(60)
    assert stage.land() == 0, stage.told()
    make_again(stage, partitions=1)
    stage.produce(20, partitions=1)
    assert stage.land() == 0, stage.told()
    assert stage.witness.landed().total() == 80
    hours = {
        (h["dt"], h["hour"], h["data_type"]): h for e in stage.witness.entries() for h in e["hours"]
    }
    assert all(h["sealed"] for k, h in hours.items() if k[2] == stage.data_type)
    assert stage.audit() == set()


@pytest.mark.parametrize("running", [None, "eager", "cooperative"])
def test_partitions_that_are_added_are_landed_from_their_beginning(
    stage: Stage, running: str | None
) -> None:
    stage.produce(40)
    lander = None
    if running is not None:
        # polls are shorter than a join takes: what was assigned must be taken up all the same
        short = Child(poll_seconds=0.002)
        rest = ("--cut-seconds", "0.5", "--rebalance", running)
        lander = stage.start_land(*rest, how=short, follow=True)
        wait_until(lambda: sum(stage.witness.landed().values()) == 40, "the first lines")
    stage.platform.admin.create_partitions({stage.topic: 3})
    wait_until(lambda: stage.platform.ready(stage.topic) == 3, "the third partition")
    wait_until(
        lambda: len(stage.platform.producer.partitions_for(stage.topic)) == 3, "the producer to see"
    )
    stage.produce(60, partitions=3)
    if lander is not None:
        wait_until(lambda: sum(stage.witness.landed().values()) == 100, "the added partition")
        lander.terminate()
        assert stage.wait(lander) == 0, stage.told()
    assert stage.land_and_check() == 100
    assert stage.kafka().ends.keys() == {0, 1, 2}


def test_what_retention_took_before_it_was_landed_is_recorded_as_lost(stage: Stage) -> None:
    stage.produce(60)
    assert stage.land() == 0, stage.told()
    stage.produce(60)
    before = stage.kafka()
    taken = {p: before.ends[p] - 10 for p in (0, 1)}
    stage.platform.admin.delete_records(
        {TopicPartition(stage.topic, p): o for p, o in taken.items()}
    )
    stage.produce(20)
    assert stage.land() == 0, stage.told()
    landed = stage.witness.landed()
    assert landed >= Counter(stage.kafka().values.values())
    lost = {
        p: [(m["first"], m["next"]) for m in chain if m["kind"] == "lost"]
        for p, chain in stage.witness.manifests().items()
    }
    assert {p: ranges[0][1] for p, ranges in lost.items()} == taken
    assert landed.total() == 60 + len(stage.kafka().values)
    assert stage.told().count("range_lost") == 2
    assert stage.audit() == {"lost_range"}
