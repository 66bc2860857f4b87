"""The landing protocol on two servers: killed or doubled, every record is there exactly once."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from s3_servers import S3Server, running_versitygw
from s3_stage import LIMIT, Place, Stage, Workers

from datacore.errors import ServiceUnreachable
from ingest.audit.finding import FindingKind as Kind
from sandbox.ports import HOST, free_ports

pytestmark = pytest.mark.usefixtures("glue")  # each begins with an empty one

KILLS = 40
"""Processes that are killed at most until one comes to the end."""


def check(stage: Stage) -> None:
    """Readers see every record once, and the audit finds nothing, except what S3 does not have."""
    assert stage.seen() == stage.produced()
    found = {(finding.kind, finding.key) for finding in stage.audit().findings}
    assert found == (set() if stage.encrypts else unencrypted(stage))


def unencrypted(stage: Stage) -> set[tuple[Kind, str]]:
    """What is to be said of a bucket on an S3 without encryption: it, and each object once."""
    return {
        (Kind.BUCKET_UNENCRYPTED, f"s3://{stage.place.bucket}"),
        *((Kind.UNENCRYPTED, key) for key in stage.keys("")),
    }


def kill_until_done(stage: Stage, do: str, every: int) -> int:
    """Kill process after process at a change, before and after it in turns; how many were."""
    for number in range(KILLS):
        how = {"at": every + number % 3, "after": number % 2 == 1}
        code = stage.process(do, name=f"doomed-{number}", **how).code()
        if code == 0:
            return number
        assert code == -9
    raise AssertionError(f"{KILLS} processes, and none came to the end")


def wait_for_cuts(stage: Stage, count: int) -> None:
    """Wait until so many manifests stand."""
    deadline = time.monotonic() + LIMIT
    while len(stage.keys("_cuts/")) < count:
        assert time.monotonic() < deadline


def test_landers_killed_at_any_write_leave_what_the_next_completes(stage: Stage) -> None:
    assert kill_until_done(stage, "land", every=12) > 3
    check(stage)
    before = stage.keys("")
    stage.land("late")
    assert stage.keys("") == before


def test_a_lander_that_sleeps_while_two_at_once_land_all_writes_nothing_twice(
    stage: Stage,
) -> None:
    killed, sleeping = (
        stage.process("land", name=f"lander-{number}", at=9 + number, by=signal.SIGSTOP)
        for number in (0, 1)
    )
    for process in (killed, sleeping):
        process.wait_until_stopped()
    assert killed.kill() == -9
    both = [stage.process("land", name=f"lander-{number}") for number in (2, 3)]
    assert [process.code() for process in both] == [0, 0]
    check(stage)
    before = stage.keys("")
    sleeping.go_on()
    assert sleeping.code() == 0
    assert stage.keys("") == before
    check(stage)
    writers = {json.loads(data)["lander"] for data in stage.bucket.get_all(stage.keys("_cuts/"))}
    assert len(writers) > 1


def test_compactions_killed_at_any_change_are_finished_by_the_next(stage: Stage) -> None:
    stage.land()
    landed = stage.keys("click/")
    assert kill_until_done(stage, "compact", every=1) > 2
    check(stage)
    assert len(landed) > 10
    assert stage.keys("click/") == []
    assert len(stage.keys("_versioned/click/")) == len(stage.keys("_versions/click/")) == 3
    assert all("/_versioned/click/" in folder for folder in stage.folders_read())
    assert stage.compact() == []


def test_compaction_while_a_lander_brings_more_hides_and_doubles_nothing(stage: Stage) -> None:
    stage.land()
    more = replace(stage, place=replace(stage.place, records=90), started=stage.started)
    both = [more.process("land", name="lander-2"), more.process("compact", name="compactor-1")]
    assert [process.code() for process in both] == [0, 0]
    more.compact("compactor-2")
    check(more)


def test_the_audit_as_a_command_finds_what_the_server_lacks_and_nothing_else(
    stage: Stage,
) -> None:
    stage.land()
    stage.compact()
    done = subprocess.run(
        [sys.executable, "-m", "datacore", "audit", "--json"],
        env={
            **os.environ,
            "AWS_ENDPOINT_URL_S3": stage.place.s3,
            "AWS_ENDPOINT_URL_GLUE": stage.place.glue,
            "AWS_ENDPOINT_URL_KMS": stage.place.glue,
            "DATACORE_BUCKET": stage.place.bucket,
        },
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    report = json.loads(done.stdout)
    found = {(Kind(one["kind"]), one["key"]) for one in report["findings"]}
    # by the command's own clock hours have long been written
    assert found == (set() if stage.encrypts else unencrypted(stage))
    assert done.returncode == (0 if stage.encrypts else 1)
    assert report["records"] == 2 * stage.place.records


def test_a_server_killed_under_a_lander_holds_what_it_said_it_holds(
    glue: S3Server, workers: Workers, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    place = Place(f"http://{HOST}:{port}", glue.endpoint, "logs", records=120)
    with running_versitygw(tmp_path, port) as server, Stage(place, False, workers) as stage:
        first = stage.process("land", name="lander-0")
        wait_for_cuts(stage, 3)
        server.process.kill()
        server.process.wait()
        with running_versitygw(tmp_path, port):
            assert len(stage.keys("_cuts/")) < 12, "the lander was done before the server died"
            # a lander tries five times, then says that S3 is away
            assert first.code() in (0, ServiceUnreachable.exit_code)
            assert stage.process("land", name="lander-1").code() == 0
            check(stage)
