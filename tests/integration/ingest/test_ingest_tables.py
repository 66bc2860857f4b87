"""Spark reads what landing registered: raw records, unclaimed ones, and the ledger."""

from typing import Any

import pytest
from ingest_stage import Stage

from datacore.reconcile.read import TOPICS

pytestmark = pytest.mark.sandbox


def ask(stage: Stage, query: str) -> list[tuple[Any, ...]]:
    connection = stage.sandbox.thrift()
    try:
        cursor = connection.cursor()
        cursor.execute(query)
        return cursor.fetchall()
    finally:
        connection.close()


def test_spark_reads_raw_records_and_the_ledger(stage: Stage) -> None:
    lines = [stage.event(number, hour=number % 3) for number in range(30)]
    wrong = stage.event(30, hour=2).replace(b'"query": ', b'"duration_ms": "long", "query": ')
    unclaimed = b'{"type":"nobody","text":"a\\tb"}'
    stage.tail(stage.write("app.log", [*lines, wrong, unclaimed, b"no json"]))
    stage.land()
    of_topic = f"topic = '{stage.topic}'"

    raw = f"""
        select dt, hour, count(*), count(_corrupt_record), count(duration_ms)
        from raw.{stage.data_type} where dt = '2026-01-02' group by dt, hour order by hour
    """
    assert [(str(dt), *rest) for dt, *rest in ask(stage, raw)] == [
        ("2026-01-02", "00", 10, 0, 0),
        ("2026-01-02", "01", 10, 0, 0),
        ("2026-01-02", "02", 11, 1, 0),
    ]
    # Spark parses only the columns that a query names: name the one that does not fit
    whole = f"""
        select event_id, duration_ms, _corrupt_record
        from raw.{stage.data_type} where _corrupt_record is not null
    """
    assert ask(stage, whole) == [("e30", None, wrong.decode())]
    assert (unclaimed.decode(),) in ask(stage, "select value from raw.unclaimed")
    cuts = f"""
        select sum(size(objects)), sum(records), count(distinct rules), max(producers[0].ranges[0][1])
        from platform.cut where {of_topic}
    """
    assert ask(stage, cuts) == [(4, 33, 1, 32)]
    topics = {topic: counts for topic, *counts in ask(stage, TOPICS)}
    assert topics[stage.topic] == [33, 32, 1, 0], "produced, landed, quarantined, lost"
    hours = f"""
        select sequence, offsets['0'] + offsets['1'] + offsets['2'], h.hour, h.records, h.sealed
        from platform.hour lateral view explode(hours) as h
        where {of_topic} and block = 0 and h.data_type = '{stage.data_type}' order by h.hour
    """
    assert ask(stage, hours) == [
        (0, 34, "00", 10, True),
        (0, 34, "01", 10, True),
        (0, 34, "02", 11, True),
    ]
    aside = (
        f"select reason, cast(unbase64(value) as string) from platform.quarantine where {of_topic}"
    )
    assert ask(stage, aside) == [("not_json", "no json")]
