"""Replay and compaction on the sandbox: Spark sees what was set aside once a contract is mended, and
each line of an hour at all times while it is compacted."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from ingest_stage import Stage, wait_until
from kafka import KafkaProducer

from datacore.reconcile.read import LANDED, QUARANTINED, TOPICS
from ingest.land.hourlog import Hour
from ingest.versions.record import base_folder, records_prefix, versioned_prefix

pytestmark = pytest.mark.sandbox

DAY = "2026-01-02"


def ask(stage: Stage, query: str) -> list[tuple[Any, ...]]:
    connection = stage.sandbox.thrift()
    try:
        cursor = connection.cursor()
        cursor.execute(query)
        return cursor.fetchall()
    finally:
        connection.close()


def contract_of(stage: Stage) -> str:
    return (stage.contracts / f"{stage.data_type}.odcs.yaml").read_text()


def write_contract(stage: Stage, text: str, name: str | None = None) -> None:
    (stage.contracts / f"{name or stage.data_type}.odcs.yaml").write_text(text)


def raw_count(stage: Stage, data_type: str) -> int:
    return int(ask(stage, f"select count(*) from raw.{data_type}")[0][0])


def unclaimed_of(stage: Stage) -> int:
    """Rows of the topic's other type that nobody claims."""
    found = ask(stage, f"select count(*) from raw.unclaimed where value like '%{stage.topic}-new%'")
    return int(found[0][0])


def equations(stage: Stage) -> tuple[Any, dict[str, int], dict[str, int]]:
    """What `reconcile` asks of Spark, for this test's topic and types."""
    topics = {row[0]: row[1:] for row in ask(stage, TOPICS)}
    return topics[stage.topic], dict(ask(stage, LANDED)), dict(ask(stage, QUARANTINED))


def hour_log(stage: Stage) -> dict[tuple[str, str, str], dict[str, Any]]:
    return {
        (hour["data_type"], hour["dt"], hour["hour"]): hour
        for entry in stage.log_entries()
        for hour in entry["hours"]
    }


def test_a_topic_that_a_wrong_contract_set_aside_lands_once_it_is_mended(stage: Stage) -> None:
    lines = [stage.event(number, hour=number % 3) for number in range(600)]
    stage.tail(stage.write("app.log", [*lines, b"no json"]))
    right = contract_of(stage)
    # the time is looked for in a field that the records do not have
    wrong = right.replace("occurred_at", "happened_at")
    assert wrong != right
    write_contract(stage, wrong)
    assert stage.land().startswith("landed 0 quarantined 601 ")
    assert raw_count(stage, stage.data_type) == 0

    write_contract(stage, right)
    replay = ("quarantine", "replay", "--topic", stage.topic, "--contracts", stage.contracts)
    assert stage.sandbox.run(*replay).stdout.startswith("replayed 600 objects 3 replays 1 stay 1 ")
    assert stage.sandbox.run(*replay).stdout.startswith("replayed 0 ")

    assert raw_count(stage, stage.data_type) == 600
    listed = stage.sandbox.run("quarantine", "list", "--topic", stage.topic, "--json").stdout
    assert [json.loads(line)["records"] for line in listed.splitlines()] == [1]
    everything = stage.sandbox.run("quarantine", "list", "--topic", stage.topic, "--all", "--json")
    counts = {
        count["reason"]: (count["records"], count["replayed"])
        for count in map(json.loads, everything.stdout.splitlines())
    }
    assert counts == {"no_time": (0, 600), "not_json": (1, 0)}
    topic, landed, quarantined = equations(stage)
    assert tuple(topic) == (601, 600, 1, 0)
    assert (landed[stage.data_type], quarantined[stage.data_type]) == (600, 0)
    totals = hour_log(stage)
    assert {hour: totals[stage.data_type, DAY, hour]["records"] for hour in ("00", "01", "02")} == {
        "00": 200,
        "01": 200,
        "02": 200,
    }
    stage.land()
    assert all(hour_log(stage)[stage.data_type, DAY, hour]["sealed"] for hour in ("00", "01", "02"))


def test_unclaimed_records_move_to_their_type_and_two_replays_at_once_take_each_once(
    stage: Stage,
) -> None:
    new = f"{stage.data_type}_new"
    mine = [stage.event(number) for number in range(50)]
    others = [
        stage.event(number).replace(
            b'"%s"' % stage.data_type.encode(), b'"%s-new"' % stage.topic.encode()
        )
        for number in range(40)
    ]
    stage.tail(stage.write("app.log", [*mine, *others]))
    stage.land()
    assert unclaimed_of(stage) == 40
    text = contract_of(stage).replace(stage.data_type, new)
    text = text.replace(f"{new}-topic", stage.topic)
    text = text.replace(f"equals: {new}", f"equals: {stage.topic}-new")
    write_contract(stage, text, new)

    arguments = ("replay", "--type", new, "--contracts", stage.contracts)
    both = [stage.start(*arguments) for _ in range(2)]
    said = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sorted(int(line.split()[1]) for line in said) == [0, 40]

    assert raw_count(stage, new) == 40
    assert raw_count(stage, stage.data_type) == 50
    assert unclaimed_of(stage) == 0
    topic, landed, _ = equations(stage)
    assert tuple(topic) == (90, 90, 0, 0)
    assert landed[new] == 40
    assert sum(h["records"] for key, h in hour_log(stage).items() if key[0] == "unclaimed") == 0
    assert stage.sandbox.run(*arguments).stdout.startswith("replayed 0 ")
    stage.sandbox.run("register", "--contracts", stage.contracts)
    assert unclaimed_of(stage) == 0


class Reader(threading.Thread):
    """Counts the lines of an hour in a loop, each time in a session of its own."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(daemon=True)
        self._stage = stage
        self._stop_asked = threading.Event()
        self.seen: list[int] = []

    def run(self) -> None:
        while not self._stop_asked.is_set():
            self.seen.append(raw_count(self._stage, self._stage.data_type))

    def stop(self) -> set[int]:
        """The different counts."""
        self._stop_asked.set()
        if self.ident is not None:
            self.join(timeout=60)
        return set(self.seen)


@pytest.fixture
def reader(stage: Stage) -> Iterator[Reader]:
    made = Reader(stage)
    yield made
    made.stop()


def land_in_parts(stage: Stage, lines: list[bytes], parts: int) -> None:
    """Land lines in so many cuts."""
    lander = stage.start(*stage.land_arguments("--cut-seconds", "0.1"))
    producer = KafkaProducer(bootstrap_servers=stage.sandbox.env["DATACORE_KAFKA"])
    size = len(lines) // parts
    for part in range(parts):
        for line in lines[part * size : (part + 1) * size]:
            producer.send(stage.topic, line, partition=part % 2)
        producer.flush()
        wait_until(
            lambda part=part: stage.cut_records() == (part + 1) * size,  # type: ignore[misc]
            f"the cut of part {part}",
        )
    producer.close()
    stage.stop(lander)
    stage.land()


def keys(stage: Stage, prefix: str) -> list[str]:
    return sorted(stage.objects(prefix.removeprefix("production-logs/")))


def test_an_hour_is_compacted_while_readers_see_each_line_and_late_data_is_seen_after(
    stage: Stage, reader: Reader
) -> None:
    hour = Hour(stage.data_type, DAY, "03")
    lines = [stage.event(number) for number in range(3_000)]
    land_in_parts(stage, lines, 12)
    before = keys(stage, base_folder(hour))
    assert len(before) >= 12
    arguments = ("compact", "--contracts", stage.contracts, "--type", stage.data_type)
    planned = stage.sandbox.run(*arguments, "--dry-run").stdout
    assert f"would be {len(before)} -> 1 objects" in planned
    assert keys(stage, records_prefix(hour)) == []

    reader.start()
    both = [stage.start(*arguments, "--day", DAY) for _ in range(2)]
    said = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert f"{len(before)} -> 1 objects" in "".join(said)
    assert len(keys(stage, records_prefix(hour))) == 1
    assert len(keys(stage, versioned_prefix(hour))) == 1
    assert keys(stage, base_folder(hour)) == before
    # superseded objects go once the grace is over, here at once
    assert (
        f"{len(before)} superseded objects removed"
        in stage.sandbox.run(*arguments, "--grace-minutes", "0").stdout
    )
    assert keys(stage, base_folder(hour)) == []
    at = len(reader.seen)
    while len(reader.seen) < at + 2 and reader.is_alive():
        reader.join(timeout=0.2)
    assert reader.stop() == {3_000}
    assert len(reader.seen) > 3
    files = f"select count(distinct _metadata.file_name) from raw.{stage.data_type}"
    assert ask(stage, files) == [(1,)]

    stage.tail(stage.write("late.log", [stage.event(number) for number in range(3_000, 3_007)]))
    stage.land()
    assert raw_count(stage, stage.data_type) == 3_007
    stage.sandbox.run(*arguments, "--grace-minutes", "0")
    assert raw_count(stage, stage.data_type) == 3_007
    assert len(keys(stage, versioned_prefix(hour))) == 1

    glue = stage.sandbox.glue
    lost = {"DatabaseName": "raw", "TableName": stage.data_type}
    glue.delete_partition(**lost, PartitionValues=[DAY, "03"])
    registered = stage.sandbox.run("register", "--contracts", stage.contracts).stdout
    assert "pointed to their newest version 1" in registered
    assert raw_count(stage, stage.data_type) == 3_007
    # a lander that has forgotten where it was takes what was compacted for landed
    assert stage.land().startswith("landed 0 ")
    topic, landed, _ = equations(stage)
    assert tuple(topic) == (3_007, 3_007, 0, 0)
    assert landed[stage.data_type] == 3_007


def test_what_is_wrong_is_told_with_its_exit_code(stage: Stage) -> None:
    land_in_parts(stage, [stage.event(number) for number in range(4)], 2)
    contracts = ("--contracts", stage.contracts)
    hour = Hour(stage.data_type, DAY, "03")
    changed = keys(stage, base_folder(hour))[0]
    stage.s3.put_object(Bucket=stage.bucket, Key=changed, Body=b"not gzip")
    cases: list[tuple[tuple[Any, ...], int, str]] = [
        (("compact", *contracts, "--type", "nothing"), 2, "no contract describes data type"),
        (("compact", *contracts, "--day", DAY, "--to", DAY), 2, "--day is a day"),
        (
            ("compact", *contracts, "--type", stage.data_type),
            1,
            "1 of the hours and types above are not what was promised",
        ),
        (("replay", *contracts, "--type", "nothing"), 2, "no contract describes data type"),
        (("quarantine", "replay", *contracts, "--topic", "nowhere"), 2, "is in quarantine"),
    ]
    for arguments, code, message in cases:
        done = stage.sandbox.run(*arguments, check=False)
        assert (done.returncode, message in done.stderr) == (code, True), done.stderr
        assert "Traceback" not in done.stderr
    told = stage.sandbox.run("compact", *contracts, "--type", stage.data_type, check=False)
    assert f"{changed} is no whole gzip file" in told.stdout


def test_a_hole_in_a_topics_hour_log_holds_back_the_types_of_that_topic_alone(
    stage: Stage,
) -> None:
    land_in_parts(stage, [stage.event(number) for number in range(4)], 2)
    first = keys(stage, f"production-logs/_hours/{stage.topic}/")[0]
    stage.s3.delete_object(Bucket=stage.bucket, Key=first)
    arguments = ("compact", "--contracts", stage.contracts, "--dry-run")
    done = stage.sandbox.run(*arguments, check=False)
    assert done.returncode == 1
    assert f"the log of {stage.topic} has a hole" in done.stdout
    landing = stage.sandbox.run(*stage.land_arguments("--until-caught-up"), check=False)
    assert (landing.returncode, "has a hole" in landing.stderr) == (2, True)
    assert "Traceback" not in done.stderr + landing.stderr
