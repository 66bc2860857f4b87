"""Publishing under fire: bad builds, rollbacks, two builds at once, kills, vacuum; readers all the while.

The tests read as one story about one table; a reader asks for its days from the first to the last.
"""

import itertools
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from lake_dbt import Build, Probe

pytestmark = pytest.mark.sandbox

DAYS = ("2025-03-01", "2025-03-02", "2025-03-03")
ALL = "{days: [2025-03-01, 2025-03-03]}"


def rows_of(state: str) -> str:
    """SQL of two rows a day, all in one state."""
    values = ", ".join(f"({n}, '{day}')" for day in DAYS for n in (1, 2))
    return (
        f"select n, '{state}' as state, cast(dt as date) as dt from values {values} as days (n, dt)"
    )


def states(probe: Probe) -> dict[str, str]:
    """Each day's state, which all its rows must have."""
    found = probe.project.query(
        "select cast(dt as string), count(*), count(distinct state), max(state) from {db}.probe group by dt"
    )
    assert {row[1:3] for row in found} <= {(2, 1)}, found
    return {row[0]: row[3] for row in found}


def build(probe: Probe, state: str, *arguments: str, more: str = "", **config: Any) -> Build:
    """Build the table in a state."""
    probe.write(rows_of(state) + more, **config)
    return probe.project.dbt("run", *arguments)


def rollback(probe: Probe, arguments: str) -> Build:
    return probe.project.dbt("run-operation", "rollback", "--args", arguments)


READS = int(os.environ.get("READS", "100"))
"""So many at least."""
PAUSE = 0.1 if READS <= 100 else 0
"""Seconds between two reads: what many readers take of a machine is measured by none of these tests."""


class Reader(threading.Thread):
    """Asks for one day after the other; what it saw."""

    def __init__(self, probe: Probe) -> None:
        super().__init__(daemon=True)
        self._probe = probe
        self._done = threading.Event()
        self.seen: list[tuple[Any, ...]] = []
        self.ended_well = False

    def run(self) -> None:
        self._read()
        self.ended_well = True

    def _read(self) -> None:
        connection = self._probe.project.sandbox.thrift()
        with connection, connection.cursor() as cursor:
            while not self._done.is_set():
                for day in DAYS:
                    cursor.execute(
                        "select count(*), count(distinct state)"
                        f" from {self._probe.project.database}.probe where dt = date '{day}'"
                    )
                    self.seen += cursor.fetchall()
                    self._done.wait(PAUSE)

    def stop(self) -> None:
        self._done.set()
        self.join(60)


@pytest.fixture(scope="module")
def reader(probe: Probe) -> Iterator[Reader]:
    assert build(probe, "first").messages == {"probe": "3 days, 6 records"}
    reading = Reader(probe)
    reading.start()
    yield reading
    reading.stop()


@pytest.fixture(autouse=True)
def _reading(reader: Reader) -> None:
    """Somebody reads during every test."""


def test_what_did_not_change_is_not_built_again(probe: Probe) -> None:
    assert build(probe, "first").messages == {"probe": "UNCHANGED"}


def test_a_check_that_does_not_hold_is_not_published(probe: Probe) -> None:
    bad = build(
        probe, "bad", "--vars", ALL, checks={"small": "n < 2", "known": "state is not null"}
    )
    assert bad.exit_code == 1
    assert "check small (n < 2) does not hold for 1 of 2 records" in bad.text
    assert "check known" not in bad.text
    assert set(states(probe).values()) == {"first"}


def test_a_day_is_rolled_back_and_so_is_a_whole_build(probe: Probe) -> None:
    assert build(probe, "second", "--vars", ALL).exit_code == 0
    back = rollback(probe, "{model: probe, dt: 2025-03-02}")
    assert back.exit_code == 0, back.text
    assert list(states(probe).values()).count("first") == 1
    assert states(probe)["2025-03-02"] == "first"
    none = rollback(probe, "{model: probe, dt: 2025-03-02}")
    assert none.exit_code == 1
    assert "no earlier build of 2025-03-02 is kept" in none.text
    assert build(probe, "third", "--vars", ALL).exit_code == 0
    assert rollback(probe, "{model: probe}").exit_code == 0
    assert set(states(probe).values()) == {"second"}


def test_a_model_that_is_not_there_is_named_with_those_that_are(probe: Probe) -> None:
    wrong = rollback(probe, "{model: prope}")
    assert wrong.exit_code == 1
    assert "no published model is called 'prope'. There are: probe" in wrong.text


def test_changed_sql_builds_the_days_that_its_policy_says(probe: Probe) -> None:
    assert build(probe, "fourth").messages == {"probe": "3 days, 6 records"}
    kept = build(probe, "fifth", on_sql_change="new days")
    assert kept.messages == {"probe": "UNCHANGED"}
    since = build(probe, "sixth", on_sql_change="2025-03-02")
    assert since.messages == {"probe": "2 days, 4 records"}
    assert states(probe) == dict(zip(DAYS, ("fourth", "sixth", "sixth"), strict=True))
    wrong = build(probe, "seventh", on_sql_change="tomorrow")
    assert "on_sql_change: tomorrow is not" in wrong.text


def test_a_backfill_that_was_killed_goes_on_behind_its_last_batch(probe: Probe) -> None:
    probe.write(rows_of("filled"), batch_days=1)
    probe.project.kill_once("-0002'", "run", "--vars", ALL)
    assert states(probe)["2025-03-01"] == "filled"
    again = probe.project.dbt("run", "--vars", ALL)
    assert "the backfill goes on behind 2025-03-01" in again.text
    assert again.messages == {"probe": "2 days, 4 records"}
    assert set(states(probe).values()) == {"filled"}
    whole = probe.project.dbt("run", "--vars", ALL)
    assert whole.messages == {"probe": "3 days, 6 records"}


def test_of_two_builds_at_once_one_wins_as_a_whole(probe: Probe) -> None:
    probe.write(rows_of("slow"))
    slow = probe.project.start_until("create table {db}.probe__building", "run", "--vars", ALL)
    os.killpg(slow.pid, signal.SIGSTOP)
    try:
        probe.write(rows_of("quick"))
        quick = probe.project.other("quick").dbt("run", "--vars", ALL)
    finally:
        os.killpg(slow.pid, signal.SIGCONT)
    assert quick.exit_code == 0, quick.text
    assert slow.wait(120) == 1, slow.text
    assert "not published" in slow.text
    assert "nothing of this one; run dbt build again" in slow.text
    assert set(states(probe).values()) == {"quick"}
    assert probe.project.tables() == {"probe"}


@pytest.mark.parametrize(
    "statement",
    [
        "create table {db}.probe__building",
        "create view if not exists {db}.probe__publishing",
        "datacore.relocate",
        "set tblproperties ('datacore.published'",
        "drop view if exists {db}.probe__publishing",
        "drop table if exists {db}.probe__building",
    ],
)
def test_one_build_heals_what_a_killed_one_left(probe: Probe, statement: str) -> None:
    before = set(states(probe).values())
    probe.write(rows_of(f"killed {statement[:11]}"))
    probe.project.kill_once(statement, "run", "--vars", ALL)
    assert set(states(probe).values()) <= before | {f"killed {statement[:11]}"}
    healed = build(probe, f"healed {statement[:11]}", "--vars", ALL)
    assert healed.exit_code == 0, healed.text
    assert set(states(probe).values()) == {f"healed {statement[:11]}"}
    assert probe.project.tables() == {"probe"}


def test_vacuum_removes_only_what_nobody_reads_and_is_past_its_grace(probe: Probe) -> None:
    def vacuum(*arguments: str) -> str:
        return probe.project.sandbox.run(
            "lake", "vacuum", "--database", probe.project.database, *arguments
        ).stdout

    before = set(states(probe).values())
    runs = {key.split("/_v/")[1].split("/")[0] for key in probe.project.objects("probe/")}
    assert len(runs) > 10
    assert "0 directories, 0.0 MiB removed" in vacuum()
    planned = vacuum("--grace-hours", "0", "--dry-run")
    assert "would be removed" in planned
    done = vacuum("--grace-hours", "0")
    assert done == planned.replace("would be removed", "removed")
    left = {key.split("/_v/")[1].split("/")[0] for key in probe.project.objects("probe/")}
    assert left == {
        place.split("/_v/")[1].split("/")[0] for place in probe.project.locations("probe").values()
    }
    assert set(states(probe).values()) == before
    none = rollback(probe, "{model: probe, dt: 2025-03-01}")
    assert "no earlier build of 2025-03-01 is kept" in none.text


def test_a_snapshot_keeps_what_was_and_is_swapped_whole(probe: Probe) -> None:
    def snap(*rows: str) -> list[tuple[Any, ...]]:
        probe.write_snapshot(
            "kept", "select * from values " + ", ".join(rows) + " as jobs (id, title)"
        )
        done = probe.project.dbt("snapshot")
        assert done.exit_code == 0, done.text
        return probe.project.query(
            "select id, title, dbt_valid_to is null from {db}.kept order by id, dbt_valid_from"
        )

    assert snap("(1, 'cook')", "(2, 'nurse')") == [(1, "cook", True), (2, "nurse", True)]
    assert snap("(1, 'chef')", "(3, 'clerk')") == [
        (1, "cook", False),
        (1, "chef", True),
        (2, "nurse", False),
        (3, "clerk", True),
    ]
    assert len(snap("(1, 'chef')", "(3, 'clerk')")) == 4


def test_no_reader_has_ever_seen_a_mixed_or_missing_day(probe: Probe, reader: Reader) -> None:
    """`make soak-lake READS=10000` asks for more reads than the tests before were long enough for."""
    for turn in itertools.count():
        if len(reader.seen) >= READS:
            break
        assert build(probe, f"turn {turn}", "--vars", ALL).exit_code == 0
        if turn % 3 == 0:
            probe.project.kill_once("datacore.relocate", "run", "--full-refresh")
        if turn % 2:
            assert rollback(probe, "{model: probe}").exit_code == 0
        # a grace of two minutes: longer than any query here
        probe.project.sandbox.run(
            "lake", "vacuum", "--database", probe.project.database, "--grace-hours", "0.033"
        )
    reader.stop()
    print(f"{len(reader.seen):,} reads")
    assert reader.ended_well
    assert set(reader.seen) == {(2, 1)}
