"""Kinesis → S3: every record of every shard once, whatever is killed, doubled, split or outrun."""

import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from ingest_stage import wait_until
from kinesis_stage import KinesisStage

pytestmark = pytest.mark.sandbox


def events(stage: KinesisStage, first: int, count: int) -> list[bytes]:
    return [stage.event(n, hour=n // 100 % 24) for n in range(first, first + count)]


def test_records_arrive_byte_for_byte_and_hours_are_sealed_and_registered(
    stream_stage: KinesisStage,
) -> None:
    stage = stream_stage
    lines = events(stage, 0, 1_500)
    late = stage.event(1).replace(b"2026-01-02", b"2019-07-31")
    other, broken = b'{"type":"nobody"}', [b"no json", b'"text"', b'{"a":"\xff"}']
    stage.put([*lines, late, other, *broken])

    summary = stage.land()

    assert summary.startswith("landed 1501 quarantined 3 unclaimed 1 ")
    assert stage.landed() == Counter([*lines, late, other, *broken])
    stage.check_chain()
    stage.check_sequence_numbers()
    assert {m["partition"] for m in stage.manifests()} == {0, 1, 2}
    hours = [hour for entry in stage.log_entries() for hour in entry["hours"]]
    claimed = [hour for hour in hours if hour["data_type"] == stage.data_type]
    assert len(claimed) == 16
    assert all(hour["sealed"] for hour in claimed)
    assert sum(hour["records"] for hour in claimed) == 1_501
    found = stage.sandbox.glue.get_partitions(DatabaseName="raw", TableName=stage.data_type)
    assert len(found["Partitions"]) == 16
    asked = ("quarantine", "list", "--topic", stage.topic)
    assert "not_utf8" in stage.sandbox.run(*asked).stdout

    before = stage.everything()
    assert stage.land().startswith("landed 0 quarantined 0 unclaimed 0 ")
    assert stage.everything() == before


def test_killed_midway_split_merged_and_landed_by_two_at_once_every_record_is_there_once(
    stream_stage: KinesisStage,
) -> None:
    stage = stream_stage
    lines = events(stage, 0, 9_000)
    stage.put(lines)
    small = ("--until-caught-up", "--cut-mib", "0.1")

    killed = stage.start(*stage.land_arguments(*small))
    wait_until(lambda: len(stage.manifests()) > 2, "the first cuts")
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    stage.split(0)
    stage.merge(1, 2)
    more = events(stage, 9_000, 3_000)
    stage.put(more)
    both = [stage.start(*stage.land_arguments(*small)) for _ in range(2)]
    assert [process.wait(timeout=120) for process in both] == [0, 0]

    assert stage.landed() == Counter([*lines, *more])
    stage.check_chain()
    stage.check_sequence_numbers()
    ends = {m["partition"] for m in stage.manifests() if m["kind"] == "closed"}
    assert ends == {0, 1, 2}
    assert {m["partition"] for m in stage.manifests()} >= {3, 4, 5}
    last = stage.log_entries()[-1]
    assert {number for number, mark in last["watermarks"].items() if mark == 2**62} == {
        "0",
        "1",
        "2",
    }
    stage.land("--grace-minutes", "0")
    sealed = {
        (hour["data_type"], hour["dt"], hour["hour"]): hour["sealed"]
        for entry in stage.log_entries()
        for hour in entry["hours"]
    }
    assert set(sealed.values()) == {True}
    stage.sandbox.run("audit", "--topic", stage.topic)


def test_landers_with_shares_follow_a_stream_through_a_split_and_end_on_sigterm(
    stream_stage: KinesisStage,
) -> None:
    stage = stream_stage
    stage.put(events(stage, 0, 300))
    landers = [
        stage.start(*stage.land_arguments("--shards", f"{n}/2", "--cut-seconds", "1"))
        for n in (1, 2)
    ]
    wait_until(lambda: stage.cut_records() == 300, "the first records on S3")
    stage.split(1)
    stage.put(events(stage, 300, 300))
    wait_until(lambda: stage.cut_records() == 600, "the children's records on S3")
    printed = [stage.stop(lander) for lander in landers]
    assert all(line.startswith("landed ") for line in printed)
    assert stage.landed() == Counter(events(stage, 0, 600))
    stage.check_chain()
    stage.check_sequence_numbers()


def test_what_kinesis_dropped_unread_is_told_as_lost(stream_stage: KinesisStage) -> None:
    stage = stream_stage
    stage.put(events(stage, 0, 30), shard=0)
    stage.land()
    stage.put(events(stage, 30, 30), shard=0)
    stage.drop_all_held()
    stage.put(events(stage, 60, 30), shard=0)

    done = stage.sandbox.run(*stage.land_arguments("--until-caught-up"))

    assert '"event": "range_lost"' in done.stderr
    assert stage.landed() == Counter(events(stage, 0, 30) + events(stage, 60, 30))
    stage.check_chain()
    (lost,) = [m for m in stage.manifests() if m["kind"] == "lost" and m["partition"] == 0]
    assert (lost["first"], lost["next"], lost["records"], lost["extent_unknown"]) == (
        30,
        31,
        0,
        True,
    )
    assert lost["source_last"] == stage.held(0)[0][0]
    told = stage.sandbox.run("audit", "--topic", stage.topic, check=False)
    assert "how many, nobody can tell" in told.stdout + told.stderr


def test_a_stream_encrypted_by_kms_is_read_like_any_other(stream_stage: KinesisStage) -> None:
    stage = stream_stage
    stage.kinesis.start_stream_encryption(
        StreamName=stage.topic, EncryptionType="KMS", KeyId="alias/datacore"
    )
    stage.put(events(stage, 0, 10))
    assert stage.land().startswith("landed 10 ")


def test_what_is_wrong_or_away_is_named_with_its_exit_code(stream_stage: KinesisStage) -> None:
    stage = stream_stage
    land = stage.land_arguments("--until-caught-up")
    nowhere = ("land", "--source", "kinesis", "--topic", "nowhere", "--contracts", stage.contracts)
    shared = stage.land_arguments("--shards", "3/2")
    cases: list[tuple[tuple[object, ...], dict[str, str], int, str]] = [
        (nowhere, {}, 2, "stream 'nowhere' does not exist"),
        (shared, {}, 2, "--shards 3/2: not I/N"),
        ((*land, "--shards", "1/2"), {}, 2, "not with --until-caught-up"),
        (("land", *land[3:]), {"DATACORE_SOURCE": "pulsar"}, 2, "'pulsar' is not one of"),
        (land, {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, 3, "cannot be reached"),
    ]
    with ThreadPoolExecutor(4) as pool:
        outcomes = [
            pool.submit(stage.sandbox.run, *map(str, a), check=False, env=e) for a, e, _, _ in cases
        ]
    for (_, _, code, message), outcome in zip(cases, outcomes, strict=True):
        done = outcome.result()
        assert (done.returncode, message in done.stderr) == (code, True), done.stderr
        assert "Traceback" not in done.stderr
    chosen = stage.sandbox.run("land", *land[3:], env={"DATACORE_SOURCE": "kinesis"})
    assert chosen.stdout.startswith("landed 0 ")
