"""A web server's log, which is no JSON: what a legacy source gets."""

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
