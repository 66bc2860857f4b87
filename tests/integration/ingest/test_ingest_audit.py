"""Audit and repair as commands, on what tail and land brought from real files through real Kafka."""

import gzip
import json
from typing import Any

import pytest
from ingest_stage import Stage
from kafka import TopicPartition

pytestmark = pytest.mark.sandbox


def audit(stage: Stage, *more: str, code: int = 0) -> dict[str, Any]:
    """The audit's report on the stage's topic; it must exit with `code`."""
    done = stage.sandbox.run("audit", "--topic", stage.topic, "--json", *more, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["ok"] == (code == 0)
    return report


def found(report: dict[str, Any]) -> set[tuple[str, str]]:
    return {(finding["kind"], finding["key"]) for finding in report["findings"]}


def repair(stage: Stage, *more: str, code: int = 0) -> str:
    """What repair says; it must exit with `code`."""
    done = stage.sandbox.run("repair", "--topic", stage.topic, *more, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def test_an_object_deleted_by_hand_comes_back_from_kafka_and_an_edited_one_if_asked(
    stage: Stage,
) -> None:
    lines = [stage.event(number, hour=number // 100 % 24) for number in range(2_400)]
    stage.tail(stage.write("app.log", [*lines, b"no json", b'{"type":"nobody"}']))
    stage.land("--cut-mib", "0.1")
    clean = audit(stage)
    # where a replay has rewritten the hour of `unclaimed`, what comes late is in both folders
    copies = sum(f"/{stage.topic}+" in key for key in stage.objects("_versioned/unclaimed/"))
    assert (clean["records"], clean["on_the_way"]) == (2_402 + copies, 0)
    assert audit(stage, "--quick")["objects"] == clean["objects"]
    by_type = {one["data_type"]: one for one in clean["sizes"]}
    assert by_type[stage.data_type]["objects"] == len(stage.objects(f"{stage.data_type}/"))

    whole = stage.objects(f"{stage.data_type}/")
    removed, edited, *_ = whole
    (aside,) = stage.objects(f"_quarantine/{stage.topic}/")
    for key in (removed, aside):
        stage.s3.delete_object(Bucket=stage.bucket, Key=key)
    stage.s3.put_object(Bucket=stage.bucket, Key=edited, Body=gzip.compress(b"{}\n"))
    wrong = {("object_missing", removed), ("object_missing", aside), ("object_edited", edited)}
    assert found(audit(stage, code=1)) == wrong
    shown = stage.sandbox.run("audit", "--topic", stage.topic, "--rows", "1", check=False)
    assert shown.returncode == 1
    assert "… and 1 more" in shown.stdout
    assert "datacore repair" in shown.stdout
    assert "wrong 3 lost 0" in shown.stdout

    would = repair(stage, "--dry-run", code=1)
    assert {f"would restore {removed}", f"would restore {aside}", f"left as it is {edited}"} == {
        line.split(":")[0] for line in would.splitlines() if ".jsonl.gz:" in line
    }
    assert found(audit(stage, code=1)) == wrong
    assert f"restored {removed}: " in repair(stage, code=1)
    assert found(audit(stage, code=1)) == {("object_edited", edited)}
    assert f"replaced {edited}: " in repair(stage, "--replace")
    audit(stage)
    assert stage.objects(f"{stage.data_type}/") == whole
    assert repair(stage).startswith("nothing to repair")


def test_what_kafka_dropped_is_not_restored_and_says_so(stage: Stage) -> None:
    stage.tail(stage.write("app.log", [stage.event(number) for number in range(50)]))
    stage.land()
    (key,) = stage.objects(f"{stage.data_type}/")
    stage.s3.delete_object(Bucket=stage.bucket, Key=key)
    (manifest,) = stage.manifests()
    stage.admin.delete_records({TopicPartition(stage.topic, manifest["partition"]): 10})
    said = repair(stage, code=1)
    assert f"not restored {key}: Kafka no longer holds the offsets [0, " in said
    assert found(audit(stage, code=1)) == {("object_missing", key)}


def test_the_audit_names_what_was_done_to_the_ledger_and_to_glue(stage: Stage) -> None:
    stage.tail(stage.write("app.log", [stage.event(n, hour=n % 3) for n in range(300)]))
    stage.land()
    stage.tail(stage.write("more.log", [stage.event(n, hour=n % 3) for n in range(300, 600)]))
    stage.land()
    audit(stage)
    s3, bucket = stage.s3, stage.bucket
    manifest, *_ = stage.objects(f"_cuts/{stage.topic}/")
    text = s3.get_object(Bucket=bucket, Key=manifest)["Body"].read()
    s3.put_object(Bucket=bucket, Key=manifest, Body=text[:100])
    plain, *_ = stage.objects(f"{stage.data_type}/2026/01/02/02/")
    head = s3.head_object(Bucket=bucket, Key=plain)
    data = s3.get_object(Bucket=bucket, Key=plain)["Body"].read()
    s3.put_object(
        Bucket=bucket,
        Key=plain,
        Body=data,
        Metadata=head["Metadata"],
        ServerSideEncryption="AES256",
    )
    first, second = stage.objects(f"_hours/{stage.topic}/")
    s3.delete_object(Bucket=bucket, Key=first)
    stage.sandbox.glue.delete_partition(
        DatabaseName="raw", TableName=stage.data_type, PartitionValues=["2026-01-02", "01"]
    )
    foreign = f"production-logs/{stage.data_type}/2026/01/02/01/{stage.topic}+9+{0:020}.jsonl.gz"
    s3.put_object(Bucket=bucket, Key=foreign, Body=b"")
    kinds = found(audit(stage, code=1))
    assert {
        ("manifest_damaged", manifest),
        ("hour_log_hole", second),
        ("glue_partition", f"raw.{stage.data_type} 2026-01-02/01"),
        ("object_unknown", foreign),
    } <= kinds
    assert {kind for kind, _ in kinds} - {"sequence_lost"} <= {
        "manifest_damaged", "hour_log_hole", "glue_partition", "object_unknown", "unencrypted",
    }  # fmt: skip
    s3.put_object(Bucket=bucket, Key=manifest, Body=text)
    kinds = found(audit(stage, code=1))
    assert kinds == {
        ("unencrypted", plain),
        ("hour_log_hole", second),
        ("glue_partition", f"raw.{stage.data_type} 2026-01-02/01"),
        ("object_unknown", foreign),
    }


def test_the_audit_says_what_is_away_or_mistyped(stage: Stage) -> None:
    def code(*arguments: str, **env: str) -> tuple[int, str]:
        done = stage.sandbox.run(*arguments, check=False, env=env)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stderr

    away = "http://127.0.0.1:9"
    for command in ("audit", "repair"):
        found_code, said = code(command, AWS_ENDPOINT_URL=away)
        assert (found_code, "S3 cannot be reached" in said) == (3, True)
        found_code, said = code(command, DATACORE_BUCKET="no-such-bucket")
        assert (found_code, "'no-such-bucket' does not exist" in said) == (2, True)
    found_code, said = code("audit", "--topic", "nowhere")
    assert (found_code, "nothing of topic 'nowhere' is on S3" in said) == (2, True)
    assert code("audit", "--from", "2026-01-03", "--to", "2026-01-02")[0] == 2
    assert code("audit", "--from", "yesterday")[0] == 2
