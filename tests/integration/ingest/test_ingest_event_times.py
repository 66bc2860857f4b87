"""Event times in every common format, through the whole of `land`: the hour that each lands in."""

import base64
import gzip
import json
from collections import defaultdict
from typing import Any

import pytest
from ingest_stage import Stage

pytestmark = pytest.mark.sandbox

ISO = "      - name: occurred_at\n        logicalType: timestamp\n"
NOON = 1_420_113_600
"""2015-01-01T12:00:00Z."""

IN_HOUR: dict[str, list[tuple[Any, str]]] = {
    "": [
        ("2015-01-01T12:00:00Z", "2015/01/01/12"),
        ("2015-01-01T12:59:59.999999Z", "2015/01/01/12"),
        ("2015-01-01T17:30:00+05:30", "2015/01/01/12"),
        ("2014-12-31T23:30:00-13:00", "2015/01/01/12"),
        ("2015-01-01T12:00:00", "2015/01/01/12"),
        ("2015-01-01 12:00:00 UTC", "2015/01/01/12"),
        ("2016-12-31T23:59:60Z", "2016/12/31/23"),
        ("2017-01-01T05:29:60.5+05:30", "2016/12/31/23"),
        ("0001-01-01T00:00:00Z", "0001/01/01/00"),
        ("1969-12-31T23:59:59.999Z", "1969/12/31/23"),
        (str(NOON), "2015/01/01/12"),
    ],
    "_epoch_s": [(NOON, "2015/01/01/12"), (NOON + 0.5, "2015/01/01/12"), (-1, "1969/12/31/23")],
    "_epoch_ms": [(NOON * 1_000, "2015/01/01/12"), (3_600_000, "1970/01/01/01")],
    "_epoch_us": [(NOON * 1_000_000, "2015/01/01/12"), (1, "1970/01/01/00")],
}
"""By the data type's ending: the time as it is written, and the hour."""

ASIDE: dict[str, list[tuple[Any, str]]] = {
    "": [
        ("9999-12-31T23:59:59.999Z", "future_time"),
        ("9999-12-31T23:59:59-01:00", "bad_time"),
        ("0001-01-01T00:00:00+01:00", "bad_time"),
        ("2015-02-30T00:00:00Z", "bad_time"),
        ("yesterday", "bad_time"),
        ("", "bad_time"),
        (True, "bad_time"),
        (None, "no_time"),
    ],
    "_epoch_s": [
        (4_000_000_000, "future_time"),
        (NOON * 1_000, "bad_time"),
        (10**30, "bad_time"),
        ([NOON], "bad_time"),
    ],
    "_epoch_ms": [(10**16, "bad_time")],
    "_epoch_us": [(2**63 - 1, "bad_time")],
}
"""The same with the reason for which it is set aside."""


def test_each_format_lands_in_the_hour_of_its_time_or_is_set_aside(stage: Stage) -> None:
    contract = (stage.contracts / f"{stage.data_type}.odcs.yaml").read_text()
    assert ISO in contract
    for ending in ("_epoch_s", "_epoch_ms", "_epoch_us"):
        epoch = f"{ISO}        physicalType: bigint\n        logicalTypeOptions: {{format: {ending[1:]}}}\n"
        text = contract.replace(ISO, epoch).replace(stage.data_type, f"{stage.data_type}{ending}")
        text = text.replace(f"{stage.data_type}{ending}-topic", stage.topic)
        (stage.contracts / f"{stage.data_type}{ending}.odcs.yaml").write_text(text)
    expected: dict[str, list[bytes]] = defaultdict(list)
    reasons: dict[bytes, str] = {}
    for table in (IN_HOUR, ASIDE):
        for ending, times in table.items():
            for number, (written, where) in enumerate(times):
                record = {"type": f"{stage.data_type}{ending}", "n": number, "occurred_at": written}
                line = json.dumps(record).encode()
                if table is ASIDE:
                    reasons[line] = where
                else:
                    expected[f"{stage.data_type}{ending}/{where}"].append(line)
    lines = [line for listed in expected.values() for line in listed] + list(reasons)
    stage.tail(stage.write("app.log", lines))

    stage.land()

    found: dict[str, list[bytes]] = defaultdict(list)
    for ending in IN_HOUR:
        for key, data in stage.objects(f"{stage.data_type}{ending}/").items():
            folder = key.removeprefix("production-logs/").rpartition("/")[0]
            found[folder] += gzip.decompress(data).splitlines()
    assert {at: sorted(held) for at, held in found.items()} == {
        at: sorted(held) for at, held in expected.items()
    }
    aside = {base64.b64decode(r["value"]): r["reason"] for r in stage.quarantined()}
    assert aside == reasons
    assert all(r["field"] == "occurred_at" for r in stage.quarantined())
    partitions = stage.sandbox.glue.get_partitions(DatabaseName="raw", TableName=stage.data_type)[
        "Partitions"
    ]
    assert ["0001-01-01", "00"] in [partition["Values"] for partition in partitions]
