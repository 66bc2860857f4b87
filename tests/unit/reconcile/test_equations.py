"""The equations hold for equal counts and name each count that differs."""

from dataclasses import replace

from datacore.reconcile.equations import Reconciliation, RollUpCounts, TopicCounts, TypeCounts

SEARCH = TypeCounts(
    "search",
    landed=312,
    quarantined=1,
    produced=313,
    staged=305,
    rejected=3,
    duplicates=4,
    in_raw=312,
    rolled_up={"rollup_funnel_daily.searches": 305},
    loaded={"rollup_funnel_daily.searches": 305},
    truth={"landed": 312, "staged": 305},
)
DAY = {"2026-01-02": {"rows": 2, "views": 7}}


def test_equal_counts_differ_nowhere() -> None:
    assert SEARCH.differences() == []


def test_a_lost_line_breaks_produced() -> None:
    broken = replace(SEARCH, produced=314)
    assert broken.differences() == ["produced 314 ≠ landed 312 + quarantined 1"]


def test_a_record_that_is_neither_staged_nor_rejected_breaks_landed() -> None:
    (difference,) = replace(SEARCH, rejected=2).differences()
    assert difference == "landed 312 ≠ staged 305 + rejected 2 + duplicates 4"


def test_a_raw_row_that_spark_does_not_see_is_named() -> None:
    (difference,) = replace(SEARCH, in_raw=311).differences()
    assert difference == "the raw table has 311 rows, the chain 312"


def test_a_load_that_missed_a_day_is_named_with_its_measure() -> None:
    (difference,) = replace(SEARCH, loaded={"rollup_funnel_daily.searches": 300}).differences()
    assert difference == "staged 305 ≠ loaded 300 (rollup_funnel_daily.searches)"


def test_truth_is_compared_with_every_count_it_knows() -> None:
    assert replace(SEARCH, truth={"staged": 304}).differences() == ["staged 305, in truth 304"]


def test_what_nobody_counted_is_no_difference() -> None:
    assert TypeCounts("unclaimed", landed=8, quarantined=0).differences() == []


def test_offsets_that_kafka_dropped_alarm() -> None:
    topic = TopicCounts("marketplace", produced=10, landed=9, quarantined=1, lost=5)
    assert topic.differences() == ["5 offsets lost: Kafka dropped them before they were landed"]


def test_a_day_missing_from_the_warehouse_is_a_difference_of_each_measure() -> None:
    rollup = RollUpCounts("rollup_job_view_daily", lake=DAY, warehouse={})
    assert rollup.differences() == [
        "2026-01-02 rows: rolled up 2, loaded 0",
        "2026-01-02 views: rolled up 7, loaded 0",
    ]


def test_a_day_that_only_the_warehouse_has_is_a_difference() -> None:
    rollup = RollUpCounts("rollup_job_view_daily", lake={}, warehouse=DAY)
    assert "2026-01-02 views: rolled up 0, loaded 7" in rollup.differences()


def test_measures_that_truth_does_not_know_are_not_compared_with_it() -> None:
    truth = {"2026-01-02": {"views": 7}}
    assert RollUpCounts("rollup_job_view_daily", DAY, DAY, truth).differences() == []


def test_json_says_equal_only_if_every_row_is() -> None:
    equal = Reconciliation(topics=(), types=(SEARCH,), rollups=())
    broken = Reconciliation(topics=(), types=(SEARCH, replace(SEARCH, produced=1)), rollups=())
    assert equal.to_json()["equal"] is True
    assert broken.to_json()["equal"] is False
