"""File → Kafka → S3: every line once, whatever is killed, doubled or broken."""

import gzip
import json
import os
import signal
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ingest_stage import Stage, wait_until

pytestmark = pytest.mark.sandbox

BROKEN = [b"", b"no json", b'{"a":NaN}', b'"text"', b'{"a":"\xff"}', b"[" * 1000 + b"]" * 1000]


def events(stage: Stage, count: int) -> list[bytes]:
    return [stage.event(number, hour=number // 100 % 24) for number in range(count)]


def test_files_arrive_line_for_line_and_hours_are_sealed_and_registered(stage: Stage) -> None:
    lines = events(stage, 3_000)
    late = stage.event(1).replace(b"2026-01-02", b"2019-07-31")
    no_time = b'{"type":"%s"}' % stage.data_type.encode()
    packed = stage.folder / "app.log.1.gz"
    packed.write_bytes(gzip.compress(b"\n".join(lines[:1_500])))
    plain = stage.write("app.log", [*lines[1_500:], late, b'{"type":"nobody"}', no_time, *BROKEN])
    written = Counter([*lines, late, b'{"type":"nobody"}', no_time, *BROKEN])

    assert "sent 3009 lines" in stage.tail(packed, plain).stdout
    summary = stage.land()

    assert summary.startswith("landed 3001 quarantined 7 unclaimed 1 ")
    assert stage.landed() == written
    stage.check_chain()
    manifests = stage.manifests()
    assert sum(manifest["records"] for manifest in manifests) == 3_009
    producers = {p["file"]: p for manifest in manifests for p in manifest["producers"]}
    assert sorted(name.split("#")[0] for name in producers) == ["app.log", "app.log.1.gz"]
    assert {record["reason"] for record in stage.quarantined()} == {
        "not_json",
        "not_object",
        "not_utf8",
        "too_deep",
        "no_time",
    }
    hours = {
        (hour["data_type"], hour["dt"], hour["hour"]): hour
        for entry in stage.log_entries()
        for hour in entry["hours"]
    }
    claimed = {key: hour for key, hour in hours.items() if key[0] == stage.data_type}
    assert len(claimed) == 25
    assert all(hour["sealed"] for hour in claimed.values())
    assert sum(hour["records"] for hour in claimed.values()) == 3_001
    glue = stage.sandbox.glue
    found = glue.get_partitions(DatabaseName="raw", TableName=stage.data_type)["Partitions"]
    assert {tuple(p["Values"]) for p in found} == {key[1:] for key in claimed}
    chains = glue.get_partitions(DatabaseName="platform", TableName="cut")["Partitions"]
    of_topic = [p["Values"] for p in chains if p["Values"][0] == stage.topic]
    assert of_topic == [[stage.topic, str(n)] for n in sorted(m["partition"] for m in manifests)]

    before = stage.everything()
    assert "sent 0 lines" in stage.tail(packed, plain).stdout
    assert stage.land().startswith("landed 0 quarantined 0 unclaimed 0 ")
    assert stage.everything() == before

    asked = ("quarantine", "list", "--topic", stage.topic, "--json")
    listed = [json.loads(line) for line in stage.sandbox.run(*asked).stdout.splitlines()]
    assert {(c["reason"], c["data_type"], c["records"]) for c in listed} == {
        ("not_json", None, 3),
        ("not_object", None, 1),
        ("not_utf8", None, 1),
        ("too_deep", None, 1),
        ("no_time", stage.data_type, 1),
    }
    asked = ("quarantine", "show", "--topic", stage.topic, "--reason", "no_time")
    (shown,) = map(json.loads, stage.sandbox.run(*asked).stdout.splitlines())
    assert (shown["host"], shown["line"], shown["field"]) == ("web-1", 1_503, "occurred_at")
    assert shown["value"] == no_time.decode()

    glue.delete_partition(
        DatabaseName="raw", TableName=stage.data_type, PartitionValues=["2026-01-02", "03"]
    )
    stage.sandbox.run("register", "--contracts", stage.contracts)
    assert (
        len(glue.get_partitions(DatabaseName="raw", TableName=stage.data_type)["Partitions"]) == 25
    )


def test_a_lander_killed_midway_and_two_at_once_land_every_line_once(stage: Stage) -> None:
    lines = events(stage, 20_000)
    stage.tail(stage.write("app.log", lines))
    small = ("--until-caught-up", "--cut-mib", "0.1")

    killed = stage.start(*stage.land_arguments(*small))
    wait_until(lambda: len(stage.manifests()) > 2, "the first cuts")
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    both = [stage.start(*stage.land_arguments(*small)) for _ in range(2)]
    assert [process.wait(timeout=120) for process in both] == [0, 0]

    assert stage.landed() == Counter(lines)
    stage.check_chain()


def test_a_tail_killed_midway_neither_loses_nor_repeats_a_line(stage: Stage) -> None:
    lines = events(stage, 60_000)
    path = stage.write("app.log", lines)

    killed = stage.start(*stage.tail_arguments(path), "--once")
    wait_until(lambda: stage.written() > 25_000, "more than one transaction")
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    again = stage.tail(path)

    assert "sent 60000 lines" not in again.stdout
    stage.land()
    assert stage.landed() == Counter(lines)
    sequences = [p for m in stage.manifests() for p in m["producers"]]
    assert sum(p["records"] for p in sequences) == 60_000
    assert sorted(
        n for p in sequences for first, last in p["ranges"] for n in range(first, last + 1)
    ) == list(range(60_000))


def test_landers_share_a_topic_while_a_log_rotates_and_end_on_sigterm(stage: Stage) -> None:
    path = stage.write("app.log", events(stage, 500))
    tail = stage.start(*stage.tail_arguments(path))
    landers = [stage.start(*stage.land_arguments("--cut-seconds", "1")) for _ in range(2)]
    wait_until(lambda: stage.cut_records() == 500, "the first lines on S3")
    path.rename(path.with_name("app.log.1"))
    more = [stage.event(number, hour=5) for number in range(500, 800)]
    stage.write("app.log", [*more, b"unended"])
    os.truncate(path, path.stat().st_size - 1)
    wait_until(lambda: stage.cut_records() == 800, "the lines after rotation")
    assert "sent 800 lines" in stage.stop(tail)
    for lander in landers:
        stage.stop(lander)
    assert stage.landed() == Counter([*events(stage, 500), *more])
    stage.check_chain()


def test_a_gzip_file_cut_short_and_a_line_of_20_mb_cost_no_other_line(stage: Stage) -> None:
    lines = events(stage, 400)
    packed = stage.folder / "short.log.gz"
    packed.write_bytes(gzip.compress(b"\n".join(lines[:200]) + b"\n")[:-20])
    long = b'{"type":"%s","pad":"' % stage.data_type.encode() + b"x" * (20 << 20) + b'"}'
    beyond = b'{"pad":"' + b"y" * (64 << 20) + b'"}'
    plain = stage.write("app.log", [*lines[200:300], long, beyond, *lines[300:]])

    done = stage.tail(packed, plain, check=False)

    assert done.returncode == 2
    assert "short.log.gz: the gzip stream breaks off after" in done.stderr
    assert "Traceback" not in done.stderr
    stage.land()
    landed = stage.landed()
    assert set(lines[200:]) <= set(landed)
    assert set(landed) & set(lines[:200])
    assert [r["reason"] for r in stage.quarantined()] == ["too_large"] * 2
    assert sum(landed.values()) == len(set(landed) & set(lines)) + 2
    assert f"{len(beyond)} bytes" in {r["found"] for r in stage.quarantined()}


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_what_is_missing_or_away_is_named_with_its_exit_code(stage: Stage, tmp_path: Path) -> None:
    path = stage.write("app.log", [stage.event(1)])
    away = f"127.0.0.1:{closed_port()}"
    land = stage.land_arguments("--until-caught-up")
    stage.sandbox.s3.create_bucket(Bucket=f"plain-{stage.data_type.replace('_', '-')}")
    plain = f"plain-{stage.data_type.replace('_', '-')}"
    cases: list[tuple[tuple[str | Path, ...], dict[str, str], int, str]] = [
        (("tail", path, "--topic", "nowhere", "--once"), {}, 2, "topic 'nowhere' does not exist"),
        ((*stage.tail_arguments(tmp_path / "no.log"), "--once"), {}, 2, "no.log: cannot be read"),
        ((*land[:-2], "nowhere", land[-1]), {}, 2, "topic 'nowhere' does not exist"),
        (land, {"DATACORE_BUCKET": "no-such-bucket"}, 2, "bucket 'no-such-bucket' does not exist"),
        (land, {"DATACORE_BUCKET": plain}, 2, "has no default encryption"),
        (land, {"AWS_ENDPOINT_URL": f"http://{away}"}, 3, "S3 cannot be reached"),
        (land, {"DATACORE_KAFKA": away}, 3, f"Kafka at {away} cannot be reached"),
        (stage.tail_arguments(path), {"DATACORE_KAFKA": away}, 3, "cannot be reached"),
    ]
    with ThreadPoolExecutor(4) as pool:
        outcomes = [pool.submit(stage.sandbox.run, *a, check=False, env=e) for a, e, _, _ in cases]
    for (_, _, code, message), outcome in zip(cases, outcomes, strict=True):
        done = outcome.result()
        assert (done.returncode, message in done.stderr) == (code, True), done.stderr
        assert "hint: " in done.stderr
        assert "Traceback" not in done.stderr
    assert stage.written() == 0
