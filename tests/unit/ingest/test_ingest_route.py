"""Routing: where a record lands, why it is set aside, and that no bytes can break it."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.land.event_time import MS_PER_HOUR
from ingest.land.route import UNCLAIMED, Landing, Reason, Rejection, Router
from ingest.land.rules import Limits, Rule, Rules

NOW = 1_767_326_400_000
"""2026-01-02T04:00:00Z, Kafka's timestamp of the records here."""
HOUR_NOW = NOW // MS_PER_HOUR

RULES = Rules(
    (
        Rule("click", "t", "type", "click", "at", None),
        Rule("deep_view", "t", "type", "deep_view", "meta.time.at", "ms"),
        Rule("heartbeat", "t", "kind.name", "heartbeat", None, None),
    )
)
ROUTER = Router(RULES, "t")


def routed(value: bytes | None, router: Router = ROUTER, at: int = NOW) -> Landing | Rejection:
    return router.route(value, at)


def reason(value: bytes | None) -> tuple[Reason, str | None]:
    rejection = routed(value)
    assert isinstance(rejection, Rejection), rejection
    return rejection.reason, rejection.data_type


def test_a_record_lands_in_the_hour_of_its_event() -> None:
    assert routed(b'{"type":"click","at":"2026-01-02T03:59:59.999Z"}') == ("click", HOUR_NOW - 1)


def test_however_late_a_record_is_it_lands_in_its_own_hour() -> None:
    assert routed(b'{"type":"click","at":"1999-12-31T23:00:00Z"}') == ("click", 262_967)


def test_match_and_time_may_lie_deep_in_the_record() -> None:
    at = NOW - MS_PER_HOUR
    assert routed(b'{"type":"deep_view","meta":{"time":{"at":%d}}}' % at) == (
        "deep_view",
        HOUR_NOW - 1,
    )
    assert routed(b'{"kind":{"name":"heartbeat"}}') == ("heartbeat", HOUR_NOW)


def test_a_contract_without_a_match_claims_the_rest_of_its_topic() -> None:
    rest = Rule("other", "t", None, None, "at", None)
    router = Router(Rules((*RULES.claims, rest)), "t")
    assert routed(b'{"type":"x","at":"2026-01-02T03:00:00Z"}', router) == ("other", HOUR_NOW - 1)
    assert routed(b'{"type":"click","at":"2026-01-02T03:00:00Z"}', router) == (
        "click",
        HOUR_NOW - 1,
    )


@pytest.mark.parametrize(
    "value",
    [
        b"{}",
        b'{"type":"nobody"}',
        b'{"type":7}',
        b'{"type":null}',
        b'{"type":{"a":1}}',
        b'{"kind":3}',
    ],
)
def test_what_no_contract_claims_lands_unclaimed_by_kafkas_hour(value: bytes) -> None:
    assert routed(value) == (UNCLAIMED, HOUR_NOW)


def test_a_topic_without_contracts_is_unclaimed() -> None:
    assert routed(b'{"type":"click"}', Router(RULES, "another")) == (UNCLAIMED, HOUR_NOW)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, Reason.NO_VALUE),
        (b"", Reason.NOT_JSON),
        (b"   ", Reason.NOT_JSON),
        (b'127.0.0.1 - - [02/Jan/2026] "GET /"', Reason.NOT_JSON),
        (b'{"type":"click"', Reason.NOT_JSON),
        (b'{"a":NaN}', Reason.NOT_JSON),
        (b'{"a":-Infinity}', Reason.NOT_JSON),
        (b'{"a":1} {"a":2}', Reason.NOT_JSON),
        (b'{"a":"\x01"}', Reason.NOT_JSON),
        (b'\xef\xbb\xbf{"a":1}', Reason.NOT_JSON),
        (b'{"a":"\xff\xfe"}', Reason.NOT_UTF8),
        (b"[1,2]", Reason.NOT_OBJECT),
        (b'"text"', Reason.NOT_OBJECT),
        (b"[1,2", Reason.NOT_JSON),
        (b'{"a":\n1}', Reason.NOT_ONE_LINE),
        (b'{"a":\r1}', Reason.NOT_ONE_LINE),
        (b'{"a":' + b"[" * 1000 + b"]" * 1000 + b"}", Reason.TOO_DEEP),
        (b"[" * 100_000, Reason.TOO_DEEP),
    ],
)
def test_what_is_no_json_object_on_one_line_is_set_aside(value: bytes | None, why: Reason) -> None:
    assert reason(value) == (why, None)


def test_brackets_in_strings_are_not_depth() -> None:
    assert routed(b'{"a":"' + b"[" * 5000 + b'\\"{"}') == (UNCLAIMED, HOUR_NOW)


def test_many_brackets_side_by_side_are_not_depth() -> None:
    assert routed(b'{"a":[' + b"[]," * 5000 + b"[]]}") == (UNCLAIMED, HOUR_NOW)


def test_a_line_beyond_the_limit_is_set_aside_unread() -> None:
    small = Router(Rules(RULES.claims, Limits(line_bytes=10)), "t")
    assert routed(b"{" * 11, small) == Rejection(Reason.TOO_LARGE)


@pytest.mark.parametrize(
    ("value", "why", "found"),
    [
        (b'{"type":"click"}', Reason.NO_TIME, None),
        (b'{"type":"click","at":null}', Reason.NO_TIME, None),
        (b'{"type":"click","at":"soon"}', Reason.BAD_TIME, "soon"),
        (b'{"type":"click","at":true}', Reason.BAD_TIME, "True"),
        (b'{"type":"click","at":1e999}', Reason.BAD_TIME, "inf"),
        (b'{"type":"click","at":"2026-01-02T05:00:01Z"}', Reason.FUTURE_TIME, "2026-01-02T05:00:01Z"),
    ],
)  # fmt: skip
def test_a_time_that_cannot_be_names_its_field(value: bytes, why: Reason, found: str) -> None:
    assert routed(value) == Rejection(why, "click", "at", found)


def test_a_missing_parent_of_the_time_is_a_missing_time() -> None:
    for meta in (b"{}", b"null", b"5", b'{"time":7}'):
        assert reason(b'{"type":"deep_view","meta":%s}' % meta) == (Reason.NO_TIME, "deep_view")


def test_the_future_begins_an_hour_after_kafkas_timestamp() -> None:
    assert routed(b'{"type":"click","at":"2026-01-02T05:00:00Z"}') == ("click", HOUR_NOW + 1)


def test_legal_oddities_land_as_they_are() -> None:
    at = b'"type":"click","at":"2026-01-02T03:00:00Z"'
    odd = [
        b'{"a":1,"a":2,%s}',
        b'{"a":123456789012345678901234567890,%s}',
        b'{"a":1e999,%s}',
        b'{"a":"\\ud800",%s}',
        b'{"a":"\\ud800 more text follows here",%s}',
        b'{"\\u0000":"\\u0000",%s}',
        b"  {%s}  ",
        b"{%s}\r",
        '{"ä":"→ 漢字 🎉",%s}'.encode(),
        b'{"a":' + b"9" * 5000 + b",%s}",
    ]
    for line in odd:
        assert routed(line % at) == ("click", HOUR_NOW - 1), line


def test_of_duplicate_keys_the_last_decides() -> None:
    line = b'{"type":"nobody","type":"click","at":"x","at":"2026-01-02T03:00:00Z"}'
    assert routed(line) == ("click", HOUR_NOW - 1)


def test_an_unknown_kafka_timestamp_makes_no_future() -> None:
    assert routed(b'{"type":"click","at":"2026-01-02T03:00:00Z"}', at=-1) == ("click", HOUR_NOW - 1)
    assert routed(b"{}", at=-1) == (UNCLAIMED, 0)


@given(st.binary())
def test_no_bytes_break_the_router(value: bytes) -> None:
    assert isinstance(routed(value), Landing | Rejection)


def strict(value: bytes) -> object:
    """What RFC 8259 allows, by the standard library."""

    def refuse(name: str) -> float:
        raise ValueError(name)

    return json.loads(value.decode(), parse_constant=refuse)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["type", "at", "meta", "kind"]), inner),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=60)
@given(
    st.dictionaries(st.sampled_from(["type", "at", "meta", "kind", "x"]), json_values),
    st.sampled_from([None, "click", "deep_view"]),
)
def test_json_objects_are_set_aside_only_for_their_time(
    record: dict[str, object], kind: str | None
) -> None:
    if kind:
        record["type"] = kind
    value = json.dumps(record).encode()
    target = routed(value)
    try:
        strict(value)
    except ValueError:
        assert target == Rejection(Reason.NOT_JSON)
        return
    if isinstance(target, Rejection):
        assert target.reason in (Reason.NO_TIME, Reason.BAD_TIME, Reason.FUTURE_TIME)
        assert target.data_type == record["type"]


@given(st.binary(max_size=40))
def test_set_aside_as_not_json_means_that_the_standard_library_agrees(noise: bytes) -> None:
    value = b'{"type":"click","at":"2026-01-02T03:00:00Z","x":' + noise + b"}"
    target = routed(value)
    try:
        parsed = strict(value)
    except (ValueError, RecursionError):
        assert isinstance(target, Rejection)
        return
    assert isinstance(parsed, dict)
    if b"\n" not in noise and b"\r" not in noise:
        assert not isinstance(target, Rejection) or target.reason is not Reason.NOT_JSON
    assert not any(isinstance(v, float) and math.isnan(v) for v in parsed.values())
