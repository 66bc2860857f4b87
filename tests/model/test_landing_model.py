"""The landing protocol holds in every order of steps, and does not without any of its safeguards.

Each model is explored whole within the bounds named here. The models say what they leave out.
"""

from collections.abc import Callable

import generations_model as generations
import landing_model as landing
import pytest
import sealing_model as sealing
import versions_model as versions
from generations_model import Generations
from landing_model import Landing
from model_checker import STUCK, Model, explore
from sealing_model import Sealing
from versions_model import Versions

LACKS = "a cut with a successor lacks an object"
DIFFERS = "an object differs from its manifest"
MISSES = "a reader misses a record that the hour log counts"
TWICE = "a reader sees a record twice"
UNPASSED = "an hour is sealed before a partition has passed it"

HOLDS: dict[str, Model] = {
    "4 records, 2 landers, a writer of the log": Landing(4, landers=2, writers=1),
    "3 records, 3 landers, a writer of the log": Landing(3, landers=3, writers=1),
    "3 records, 2 landers, 2 writers of the log": Landing(3, landers=2, writers=2),
    "a topic made again, 2 records each, 2 landers": Generations(2, records=2, landers=2),
    "a topic made again twice, a record each, 2 landers": Generations(3, records=1, landers=2),
    "a topic made again, whose old id is told": Generations(2, 1, 2, old_answers=True),
    "2 versions, an object late, 2 compactors": Versions(1, late=1, compactors=2, versions=2),
    "3 versions, an object late, a compactor": Versions(2, late=1, compactors=1, versions=3),
    "2 versions, 2 objects late, a compactor": Versions(2, late=2, compactors=1, versions=2),
    "2 partitions, 2 records, a writer of the log": Sealing(2, 2, records=2, writers=1),
    "2 partitions, a record, 2 writers of the log": Sealing(2, 2, records=1, writers=2),
}


@pytest.mark.parametrize("name", HOLDS)
def test_the_protocol_holds_in_every_order_of_steps(name: str) -> None:
    report = explore(HOLDS[name])
    print(f"{name}: {report}")
    assert report.wrong is None, report
    assert report.ended > 0


def of_landing(safeguard: landing.Safeguard) -> Model:
    return Landing(3, landers=2, writers=2, without=safeguard)


def of_generations(safeguard: generations.Safeguard) -> Model:
    return Generations(2, records=2, landers=2, without=safeguard)


def of_generations_with_old_answers(safeguard: generations.Safeguard) -> Model:
    return Generations(2, records=2, landers=2, without=safeguard, old_answers=True)


def of_versions(safeguard: versions.Safeguard) -> Model:
    return Versions(1, late=1, compactors=2, versions=2, without=safeguard)


def of_sealing(safeguard: sealing.Safeguard) -> Model:
    return Sealing(2, 2, records=2, writers=1, without=safeguard)


Without = tuple[Callable[..., Model], str]
BREAKS: dict[str, Without] = {
    landing.Safeguard.COMPLETES_THE_LAST_CUT: (of_landing, LACKS),
    landing.Safeguard.ADOPTS_THE_WINNERS_CUT: (of_landing, DIFFERS),
    landing.Safeguard.MANIFEST_FIRST: (of_landing, DIFFERS),
    landing.Safeguard.LOG_BEHIND_OBJECTS: (of_landing, "the hour log is ahead of complete cuts"),
    landing.Safeguard.LOG_NUMBER_HAS_ONE_WRITER: (
        of_landing, "the hour log counts less than it covers"),
    landing.Safeguard.LOG_LOSER_READS_AGAIN: (of_landing, "the hour log counts records twice"),
    generations.Safeguard.ID_ASKED_AFTER_POLLING: (
        of_generations, "a record stands under another topic's chain"),
    generations.Safeguard.END_MANIFEST: (of_generations, LACKS),
    generations.Safeguard.LOST_IS_DECIDED_BY_OBJECTS: (
        of_generations, "a note tells as lost what landed"),
    generations.Safeguard.TOPIC_GOES_ON_WHERE_IT_WAS_LEFT: (
        of_generations_with_old_answers, "a record is landed twice"),
    generations.Safeguard.OWN_CUTS_OF_EARLIER_GENERATIONS: (of_generations, LACKS),
    versions.Safeguard.COMPACTOR_LOOKS_AGAIN: (of_versions, MISSES),
    versions.Safeguard.LANDER_LOOKS: (of_versions, MISSES),
    versions.Safeguard.LANDER_LOOKS_AFTER_ITS_PUT: (of_versions, MISSES),
    versions.Safeguard.OUTPUTS_FIRST: (of_versions, MISSES),
    versions.Safeguard.INPUTS_ARE_NOT_COPIED: (of_versions, TWICE),
    versions.Safeguard.EVERY_VERSION_IS_FOLLOWED: (of_versions, MISSES),
    versions.Safeguard.RECORD_HAS_ONE_WRITER: (of_versions, TWICE),
    versions.Safeguard.REMOVED_AFTER_PUBLICATION: (of_versions, MISSES),
    versions.Safeguard.GRACE: (of_versions, MISSES),
    sealing.Safeguard.NEW_PARTITION_IS_WAITED_FOR: (of_sealing, UNPASSED),
    sealing.Safeguard.CLOCK_READ_BEFORE_THE_ENDS: (of_sealing, UNPASSED),
    sealing.Safeguard.ONLY_LANDED_TO_ITS_END_IS_IDLE: (of_sealing, UNPASSED),
    sealing.Safeguard.SEALED_NO_FURTHER_THAN_ASKED: (of_sealing, UNPASSED),
}  # fmt: skip


@pytest.mark.parametrize("safeguard", BREAKS)
def test_the_protocol_breaks_without_a_safeguard(safeguard: str) -> None:
    model, wrong = BREAKS[safeguard]
    report = explore(model(safeguard))
    print(f"without “{safeguard}”: {report}")
    assert report.wrong == wrong, report
    assert report.way


def test_every_safeguard_is_taken_out_once() -> None:
    every = [found for model in (landing, generations, versions, sealing) for found in model.Safeguard]  # fmt: skip
    assert sorted(BREAKS) == sorted(every)


class Waits:
    """Two who wait for each other, once the first has chosen so."""

    def start(self) -> str:
        return "apart"

    def steps(self, state: str) -> list[tuple[str, str]]:
        return [("meet", "met"), ("wait", "waiting")] if state == "apart" else []

    def wrong(self, state: str) -> None:
        return None

    def ended(self, state: str) -> bool:
        return state == "met"


def test_a_state_without_a_way_to_the_end_is_found() -> None:
    report = explore(Waits())
    assert (report.wrong, report.way) == (STUCK, ("wait",))
