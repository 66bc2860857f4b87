"""A lander and a tail in production: metrics, health, encryption, and exactly the rights they need."""

import json
import re
import subprocess
import sys
import threading
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import boto3
import pytest
from click.testing import CliRunner
from ingest_stage import Stage, wait_until
from prometheus_client.parser import text_string_to_metric_families

from datacore import aws
from datacore.settings import ROOT
from ingest.land import commands as land_commands
from ingest.land.commands import land
from ingest.register.commands import register
from sandbox.ports import HOST, free_ports, listening

pytestmark = pytest.mark.sandbox

KMS_ACTIONS = {"PutObject": {"kms:GenerateDataKey"}, "GetObject": {"kms:Decrypt"}}
"""What S3 asks of KMS in the caller's name where the bucket's default is SSE-KMS."""
NOT_LANDING = {"get_paginator", "get_partitions"}
"""Methods that commands with policies of their own call."""
ACTION_OF = {
    "HeadObject": "s3:GetObject",
    "ListObjectsV2": "s3:ListBucket",
    "GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "DeleteObjects": "s3:DeleteObject",
}
"""The IAM action of an operation, where it is not the operation's name."""


def served(stage: Stage, number: int) -> str:
    """Where the command that was started as `number` serves its metrics."""
    log = stage.folder / f"stderr-{number}"
    wait_until(lambda: "metrics_served" in log.read_text(), "the metrics' address")
    (line,) = [one for one in log.read_text().splitlines() if "metrics_served" in one]
    event = json.loads(line)
    assert event["host"] == "127.0.0.1"
    return f"http://127.0.0.1:{event['port']}"


def scraped(address: str) -> dict[str, float]:
    """Sums by metric."""
    sums: dict[str, float] = defaultdict(float)
    with urllib.request.urlopen(f"{address}/metrics", timeout=10) as answer:  # noqa: S310
        for family in text_string_to_metric_families(answer.read().decode()):
            for sample in family.samples:
                sums[sample.name] += sample.value
    return sums


def test_a_running_lander_and_tail_can_be_scraped_and_asked_for_their_health(stage: Stage) -> None:
    path = stage.write("app.log", [*(stage.event(n) for n in range(300)), *[b"no json"] * 200])
    served_at = ("--metrics-port", "0")
    stage.start(*stage.tail_arguments(path), *served_at)
    lander = stage.start(*stage.land_arguments("--cut-seconds", "1"), *served_at)
    tail_at, land_at = served(stage, 0), served(stage, 1)
    wait_until(lambda: stage.cut_records() == 500, "the lines on S3")
    wait_until(lambda: scraped(land_at)["datacore_land_lag_records"] == 0, "a lag of 0")

    found = scraped(land_at)
    assert found["datacore_land_records_total"] == 300
    assert found["datacore_land_quarantined_records_total"] == 200
    assert found["datacore_land_cuts_total"] >= 1
    assert found["datacore_land_object_bytes_sum"] > 0
    assert found["datacore_aws_calls_total"] > 10
    assert found["datacore_land_lost_records_total"] == 0
    assert scraped(tail_at)["datacore_tail_lines_total"] == 500
    assert scraped(tail_at)["datacore_tail_unread_bytes"] == 0
    for address in (tail_at, land_at):
        with urllib.request.urlopen(f"{address}/healthz", timeout=10) as answer:  # noqa: S310
            assert json.loads(answer.read())["well"] is True

    other = stage.sandbox.run(
        *stage.land_arguments("--until-caught-up"),
        env={"DATACORE_METRICS_PORT": land_at.rpartition(":")[2]},
        check=False,
    )
    assert other.returncode == 2
    assert "metrics cannot be served on 127.0.0.1" in other.stderr
    stage.stop(lander)


def test_a_contract_mistake_alarms_in_the_log(stage: Stage) -> None:
    change(stage, "occurred_at", "happened_at")
    stage.tail(stage.write("app.log", [stage.event(n) for n in range(400)]))
    done = stage.sandbox.run(*stage.land_arguments("--until-caught-up"))
    events = [json.loads(line) for line in done.stderr.splitlines()]
    (alarm,) = [event for event in events if event["event"] == "quarantine_surge"]
    assert (alarm["level"], alarm["reason"], alarm["field"]) == ("error", "no_time", "happened_at")
    assert (alarm["data_type"], alarm["records"]) == (stage.data_type, alarm["of"])
    assert stage.landed().total() == 400


def test_every_object_is_encrypted_by_the_buckets_key(stage: Stage) -> None:
    stage.tail(stage.write("app.log", [stage.event(1), b"no json", b'{"type":"nobody"}']))
    stage.land()
    rules = stage.s3.get_bucket_encryption(Bucket=stage.bucket)
    default = rules["ServerSideEncryptionConfiguration"]["Rules"][0]
    key = default["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"]
    kept = [*stage.everything(), *stage.objects("_contracts/")]
    assert len(kept) > 6
    for name in kept:
        head = stage.s3.head_object(Bucket=stage.bucket, Key=name)
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key), name


def test_a_bucket_without_default_encryption_is_refused_unless_told(stage: Stage) -> None:
    plain = f"unencrypted-{stage.data_type.replace('_', '-')}"
    stage.s3.create_bucket(Bucket=plain)
    stage.tail(stage.write("app.log", [stage.event(1)]))
    land_plain = stage.land_arguments("--until-caught-up")
    env = {"DATACORE_BUCKET": plain}

    refused = stage.sandbox.run(*land_plain, env=env, check=False)
    assert refused.returncode == 2
    assert f"bucket '{plain}' has no default encryption" in refused.stderr
    assert "--allow-unencrypted" in refused.stderr.split("hint: ")[1]
    assert "Contents" not in stage.s3.list_objects_v2(Bucket=plain)

    allowed = stage.sandbox.run(*land_plain, "--allow-unencrypted", env=env)
    assert allowed.stdout.startswith("landed 1 ")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """Every call of AWS that our clients make in this process: `service:Operation`, parameters."""
    made: list[tuple[str, dict[str, Any]]] = []
    make = aws._client

    def watched(service: str, settings: Any) -> Any:
        client = make(service, settings)

        def note(params: dict[str, Any], model: Any, **_: Any) -> None:
            made.append((f"{service}:{model.name}", dict(params)))

        client.meta.events.register("provide-client-params", note)
        return client

    monkeypatch.setattr(aws, "_client", watched)
    monkeypatch.setattr(land_commands, "stop_on_signals", lambda _: threading.Event())
    return made


def run_here(command: Any, *arguments: Any) -> None:
    """Run a command in this process."""
    CliRunner().invoke(command, [str(one) for one in arguments], catch_exceptions=False)


def policy(name: str) -> list[dict[str, Any]]:
    """The statements of `docs/iam/<name>.json`."""
    document = json.loads((ROOT / "docs" / "iam" / f"{name}.json").read_text())
    assert document["Version"] == "2012-10-17"
    statements = document["Statement"]
    assert all(statement["Effect"] == "Allow" for statement in statements)
    return list(statements)


def actions(made: list[tuple[str, dict[str, Any]]]) -> set[str]:
    """The IAM actions that the calls need, on buckets with SSE-KMS."""
    needed: set[str] = set()
    for called, _ in made:
        service, operation = called.split(":")
        action = ACTION_OF.get(operation, called)
        needed.add(action)
        if service == "s3":
            needed |= KMS_ACTIONS.get(action.split(":")[1], set())
    return needed


def resource(called: str, params: dict[str, Any], bucket: str) -> str:
    """The resource that a call is about, with the placeholders of docs/iam."""
    if called.startswith("s3:"):
        key = f"/{params['Key']}" if "Key" in params else ""
        assert params["Bucket"] == bucket
        return f"arn:aws:s3:::BUCKET{key}"
    database = params.get("DatabaseName") or params.get("Name") or params["DatabaseInput"]["Name"]
    table = params.get("TableName") or params.get("TableInput", {}).get("Name")
    if table is None and "DatabaseName" in params:
        table = params["Name"]
    what = f"table/{database}/{table}" if table else f"database/{database}"
    return f"arn:aws:glue:REGION:ACCOUNT:{what}"


def allows(statement: dict[str, Any], action: str, wanted: str) -> bool:
    resources = statement["Resource"]
    listed = [resources] if isinstance(resources, str) else resources
    return action in statement["Action"] and any(fnmatchcase(wanted, one) for one in listed)


def check(name: str, made: list[tuple[str, dict[str, Any]]], bucket: str) -> None:
    """The policy grants what the calls need, where they need it, and nothing else."""
    statements = policy(name)
    granted = [action for statement in statements for action in statement["Action"]]
    assert sorted(granted) == sorted(actions(made))
    for called, params in made:
        action = ACTION_OF.get(called.split(":")[1], called)
        wanted = resource(called, params, bucket)
        assert any(allows(one, action, wanted) for one in statements), (called, wanted)


@pytest.fixture
def own_aws(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An AWS in which nothing was done yet but to make a bucket, and this process's variables for it."""
    (port,) = free_ports(1)
    server = subprocess.Popen([sys.executable, "-m", "sandbox.aws_server", HOST, str(port)])
    try:
        wait_until(lambda: listening(port), "AWS")
        for name, value in stage.sandbox.env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{HOST}:{port}")
        boto3.client("s3").create_bucket(Bucket=stage.bucket)
        yield stage.bucket
    finally:
        server.kill()
        server.wait()


def change(stage: Stage, before: str, after: str) -> None:
    """Change what the contract says of its table."""
    (contract,) = stage.contracts.iterdir()
    text = contract.read_text()
    assert before in text
    contract.write_text(text.replace(before, after))


def test_the_policies_are_exactly_the_calls_that_land_and_register_make(
    stage: Stage, calls: list[tuple[str, dict[str, Any]]], own_aws: str
) -> None:
    arguments = [
        *stage.land_arguments("--until-caught-up", "--allow-unencrypted")[1:],
        *("--cut-mib", "0.01"),
    ]
    lines = [*(stage.event(number) for number in range(120)), *[b"no json"] * 130]
    stage.tail(stage.write("app.log", [*lines, b'{"type":"nobody"}']))
    # everything is new; a contract changes, and where landing stood has to be found out
    run_here(land, *arguments)
    # (once the members that other tests killed are forgotten)
    wait_until(
        lambda: "OK" in str(stage.admin.delete_groups(["datacore-land"])),
        "the group without members",
    )
    change(stage, "One record per view", "One line per view")
    run_here(land, *arguments)
    check("land", calls, own_aws)
    assert {"s3:HeadObject"} <= {called for called, _ in calls}, "the last cut was looked at"

    del calls[:]
    boto3.client("glue").delete_database(Name="raw")
    run_here(register, "--contracts", stage.contracts)
    change(stage, "One line per view", "One row per view")
    run_here(register, "--contracts", stage.contracts)
    check("register", calls, own_aws)


def test_no_method_of_the_clients_is_missed_by_the_test_of_the_policies() -> None:
    used: set[str] = set()
    for path in ("ingest/land/bucket.py", "ingest/register/catalog.py"):
        text = (ROOT / path).read_text()
        used |= set(re.findall(r"self\._client\.([a-z_0-9]+)\(", text))
        used |= set(re.findall(r"get_paginator\(\"([a-z_0-9]+)\"\)", text))
    operations = {"".join(word.title() for word in name.split("_")) for name in used - NOT_LANDING}
    named = {ACTION_OF.get(name, f"any:{name}").split(":")[1] for name in operations}
    granted = {
        action.split(":")[1]
        for name in ("land", "register", "compact", "partitions")
        for statement in policy(name)
        for action in statement["Action"]
    }
    assert named - granted == set()
