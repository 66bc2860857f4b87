"""A whole sandbox: each part answers in its own protocol, a killed one is named, nothing stays.

The tests run in order on the session's sandbox; those that break one start one of their own.
"""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from sandbox import processes
from sandbox.state import State
from tests.conftest import Sandbox

pytestmark = pytest.mark.sandbox

MEMORY_LIMIT = 4 * 1024**3
LARGE_LINE = b"x" * 20_000_000


@pytest.fixture(scope="module")
def topic(sandbox: Sandbox) -> str:
    sandbox.run("sandbox", "topic", "sandbox_test", "--partitions", "1")
    return "sandbox_test"


def test_status_finds_every_part_well_within_its_memory(sandbox: Sandbox) -> None:
    status = json.loads(sandbox.run("sandbox", "status", "--json").stdout)
    assert {part["name"]: part["health"] for part in status["parts"]} == dict.fromkeys(
        ("kafka", "aws", "metastore", "thrift", "redshift"), "answers"
    )
    assert 0 < status["memory_bytes"] < MEMORY_LIMIT
    assert status["seconds"] > 0


def test_status_says_where_the_state_is_and_that_down_discards_it(sandbox: Sandbox) -> None:
    shown = sandbox.run("sandbox", "status").stdout
    assert str(sandbox.state) in shown
    assert "S3 and Glue live in memory" in shown


def test_kafka_commits_a_transaction_of_one_large_line(sandbox: Sandbox, topic: str) -> None:
    address = sandbox.env["DATACORE_KAFKA"]
    producer = KafkaProducer(
        bootstrap_servers=address,
        transactional_id="sandbox-test",
        max_request_size=32 * 1024 * 1024,
    )
    producer.init_transactions()
    producer.begin_transaction()
    producer.send(topic, LARGE_LINE)
    producer.commit_transaction()
    producer.close()
    consumer = KafkaConsumer(
        bootstrap_servers=address,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        consumer_timeout_ms=30_000,
        fetch_max_bytes=64 * 1024 * 1024,
        max_partition_fetch_bytes=64 * 1024 * 1024,
    )
    consumer.assign([TopicPartition(topic, 0)])
    assert next(consumer).value == LARGE_LINE
    consumer.close()


def test_a_topic_is_not_made_by_using_it(sandbox: Sandbox) -> None:
    consumer = KafkaConsumer(bootstrap_servers=sandbox.env["DATACORE_KAFKA"])
    assert not consumer.partitions_for_topic("never_made")
    assert "never_made" not in consumer.topics()
    consumer.close()


def test_the_contracts_topics_are_there_from_the_start(sandbox: Sandbox) -> None:
    consumer = KafkaConsumer(bootstrap_servers=sandbox.env["DATACORE_KAFKA"])
    assert {"marketplace", "experiments"} <= consumer.topics()
    consumer.close()


def test_a_topic_of_another_size_is_named(sandbox: Sandbox, topic: str) -> None:
    again = sandbox.run("sandbox", "topic", topic, "--partitions", "1")
    assert "there already" in again.stdout
    other = sandbox.run("sandbox", "topic", topic, "--partitions", "3", check=False)
    assert other.returncode == 2
    assert f"topic {topic} is there already, with 1 partitions" in other.stderr


def test_a_topic_name_that_kafka_refuses_is_bad_usage(sandbox: Sandbox) -> None:
    refused = sandbox.run("sandbox", "topic", "no/slash", check=False)
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("variable", ["DATACORE_BUCKET", "DATACORE_LAKE_BUCKET"])
def test_what_is_put_on_s3_is_encrypted_by_the_key_and_closed(
    sandbox: Sandbox, variable: str
) -> None:
    s3, bucket = sandbox.s3, sandbox.env[variable]
    s3.put_object(Bucket=bucket, Key="sandbox-test/one", Body=b"1")
    head = s3.head_object(Bucket=bucket, Key="sandbox-test/one")
    s3.delete_object(Bucket=bucket, Key="sandbox-test/one")
    assert head["ServerSideEncryption"] == "aws:kms"
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["BucketKeyEnabled"]
    assert ":key/" in rules[0]["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"]
    blocked = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert all(blocked.values())


def test_spark_and_glue_show_the_same_databases(sandbox: Sandbox) -> None:
    glue = {database["Name"] for database in sandbox.glue.get_databases()["DatabaseList"]}
    connection = sandbox.thrift()
    cursor = connection.cursor()
    cursor.execute("show databases")
    spark = {row[0] for row in cursor.fetchall()}
    connection.close()
    assert {"raw", "platform", "lake"} <= glue == spark


def test_redshift_answers_its_own_driver(sandbox: Sandbox) -> None:
    connection = sandbox.redshift()
    cursor = connection.cursor()
    cursor.execute("select current_database(), current_user")
    assert [list(row) for row in cursor.fetchall()] == [["warehouse", "datacore"]]
    connection.close()


def test_everything_listens_on_loopback_only(sandbox: Sandbox) -> None:
    run = State(sandbox.state).read_run()
    assert run is not None
    listening = [
        connection.laddr
        for process in processes.of_run(run.id)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 6
    assert {address.ip.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}


def test_secrets_are_in_files_of_their_owner_only(sandbox: Sandbox) -> None:
    for name in ("env", "thrift/spark.properties"):
        assert stat.S_IMODE((sandbox.state / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(sandbox.state.stat().st_mode) == 0o700


def test_logs_shows_one_parts_last_lines(sandbox: Sandbox) -> None:
    shown = sandbox.run("sandbox", "logs", "kafka", "-n", "5").stdout
    assert len(shown.splitlines()) == 5
    unknown = sandbox.run("sandbox", "logs", "zookeeper", check=False)
    assert unknown.returncode == 2
    assert "aws, kafka, metastore, redshift, thrift" in unknown.stderr


def test_up_finds_the_sandbox_up(sandbox: Sandbox) -> None:
    again = sandbox.run("sandbox", "up")
    assert "is up" in again.stderr


@pytest.fixture
def second(sandbox: Sandbox, tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox beside the session's, on ports of its own."""
    state = tmp_path / "second"
    own = {"DATACORE_SANDBOX_DIR": str(state)}
    beside = Sandbox(state, own)
    beside.run("sandbox", "up", "--free-ports")
    yield beside
    beside.run("sandbox", "down")


def test_a_second_sandbox_names_its_killed_part_and_leaves_nothing(
    sandbox: Sandbox, second: Sandbox
) -> None:
    run = State(second.state).read_run()
    assert run is not None
    psutil.Process(run.pids["redshift"]).kill()
    psutil.wait_procs([psutil.Process(run.pids["redshift"])], timeout=10)
    status = second.run("sandbox", "status", "--json", check=False)
    assert status.returncode == 1
    ill = [part["name"] for part in json.loads(status.stdout)["parts"] if not part["healthy"]]
    assert ill == ["redshift"]
    refused = second.run("sandbox", "up", check=False)
    assert refused.returncode == 4
    assert "not well: redshift" in refused.stderr
    second.run("sandbox", "down")
    assert processes.of_run(run.id) == []
    assert not second.state.exists()
    assert second.run("sandbox", "status", check=False).returncode == 3
    assert sandbox.run("sandbox", "status").returncode == 0


def test_up_on_a_port_in_use_names_it_and_leaves_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    port = sandbox.env["DATACORE_KAFKA"].split(":")[1]
    state = tmp_path / "third"
    up = sandbox.run(
        *("sandbox", "up", "--state", state, "--free-ports", "--port", f"kafka={port}"), check=False
    )
    assert up.returncode == 2
    assert f"kafka: port {port} is in use" in up.stderr
    assert not state.exists()


def test_up_on_broken_contracts_says_so_and_leaves_nothing(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    contracts = tmp_path / "contracts"
    contracts.mkdir()
    (contracts / "broken.odcs.yaml").write_text("kind: [")
    state = tmp_path / "third"
    up = sandbox.run(
        *("sandbox", "up", "--state", state, "--free-ports"),
        check=False,
        env={"DATACORE_CONTRACTS": str(contracts)},
    )
    assert up.returncode == 2
    assert "broken.odcs.yaml" in up.stderr
    assert "Traceback" not in up.stderr
    assert not state.exists()
    assert not [process for process in psutil.process_iter() if _works_in(process, state)]


def _works_in(process: psutil.Process, directory: Path) -> bool:
    try:
        return Path(process.cwd()).is_relative_to(directory)
    except (psutil.Error, OSError):
        return False
