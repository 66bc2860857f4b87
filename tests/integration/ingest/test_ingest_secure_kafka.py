"""Kafka over TLS with SCRAM, and the topics' compressions: the same lines, or a clear refusal."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ingest_stage import Stage
from kafka import KafkaProducer

from sandbox.parts.kafka_secure import make_certificates

pytestmark = pytest.mark.sandbox

WRONG = "Tr0ub4dor"
LIMIT_S = 120
"""A refusal takes 15 s; the rest is for machines that do other things too."""


def secure(stage: Stage, mechanism: str = "SCRAM-SHA-512") -> dict[str, str]:
    """Variables that lead to the sandbox's secure listener."""
    env = stage.sandbox.env
    return {
        "DATACORE_KAFKA": env["DATACORE_SANDBOX_KAFKA_SECURE"],
        "DATACORE_KAFKA_SECURITY": "sasl_ssl",
        "DATACORE_KAFKA_CA": env["DATACORE_SANDBOX_KAFKA_SECURE_CA"],
        "DATACORE_KAFKA_SASL_MECHANISM": mechanism,
        "DATACORE_KAFKA_USER": env["DATACORE_SANDBOX_KAFKA_SECURE_USER"],
        "DATACORE_KAFKA_PASSWORD": env["DATACORE_SANDBOX_KAFKA_SECURE_PASSWORD"],
    }


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_tail_and_land_go_through_tls_and_scram(stage: Stage, mechanism: str) -> None:
    lines = [stage.event(number) for number in range(2_000)]
    env = secure(stage, mechanism)
    path = stage.write("app.log", lines)
    sent = stage.sandbox.run(*stage.tail_arguments(path), "--once", env=env)
    landed = stage.sandbox.run(*stage.land_arguments("--until-caught-up"), env=env)
    assert "sent 2000 lines" in sent.stdout
    assert landed.stdout.startswith("landed 2000 quarantined 0 unclaimed 0 ")
    assert stage.landed() == Counter(lines)


def test_what_kafka_or_we_refuse_is_named_within_a_limit(stage: Stage, tmp_path: Path) -> None:
    good = secure(stage)
    other = tmp_path / "other.crt"
    other.write_text(make_certificates().authority)
    plain = {
        "DATACORE_KAFKA_SECURITY": "plaintext",
        "DATACORE_KAFKA_CA": "",
        "DATACORE_KAFKA_USER": "",
        "DATACORE_KAFKA_PASSWORD": "",
    }
    tls_only = {**plain, "DATACORE_KAFKA_SECURITY": "ssl", "DATACORE_KAFKA_CA": good["DATACORE_KAFKA_CA"]}  # fmt: skip
    cases: list[tuple[dict[str, str], str, str]] = [
        ({"DATACORE_KAFKA_PASSWORD": WRONG}, "invalid credentials", "DATACORE_KAFKA_PASSWORD"),
        ({"DATACORE_KAFKA_CA": str(other)}, "certificate that is not trusted", "DATACORE_KAFKA_CA"),
        (plain, "speaks TLS, and DATACORE_KAFKA_SECURITY is plaintext", "sasl_ssl"),
        (tls_only, "Kafka wants a login", "DATACORE_KAFKA_USER"),
        ({"DATACORE_KAFKA": stage.sandbox.env["DATACORE_KAFKA"]}, "does not speak TLS", "plaintext"),
        ({"DATACORE_KAFKA_SASL_MECHANISM": "PLAIN"}, "does not take PLAIN, but SCRAM", "MECHANISM"),
    ]  # fmt: skip
    path = stage.write("app.log", [stage.event(1)])
    commands = (
        (*stage.tail_arguments(path), "--once"),
        stage.land_arguments("--until-caught-up"),
    )
    began = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        runs = [
            (
                fact,
                hint,
                pool.submit(stage.sandbox.run, *command, check=False, env={**good, **more}),
            )
            for number, (more, fact, hint) in enumerate(cases)
            for command in (commands if number < 3 else commands[1:])
        ]
    for fact, hint, run in runs:
        done = run.result()
        assert done.returncode == 2, done.stderr
        assert fact in done.stderr
        assert hint in done.stderr.split("hint: ")[1]
        assert "Traceback" not in done.stderr
        assert WRONG not in done.stderr
    assert time.monotonic() - began < LIMIT_S
    assert stage.written() == 0


@pytest.mark.parametrize("compression", ["gzip", "snappy", "lz4", "zstd"])
def test_a_compressed_topic_lands(stage: Stage, compression: str) -> None:
    lines = [stage.event(number) for number in range(3_000)]
    producer = KafkaProducer(
        bootstrap_servers=stage.sandbox.env["DATACORE_KAFKA"],
        compression_type=compression,
        linger_ms=50,
        batch_size=1 << 17,
    )
    for line in lines:
        producer.send(stage.topic, line)
    producer.close()
    assert stage.land().startswith("landed 3000 quarantined 0 unclaimed 0 ")
    assert stage.landed() == Counter(lines)
