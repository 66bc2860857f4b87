"""Every interleaving of the protocols in small: all promises hold, and none does without a safeguard."""

import pytest
from explore import Broken, explore
from hourlog_model import HourLogModel
from landing_model import LandingModel
from version_model import VersionModel

Model = LandingModel | HourLogModel | VersionModel


def states(model: Model) -> int:
    """The states of a model in which every promise holds. Raises Broken."""
    return explore(model.start(), model.steps, model.check)  # type: ignore[arg-type, type-var]


@pytest.mark.parametrize(
    ("records", "landers", "crashes", "remakes"),
    [(4, 2, 2, 0), (3, 3, 1, 0), (2, 2, 2, 1), (3, 2, 0, 1)],
)
def test_landers_that_crash_and_pause_while_a_topic_is_made_again_land_each_record_once(
    records: int, landers: int, crashes: int, remakes: int
) -> None:
    assert states(LandingModel(records, landers, crashes, remakes)) > 10_000


@pytest.mark.parametrize(
    ("safeguard", "promise"),
    [
        ("completion", "the hour log counts other than what is landed"),
        ("adoption", "a record is in two objects"),
        ("asking", "a cut holds another topic's records"),
        ("asking after reading", "a record is in two objects"),
        ("generations", "a record is lost"),
        ("end", "the hour log counts other than what is landed"),
        ("given-up objects", "the hour log counts other than what is landed"),
        ("complete cuts in the log", "the hour log counts other than what is landed"),
    ],
)
def test_landing_breaks_without(safeguard: str, promise: str) -> None:
    with pytest.raises(Broken) as broken:
        states(LandingModel(2, 2, 1, 1, without=safeguard))
    assert broken.value.promise == promise
    assert broken.value.trail


def test_writers_of_one_hour_log_count_each_cut_once_and_wait_for_added_partitions() -> None:
    assert states(HourLogModel(cuts=2, writers=2, crashes=1)) > 10_000


@pytest.mark.parametrize(
    ("safeguard", "promise"),
    [
        ("If-None-Match", "the totals are not those of the cuts"),
        ("reading again", "the totals are not those of the cuts"),
        ("registering first", "an entry names an hour that Glue does not have"),
        ("asking for partitions anew", "an hour is sealed though a partition held more"),
        ("waiting for every partition", "an hour is sealed though a partition held more"),
    ],
)
def test_the_hour_log_breaks_without(safeguard: str, promise: str) -> None:
    with pytest.raises(Broken) as broken:
        states(HourLogModel(2, 2, 1, without=safeguard))
    assert broken.value.promise == promise


def test_compactors_that_crash_and_sleep_never_hide_or_double_a_line() -> None:
    assert states(VersionModel(versions=2, compactors=2, crashes=1)) > 10_000


@pytest.mark.parametrize(
    ("safeguard", "promise"),
    [
        ("the compactor's look", "a reader misses a line that the log tells"),
        ("the lander's look", "a reader misses a line that the log tells"),
        ("writing before looking", "a reader misses a line that the log tells"),
        ("copies into every version", "a reader misses a line that the log tells"),
        ("copies before publishing", "a reader misses a line that the log tells"),
        ("the look after publishing", "a reader misses a line"),
        ("names", "a reader sees a line twice"),
        ("inputs of earlier versions", "a reader sees a line twice"),
        ("folders", "a reader sees a line twice"),
    ],
)
def test_compaction_breaks_without(safeguard: str, promise: str) -> None:
    with pytest.raises(Broken) as broken:
        states(VersionModel(2, 2, 1, without=safeguard))
    assert broken.value.promise == promise
