"""Whatever a topic holds, a cut holds: no bytes, times or headers raise, and records in are lines out."""

import base64
import gzip
import json
from collections import Counter

from hypothesis import example, given, settings
from hypothesis import strategies as st
from memory_source import MemoryRecord, batch_of

from ingest.headers import FILE, HOST, SEQUENCE, TOO_LARGE
from ingest.land.cut import Cut, OpenCut
from ingest.land.manifest import read_manifest
from ingest.land.rules import Limits, Rule, Rules
from ingest.land.source import Partition

PARTITION = Partition("t", 0)
NOW = 1_767_326_400_000
"""2026-01-02T04:00:00Z."""
RULES = Rules(
    (
        Rule("click", "t", "type", "click", "at", None),
        Rule("deep_view", "t", "type", "deep_view", "meta.time.at", "ms"),
        Rule("heartbeat", "t", "kind.name", "heartbeat", None, None),
        Rule("rest", "t", None, None, "at", "us"),
    ),
    Limits(line_bytes=4_000, depth=50),
)
FEW = Rules(RULES.claims[:1], RULES.limits)
"""With these much is unclaimed."""

INT64 = st.integers(-(2**63), 2**63 - 1)
timestamps = (
    st.integers(NOW - 10**8, NOW + 10**8)
    | INT64
    | st.sampled_from([-1, 0, 253_402_300_799_999, 253_402_300_800_000, 2**63 - 1, -(2**63)])
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | INT64
    | st.sampled_from(["click", "deep_view", "heartbeat", "2026-01-02T03:00:00Z", NOW, NOW * 1000])
)
names = st.text() | st.sampled_from(["type", "at", "meta", "time", "kind", "name"])
documents = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(names, inner), max_leaves=10
)
json_values = st.builds(
    lambda document, ascii_only: json.dumps(document, ensure_ascii=ascii_only).encode(
        errors="surrogatepass"
    ),
    documents | st.dictionaries(names, documents),
    st.booleans(),
)
claimed = st.builds(
    lambda at, more: json.dumps({**more, "type": "click", "at": at}).encode(),
    st.datetimes().map(lambda moment: moment.isoformat()) | scalars,
    st.dictionaries(names, scalars, max_size=3),
)
broken = st.builds(
    lambda value, noise, place: value[: place % (len(value) + 1)] + noise,
    json_values,
    st.binary(max_size=8),
    st.integers(0, 200),
)
repeated = st.builds(lambda piece, times: piece * times, st.binary(max_size=6), st.integers(0, 900))
values = st.none() | st.binary() | json_values | claimed | broken | repeated
headers = st.lists(
    st.tuples(
        st.text() | st.sampled_from([HOST, FILE, SEQUENCE, TOO_LARGE]),
        st.none() | st.binary() | st.integers(0, 2**70).map(lambda number: b"%d" % number),
    ),
    max_size=6,
).map(tuple)


@st.composite
def logs(draw: st.DrawFn) -> list[MemoryRecord]:
    """Records of one partition, some offsets left out."""
    rows = draw(st.lists(st.tuples(st.integers(0, 3), timestamps, values, headers), max_size=12))
    records, offset = [], 0
    for gap, *row in rows:
        records.append(MemoryRecord(offset + gap, *row))
        offset += gap + 1
    return records


def landed(cut: Cut) -> Counter[tuple[int | None, bytes | None]]:
    """What the cut's objects hold: values that landed, and offset and value of those set aside."""
    found: Counter[tuple[int | None, bytes | None]] = Counter()
    for key, body in cut.bodies.items():
        lines = gzip.decompress(body.data).split(b"\n")
        assert lines.pop() == b""
        assert len(lines) == body.records
        for line in lines:
            if "/_quarantine/" not in key:
                found[None, line] += 1
                continue
            told = json.loads(line)
            value = None if told["value"] is None else base64.b64decode(told["value"])
            found[told["offset"], value] += 1
    return found


@settings(max_examples=400)
@given(st.sampled_from([RULES, FEW, Rules(())]), logs(), st.integers(1, 12))
@example(FEW, [MemoryRecord(0, 2**63 - 1, b'{"type":"nobody"}'), MemoryRecord(1, -5, b"x")], 1)
@example(RULES, [MemoryRecord(0, 2**62, b'{"kind":{"name":"heartbeat"}}')], 1)
def test_every_record_of_any_topic_is_in_a_cut_once(
    rules: Rules, records: list[MemoryRecord], size: int
) -> None:
    opened = OpenCut(PARTITION, 0, rules)
    for start in range(0, len(records), size):
        opened.add(batch_of(records[start : start + size]))
    cut = opened.finish(opened.next, "id", "lander", "2026-01-02T04:00:00.000Z")
    found = landed(cut)
    aside = {offset for offset, _ in found if offset is not None}
    wanted: Counter[tuple[int | None, bytes | None]] = Counter(
        (record.offset if record.offset in aside else None, record.value) for record in records
    )
    assert found == wanted
    assert cut.manifest.records == len(records)
    assert sum(one.records for one in cut.manifest.everything) == len(records)
    assert sum(to - begin for begin, to in cut.manifest.gaps) + len(records) == cut.manifest.next
    assert read_manifest(cut.manifest.key, cut.manifest.to_json()) == cut.manifest
