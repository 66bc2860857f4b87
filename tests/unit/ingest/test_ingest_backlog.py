"""A backlog over 10,000 hours in random order: memory and open objects stay bounded, nothing is lost.

It prints how large the objects become: `pytest -rP tests/unit/ingest/test_ingest_backlog.py`.
"""

import random
import threading
import tracemalloc
from collections import Counter
from datetime import datetime, timedelta

from memory_bucket import MemoryBucket
from memory_source import Log, MemoryRecord, MemorySource
from test_ingest_lander import Clock, Registered

from ingest.land.lander import CutPolicy, Lander
from ingest.land.lane import LanderIdentity
from ingest.land.rules import Rule, Rules
from ingest.land.source import Partition

RULES = Rules(
    (
        Rule("click", "t", "type", "click", "at", None),
        Rule("click", "u", "type", "click", "at", None),
    )
)
"""Two topics bring one data type."""
NOW = 1_767_330_000_000
HOURS = 10_000
PARTITIONS = (Partition("t", 0), Partition("u", 0))
EACH = 11_000
"""Records of a partition, so that each of its hours has one or two."""
BEGIN = datetime(2024, 11, 1)
MIB = 1 << 20


def backlog(seed: int) -> Log:
    """Every partition's hours in an order of its own."""
    shuffled = random.Random(seed)

    def records(partition: Partition) -> list[MemoryRecord]:
        hours = [n % HOURS for n in range(EACH)]
        shuffled.shuffle(hours)
        return [
            MemoryRecord(
                offset,
                NOW,
                b'{"type":"click","at":"%sZ","from":"%s %d %d","pad":"%s"}'
                % (
                    (BEGIN + timedelta(hours=hour)).isoformat().encode(),
                    partition.topic.encode(),
                    partition.number,
                    offset,
                    b"x" * 300,
                ),
            )
            for offset, hour in enumerate(hours)
        ]

    return Log({partition: records(partition) for partition in PARTITIONS})


def sizes_told(sizes: list[int]) -> str:
    ordered = sorted(sizes)
    at = [ordered[len(ordered) * percent // 100] for percent in (1, 50, 99)]
    return f"{len(ordered)} objects, bytes at 1, 50, 99 %: {at}"


def test_memory_and_open_objects_are_bounded_whatever_the_order_of_the_hours() -> None:
    log, bucket = backlog(seed=1), MemoryBucket()
    policy = CutPolicy(bytes=10**9, objects=2_000, budget=4 * MIB, seconds=10**9)
    source = MemorySource(log, step=500)
    lander = Lander(source, bucket, RULES, Registered(), LanderIdentity("l", Clock()), policy)
    most_open = most_held = 0
    cut_due = lander._cut_due

    def watched() -> None:
        nonlocal most_open, most_held
        most_open = max(most_open, *(lane.objects for lane in lander._lanes.values()))
        cut_due()
        most_held = max(most_held, sum(lane.held for lane in lander._lanes.values()))

    lander._cut_due = watched  # type: ignore[method-assign]
    tracemalloc.start()
    lander.run_until_caught_up(threading.Event())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    wanted = Counter(record.value for held in log.records.values() for record in held)
    assert Counter(bucket.lines()) == wanted
    assert most_open <= policy.objects + source.step
    assert most_held <= policy.budget
    kept = sum(len(data) for data, _ in bucket.objects.values())
    print(
        f"{HOURS} hours: {lander.summary.cuts} cuts; at most {most_open} objects open in a "
        f"partition, {most_held / MIB:.1f} MiB held, {(peak - kept) / MIB:.0f} MiB in all;",
        sizes_told([len(d) for key, (d, _) in bucket.objects.items() if key.endswith(".gz")]),
    )


def test_two_topics_that_bring_one_type_land_beside_each_other() -> None:
    log, bucket = backlog(seed=2), MemoryBucket()
    log.records = {partition: held[:200] for partition, held in log.records.items()}
    policy = CutPolicy(bytes=20_000)
    Lander(
        MemorySource(log), bucket, RULES, Registered(), LanderIdentity("l", Clock()), policy
    ).run_until_caught_up(threading.Event())
    assert Counter(bucket.lines()) == Counter(r.value for h in log.records.values() for r in h)
    names = {key.rsplit("/", 1)[1].split("+")[0] for key in bucket.objects if "/click/" in key}
    assert names == {"t", "u"}
    logs = [key for key in bucket.objects if "/_hours/" in key]
    assert {key.split("/")[2] for key in logs} == {"t", "u"}
