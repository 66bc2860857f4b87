"""GitHub's public events through a Kinesis stream: the hour from the file to S3, byte for byte."""

import json
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from github_contracts import data_type
from platform_client import PlatformClient
from straight import by_type_and_hour, lines, sha256s

HOUR = "github_events/2015-01-01-0.jsonl.gz"
STREAM = "github_stream"


@pytest.fixture(scope="module")
def hour(
    platform: PlatformClient,
    data: Path,
    github_contracts: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> list[bytes]:
    """The hour's lines, put into a stream that is split midway, and landed."""
    contracts = tmp_path_factory.mktemp("stream_contracts")
    for file in github_contracts.iterdir():
        text = file.read_text()
        # the same types from a topic of their own: nothing that the other tests count
        for event in ("github_minimized", "github"):
            text = text.replace(f"value: {event}\n", f"value: {STREAM}\n")
        if "minimized_" not in file.name:
            name = file.name.removesuffix(".odcs.yaml")
            (contracts / f"stream_{name}.odcs.yaml").write_text(
                text.replace(f"name: {name}\n", f"name: stream_{name}\n")
            )
    found = lines(data / HOUR)
    platform.put(STREAM, found[: len(found) // 2], shards=3)
    platform.split(STREAM, 1)
    platform.put(STREAM, found[len(found) // 2 :])
    platform.land(contracts, STREAM, "--source", "kinesis")
    return found


def stream_type(line: bytes) -> str:
    return "stream_" + data_type(json.loads(line)["type"])


def test_every_line_is_on_s3_byte_for_byte_under_its_type(
    platform: PlatformClient, hour: list[bytes]
) -> None:
    assert platform.quarantined(STREAM) == []
    for name in sorted(set(map(stream_type, hour))):
        expected = sha256s(line for line in hour if stream_type(line) == name)
        assert sha256s(platform.landed_lines(name)) == expected


def test_the_ledger_has_as_many_records_a_type_and_hour_as_the_file(
    platform: PlatformClient, hour: list[bytes]
) -> None:
    expected = by_type_and_hour(
        hour,
        lambda event: "stream_" + data_type(event["type"]),
        lambda event: datetime.fromisoformat(event["created_at"]),
    )
    assert expected.total() == 7_702
    assert platform.ledger(STREAM) == expected


def test_each_shard_has_a_chain_and_the_split_one_is_closed(
    platform: PlatformClient, hour: list[bytes]
) -> None:
    rows = platform.spark(f"""
        select partition, kind, sum(records), count(source_last)
        from platform.cut
        where topic = '{STREAM}'
        group by partition, kind
    """)
    kinds = {(partition, kind) for partition, kind, _, _ in rows}
    assert kinds == {*((n, "cut") for n in range(5)), (1, "closed")}
    assert Counter({"records": sum(records for _, _, records, _ in rows)}) == {"records": len(hour)}
    assert all(named for _, kind, _, named in rows if kind == "cut")
