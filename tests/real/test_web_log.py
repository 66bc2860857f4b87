"""A web server's log, which is no JSON: what a legacy source gets."""

import base64
from collections import Counter
from pathlib import Path

import pytest
from platform_client import PlatformClient
from straight import lines, sha256s

LOG = "weblogs/apache_logs.gz"


@pytest.fixture(scope="module")
def log(platform: PlatformClient, data: Path, contracts: Path) -> list[bytes]:
    """The log's lines, sent to a topic that no contract names."""
    platform.send("web_access", data / LOG)
    platform.land(contracts, "web_access")
    return lines(data / LOG)


def test_lines_that_are_not_json_are_set_aside_with_their_bytes(
    platform: PlatformClient, log: list[bytes]
) -> None:
    aside = platform.quarantined("web_access")
    assert len(log) == 10_000
    assert Counter(record["reason"] for record in aside) == {"not_json": 10_000}
    assert sha256s(record["value"] for record in aside) == sha256s(log)


def test_each_line_is_set_aside_once_and_says_where_it_stood(
    platform: PlatformClient, log: list[bytes]
) -> None:
    aside = platform.quarantined("web_access")
    assert len({(record["partition"], record["offset"]) for record in aside}) == 10_000
    stood = {}
    for record in aside:
        headers = {name: base64.b64decode(value).decode() for name, value in record["headers"]}
        assert headers["file"].startswith("apache_logs.gz#")
        stood[int(headers["seq"])] = record["value"]
    assert [stood[number] for number in range(10_000)] == log


def test_nothing_of_it_is_landed_and_the_command_counts_it(platform: PlatformClient) -> None:
    assert platform.ledger("web_access").total() == 0
    (count,) = platform.quarantine_counts("web_access")
    assert (count["reason"], count["data_type"], count["records"]) == ("not_json", None, 10_000)
