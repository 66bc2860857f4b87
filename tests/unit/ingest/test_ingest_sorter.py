"""Sorting many records at once: what comes of it is what the router says of each alone."""

import gzip
import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from memory_source import MemoryRecord, batch_of

from ingest.headers import TOO_LARGE
from ingest.land.aside import set_aside_line, size_of_another, stands_for_another
from ingest.land.cut import OpenCut
from ingest.land.event_time import MS_PER_HOUR
from ingest.land.objects import OpenObject
from ingest.land.route import Landing, Reason, Rejection, Router
from ingest.land.rules import Limits, Rule, Rules
from ingest.land.source import Partition

PARTITION = Partition("t", 0)
NOW = 1_767_326_400_000
"""2026-01-02T04:00:00Z."""

LIMITS = Limits(line_bytes=1_500, depth=20)
RULES = {
    "one field tells the type": (
        Rule("click", "t", "type", "click", "at", None),
        Rule("view", "t", "type", "view", "at", "ms"),
        Rule("beat", "t", "type", "beat", None, None),
    ),
    "several fields, and times in several places": (
        Rule("click", "t", "type", "click", "at", None),
        Rule("deep", "t", "meta.kind", "deep", "meta.at", None),
        Rule("view", "t", "type", "view", "at", None),
    ),
    "one type takes all": (Rule("all", "t", None, None, "meta.at", "s"),),
    "a type and the rest": (
        Rule("click", "t", "type", "click", "at", "us"),
        Rule("rest", "t", None, None, "at", None),
    ),
    "a field that others lie in": (
        Rule("click", "t", "meta", "click", "at", None),
        Rule("deep", "t", "meta.kind", "deep", "at", None),
    ),
    "no time": (Rule("beat", "t", "type", "click", None, None),),
    "no contract": (),
}


def straight(rules: Rules, records: list[MemoryRecord]) -> dict[Any, tuple[list[bytes], int]]:
    """Lines and late records by landing, or by hour of what is set aside: record after record."""
    route = Router(rules, "t").route
    lines: dict[Any, list[bytes]] = defaultdict(list)
    late: dict[Any, int] = defaultdict(int)
    for record in records:
        if stands_for_another(record.headers):
            target: Landing | Rejection = Rejection(
                Reason.TOO_LARGE, found=size_of_another(record.headers)
            )
        else:
            target = route(record.value, record.timestamp)
        if isinstance(target, Rejection):
            hour = max(record.timestamp, 0) // MS_PER_HOUR
            lines[hour].append(
                set_aside_line(PARTITION, *record[:2], record.headers, record.value, target)
            )
        else:
            assert record.value is not None
            lines[target].append(record.value)
            over = record.timestamp - (target.hour + 1) * MS_PER_HOUR
            late[target] += over >= rules.limits.grace_ms
    return {key: (found, late[key]) for key, found in lines.items()}


def sorted_at_once(
    rules: Rules, batches: list[list[MemoryRecord]]
) -> dict[Any, tuple[list[bytes], int]]:
    cut = OpenCut(PARTITION, 0, rules)
    for records in batches:
        cut.add(batch_of(records))
    found: dict[Any, tuple[list[bytes], int]] = {}
    held = size = 0
    opened = {**cut._sorter.landed, **cut._sorter.aside}
    for key, one in opened.items():
        held, size = held + one.held, size + one.size
        body = one.finish()
        content = gzip.decompress(body.data)
        assert content.endswith(b"\n")
        found[key] = content[:-1].split(b"\n"), body.late
        assert (body.records, body.bytes) == (len(found[key][0]), len(content))
    assert (cut._sorter.held, cut.bytes) == (held, size), "what is held is counted as it comes"
    assert cut.records == sum(map(len, batches))
    return found


moments = st.datetimes(datetime(2026, 1, 2, 1), datetime(2026, 1, 2, 6)) | st.sampled_from(
    [
        datetime(2026, 1, 2, hour) + timedelta(microseconds=us)
        for hour in (3, 4, 5)
        for us in (-1, 0)
    ]
)
"""About the records' own times, and at the edges of hours."""
texts = st.one_of(
    moments.map(lambda m: m.isoformat() + "Z"),
    moments.map(lambda m: m.isoformat(sep=" ", timespec="milliseconds") + "Z"),
    moments.map(lambda m: m.isoformat()),
    moments.map(lambda m: m.strftime("%G-W%V-%uT%H:%M:%SZ")),
    moments.map(lambda m: m.strftime("%Y%m%dT%H%M%SZ")),
    moments.map(lambda m: m.strftime("%Y-%m-%dT%H:%M:60Z")),
    moments.map(lambda m: m.replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=5.5))).isoformat()),
    st.sampled_from(["soon", "2026-01-02T03:", "2026-01-02T03:99Z", "2026-01-02Z", "", "Z", "2026W01T03:04:05Z"]),
)  # fmt: skip
epochs = moments.map(lambda m: m.replace(tzinfo=UTC).timestamp()).flatmap(
    lambda s: st.sampled_from([s, int(s), int(s * 1000), int(s * 10**6), str(int(s)), True, 1, 1.0])
)
times = texts | epochs | st.none() | st.just({"a": []}) | st.just([1])
kinds = st.sampled_from(
    ["click", "view", "beat", "deep", "nobody", None, 1, True, 1.0, {}, ["click"]]
)
odd = st.sampled_from(["", "ä → 漢字", "\ud800", "a\r", "x" * 1_600, "{[" * 40, "\\"])
deep = st.integers(0, 24).map(lambda n: json.loads("[" * n + "1" + "]" * n))


@st.composite
def events(draw: st.DrawFn) -> bytes:
    """A record as producers might write it."""
    record: dict[str, Any] = {}
    for name, value in (
        ("type", kinds),
        ("at", times),
        ("meta", st.fixed_dictionaries({}, optional={"kind": kinds, "at": times}) | kinds),
        ("odd", odd),
        ("deep", deep),
    ):
        if draw(st.integers(0, 3)):
            record[name] = draw(value)
    text = json.dumps(record, ensure_ascii=draw(st.booleans()))
    return text.encode(errors="surrogatepass") + draw(st.sampled_from([b"", b"", b"", b"\r", b" "]))


plain = st.tuples(kinds.filter(lambda kind: isinstance(kind, str)), texts).map(
    lambda pair: json.dumps({"type": pair[0], "at": pair[1], "meta": {"at": pair[1]}}).encode()
)
values = plain | plain | events() | st.binary(max_size=20) | st.none() | st.sampled_from(
    [b"{}", b'{"a":\n1}', b"[]", b"\xff", b'{"type":"click","type":"view","at":"2026-01-02T03:00:00Z"}']
)  # fmt: skip
timestamps = st.integers(NOW - MS_PER_HOUR, NOW + 2 * MS_PER_HOUR) | st.sampled_from(
    [-1, 0, NOW - 1, NOW, NOW + 599_999, NOW + 600_000, NOW + MS_PER_HOUR]
)
stands = (("host", b"h"), ("file", b"f"), ("seq", b"1"), (TOO_LARGE, b"99"))
all_headers = st.sampled_from([(), (), (), stands[:3], stands])


@st.composite
def batches(draw: st.DrawFn) -> list[list[MemoryRecord]]:
    """Batches whose timestamps are the same, near each other, or anything."""
    made = []
    offset = 0
    for _ in range(draw(st.integers(1, 3))):
        first = draw(timestamps)
        near = st.integers(0, 2_000).map(lambda ms, first=first: first + ms)
        stamp = draw(st.sampled_from([st.just(first), near, timestamps]))
        found = draw(st.lists(st.tuples(stamp, values, all_headers), min_size=1, max_size=12))
        made.append([MemoryRecord(offset + n, *row) for n, row in enumerate(found)])
        offset += len(found)
    return made


def one_batch(timestamp: int, *records: object) -> list[list[MemoryRecord]]:
    found = [json.dumps(record).encode() for record in records]
    return [[MemoryRecord(n, timestamp, value) for n, value in enumerate(found)]]


ON_TIME = {"type": "click", "at": "2026-01-02T05:00:00.000Z"}
IN_THE_FUTURE = {"type": "click", "at": "2026-01-02T05:30:00.000Z"}
DEEP = json.loads("[" * 21 + "]" * 21)
PLAIN = "one field tells the type"


@given(st.sampled_from(sorted(RULES)), batches())
@example(PLAIN, one_batch(NOW, ON_TIME, IN_THE_FUTURE))
@example(PLAIN, one_batch(-1, {"type": "beat"}, {"type": "beat"}))
@example(PLAIN, one_batch(NOW, ON_TIME, {**ON_TIME, "deep": DEEP}))
@example(PLAIN, one_batch(NOW, ON_TIME, {**ON_TIME, "long": "x" * 1_500}))
@example("a type and the rest", one_batch(NOW, {"at": 1}, {"at": True}, {"at": 1.0}))
def test_records_sorted_at_once_land_as_each_would_alone(
    name: str, made: list[list[MemoryRecord]]
) -> None:
    rules = Rules(RULES[name], LIMITS)
    alone = straight(rules, [record for batch in made for record in batch])
    assert sorted_at_once(rules, made) == alone


hours = st.builds(
    lambda hour, ms: (datetime(2026, 1, 2, hour) + timedelta(milliseconds=ms)).isoformat(),
    st.integers(2, 5),
    st.sampled_from([0, 1, 600_000, 1_800_000, 3_599_999]),
)
zoned = st.builds(lambda text, zone: text + zone, hours, st.sampled_from([*"ZZZZ", "", "-01:00"]))


@st.composite
def much_alike(draw: st.DrawFn) -> list[MemoryRecord]:
    """One batch of records that differ in little, about the edges of late and of future."""
    first = NOW + draw(st.sampled_from([-1, 0, 599_999, 600_000, 1_800_000]))
    spread = draw(st.sampled_from([0, 0, 1, 700_000]))
    kind = draw(st.sampled_from(["click", "view", "deep", "beat", "nobody"]))
    rows = draw(st.lists(st.tuples(zoned, zoned, st.integers(0, 9)), min_size=2, max_size=30))
    records = []
    for offset, (at, inner, dice) in enumerate(rows):
        other = "deep" if dice > 6 else "view" if dice > 5 else kind
        value = {"type": kind, "at": at, "meta": {"kind": other, "at": inner}}
        if dice == 0:
            value["type"] = other
        records.append(
            MemoryRecord(offset, first + offset * spread // 30, json.dumps(value).encode())
        )
    return records


@settings(max_examples=300)
@given(st.sampled_from(sorted(RULES)), much_alike())
def test_what_is_much_alike_is_still_told_apart(name: str, made: list[MemoryRecord]) -> None:
    rules = Rules(RULES[name], LIMITS)
    assert sorted_at_once(rules, [made]) == straight(rules, made)


@given(st.lists(st.integers(0, 60_000), max_size=40), st.data())
def test_an_objects_bytes_do_not_depend_on_how_its_lines_arrive(
    sizes: list[int], data: st.DataObject
) -> None:
    lines = [b"%d" % n * (size // 3) for n, size in enumerate(sizes)]
    whole, pieces = OpenObject(), OpenObject()
    for line in lines:
        whole.add(line)
    rest = lines
    while rest:
        count = data.draw(st.integers(1, len(rest)))
        pieces.lines.extend(rest[:count])
        assert pieces.took() == count
        rest = rest[count:]
    assert pieces.held >= sum(map(len, pieces.lines))
    body = whole.finish()
    assert pieces.finish() == body
    assert gzip.decompress(body.data) == b"".join(line + b"\n" for line in lines)
