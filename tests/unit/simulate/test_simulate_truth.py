"""The truth is exact: its equations hold, and a recount from the files agrees in every number."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datacore.contracts import Contract
from ingest.land.route import Rejection, Router
from ingest.land.rules import rules_of
from sandbox.simulate.troubles import DAMAGES, LATE, REQUIRED
from sandbox.simulate.truth import TOPICS
from tests.unit.simulate.recount import files_of, recount
from tests.unit.simulate.simulated import OPTIONS, write

NOW_MS = 1_795_000_000_000
"""A moment after the simulated period and before all wrong clocks."""


def test_the_equations_hold(truth: Any) -> None:
    for topic, counts in truth["topics"].items():
        types = [one for one in truth["data_types"].values() if one["topic"] == topic]
        assert counts["produced"] == counts["landed"] + counts["quarantined"]
        assert counts["landed"] == sum(one["landed"] for one in types) + counts["unclaimed"]
        assert counts["produced"] == (
            sum(one["produced"] for one in types) + counts["unclaimed"] + counts["malformed"]
        )
        assert counts["produced"] == sum(counts["files"].values())
        assert counts["quarantined"] == sum(counts["quarantined_by_reason"].values())
    for one in truth["data_types"].values():
        assert one["produced"] == one["landed"] + one["quarantined"]
        assert one["landed"] == one["staged"] + one["rejected"] + one["duplicates"]
        assert one["quarantined"] == sum(one["quarantined_by_reason"].values())
    assert truth["produced"] == sum(one["produced"] for one in truth["topics"].values()) == 20_000


@pytest.mark.parametrize("events", [1, 17, 20_000])
def test_a_recount_from_the_files_agrees(
    tmp_path: Path, contracts: tuple[Contract, ...], events: int
) -> None:
    truth = write(tmp_path, replace(OPTIONS, events=events, seed=events))

    counted = recount(tmp_path, contracts)

    for topic, counts in counted["topics"].items():
        assert {key: truth["topics"][topic][key] for key in counts} == counts
    for name, one in truth["data_types"].items():
        for count in ("quarantined", "rejected", "duplicates", "staged"):
            assert (name, count, counted["types"][name][count]) == (name, count, one[count])
    assert counted["rollups"] == truth["rollups"]


def test_the_landers_router_agrees(logs: Path, truth: Any, contracts: tuple[Contract, ...]) -> None:
    rules = rules_of(contracts)
    for topic, counts in truth["topics"].items():
        router = Router(rules, topic)
        landed: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        for line in (line for lines in files_of(logs, topic).values() for line in lines):
            route = router.route(line, NOW_MS)
            if isinstance(route, Rejection):
                reasons[str(route.reason)] += 1
            else:
                landed[route.data_type] += 1
        assert reasons == counts["quarantined_by_reason"]
        assert landed.pop("unclaimed", 0) == counts["unclaimed"]
        types = truth["data_types"].items()
        assert landed == {name: one["landed"] for name, one in types if one["topic"] == topic}


def test_every_trouble_is_there(truth: Any) -> None:
    others = {"repeated", "ascii_only", "field_added", "text_duration", "text_results"}

    assert set(truth["troubles"]) == {*DAMAGES, *LATE, *others}
    assert set(truth["topics"]["marketplace"]["quarantined_by_reason"]) == {
        "not_json", "not_utf8", "not_object", "no_time", "bad_time", "future_time",
    }  # fmt: skip


def test_records_look_like_their_contracts(contracts: tuple[Contract, ...]) -> None:
    assert {contract.name: contract.topic for contract in contracts} == TOPICS
    for contract in contracts:
        required = {column.name for column in contract.columns if column.required}
        assert required - {"type", "occurred_at"} == set(REQUIRED[contract.name])
