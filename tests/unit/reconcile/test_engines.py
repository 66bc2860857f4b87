"""What a refused query says: which table is missing and what to run, else what the engine said."""

from datacore.errors import ServiceUnreachable, UsageError
from datacore.reconcile.engines import query_failed


def test_a_table_that_spark_lacks_asks_for_a_build() -> None:
    error = query_failed(
        "Spark",
        "Error running query: [TABLE_OR_VIEW_NOT_FOUND] The table or view `lake`.`rollup_x` cannot"
        " be found.\nSearch path: [...]",
    )
    assert isinstance(error, UsageError)
    assert "`rollup_x`" in error.message
    assert "Search path" not in error.message
    assert "dbt build" in error.hint


def test_a_table_that_redshift_lacks_asks_for_a_build() -> None:
    error = query_failed("Redshift", 'relation "loads.load_rollup_x" does not exist')
    assert isinstance(error, UsageError)
    assert "load_rollup_x" in error.message


def test_another_refusal_can_be_tried_again() -> None:
    error = query_failed("Spark", "Job aborted due to stage failure\n\tat somewhere")
    assert isinstance(error, ServiceUnreachable)
    assert error.message == "Spark refused a query: Job aborted due to stage failure"
