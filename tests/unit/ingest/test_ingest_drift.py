"""Drift: which fields are told, with how many records, and that no bytes whatever are an error."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from datacore.contracts import load_contracts
from datacore.contracts.model import Column, Contract
from ingest.drift.count import NEW, Counter

COLUMNS = {
    "id": "string",
    "n": "int",
    "price": "decimal(10,2)",
    "tags": "array<string>",
    "geo": "struct<lat:double,place:struct<city:string>>",
    "items": "array<struct<sku:string,count:bigint>>",
    "extra": "map<string,string>",
    "on": "boolean",
}


def contract() -> Contract:
    (any_one, *_) = load_contracts(Path("contracts"))
    columns = tuple(Column(name, kind, "string", False, "") for name, kind in COLUMNS.items())
    return replace(any_one, columns=columns)


def drifts(*records: Any) -> list[tuple[str, str, int]]:
    counter = Counter(contract())
    counter.add(json.dumps(record).encode() for record in records)
    return [(one.field, one.what, one.records) for one in counter.found()]


def test_what_the_contract_says_does_not_drift() -> None:
    fits = {
        "id": "a", "n": 2**31 - 1, "price": 1, "tags": [], "geo": {"lat": 1, "place": {"city": "x"}},
        "items": [{"sku": "a", "count": 1}, None], "extra": {"any": "thing"}, "on": True,
    }  # fmt: skip
    assert drifts(fits, {}, dict.fromkeys(fits), {"id": 7}) == []


def test_new_fields_are_counted_by_path_each_once_a_record() -> None:
    assert drifts(
        {"new": 1, "geo": {"alt": 2, "place": {"zip": "1"}}, "items": [{"x": 1}, {"x": 2}]},
        {"new": [None]},
    ) == [("new", NEW, 2), ("geo.alt", NEW, 1), ("geo.place.zip", NEW, 1), ("items[].x", NEW, 1)]


def test_values_of_another_type_are_told_with_both_types() -> None:
    assert drifts(
        {"n": 2**31, "on": 1, "tags": "a", "geo": [], "price": "1.00"},
        {"n": 2**70, "items": [{"count": "many"}], "extra": 1.5},
    ) == [
        ("extra", "number instead of map<string,string>", 1),
        ("geo", "array instead of struct<lat:double,place:struct<city:string>>", 1),
        ("items[].count", "string instead of bigint", 1),
        ("n", "integer instead of int", 1),
        ("n", "integer beyond 64 bits instead of int", 1),
        ("on", "integer instead of boolean", 1),
        ("price", "string instead of decimal(10,2)", 1),
        ("tags", "string instead of array<string>", 1),
    ]


@given(
    st.lists(
        st.binary()
        | st.builds(
            lambda v: json.dumps(v).encode(),
            st.dictionaries(
                st.sampled_from([*COLUMNS, "new"]),
                st.recursive(
                    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
                    max_leaves=5,
                ),
            ),
        )
    )
)
def test_no_line_is_an_error_and_each_is_counted(lines: list[bytes]) -> None:
    counter = Counter(contract())
    counter.add(lines)
    assert counter.records == len(lines)
    assert all(one.records <= len(lines) for one in counter.found())
