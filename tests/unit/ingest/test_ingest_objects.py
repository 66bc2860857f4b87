"""Objects and rules: the same input gives the same bytes, whoever makes them."""

import gzip
import hashlib
import zlib
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ingest.land.objects import (
    BLOCK,
    OpenObject,
    hour_number,
    hour_path,
    hour_words,
    quarantine_key,
    raw_key,
)
from ingest.land.rules import FORMAT, Limits, Rule, Rules, read_rules

LINES = [b'{"n":%d,"pad":"%s"}' % (n, b"x" * (n % 97)) for n in range(20_000)]


def finished(lines: list[bytes]) -> bytes:
    held = OpenObject()
    for line in lines:
        held.add(line)
    return held.finish().data


def test_an_object_is_one_gzip_member_of_its_lines() -> None:
    assert sum(map(len, LINES)) > 3 * BLOCK
    stream = zlib.decompressobj(wbits=31)
    assert stream.decompress(finished(LINES)) == b"".join(line + b"\n" for line in LINES)
    assert stream.eof
    assert not stream.unused_data


def test_the_same_lines_give_the_same_bytes() -> None:
    assert finished(LINES) == finished(list(LINES))


def test_a_body_tells_count_size_and_checksum_of_its_lines() -> None:
    held = OpenObject()
    for line in LINES[:10]:
        held.add(line)
    body = held.finish()
    plain = gzip.decompress(body.data)
    assert (body.records, body.bytes) == (10, len(plain))
    assert body.sha256 == hashlib.sha256(plain).hexdigest()


def test_memory_held_is_about_the_compressed_size() -> None:
    held = OpenObject()
    for line in LINES:
        held.add(line)
    assert held.held < sum(map(len, LINES)) / 2 + 2 * BLOCK


def test_keys_are_those_of_the_design() -> None:
    hour = hour_number("2026-01-02", "05")
    assert raw_key("job_view", hour, "marketplace", 3, 42) == (
        "production-logs/job_view/2026/01/02/05/marketplace+3+00000000000000000042.jsonl.gz"
    )
    assert quarantine_key("marketplace", hour, 3, 42) == (
        "production-logs/_quarantine/marketplace/2026/01/02/05/3+00000000000000000042.jsonl.gz"
    )


@given(st.integers(min_value=-17_259_888, max_value=70_389_527))
def test_hours_of_all_years_are_known_again(hour: int) -> None:
    assert hour_number(*hour_words(hour)) == hour
    assert hour_path(hour).count("/") == 3


RULE = Rule("a", "t", "type", "x", "at", None)


def test_rules_are_read_again_as_they_were_kept() -> None:
    rules = Rules((RULE, replace(RULE, data_type="b", match_value="y")), Limits(depth=7))
    assert read_rules(rules.document) == rules
    assert read_rules(rules.document).hash == rules.hash


def test_whatever_changes_routing_changes_the_hash() -> None:
    base = Rules((RULE,))
    others = [
        Rules((replace(RULE, event_time="when"),)),
        Rules((replace(RULE, time_unit="ms"),)),
        Rules((RULE,), Limits(future_ms=1)),
        Rules((RULE,), Limits(grace_ms=1)),
        Rules((RULE,), format=FORMAT + 1),
    ]
    assert len({rules.hash for rules in (base, *others)}) == 6
