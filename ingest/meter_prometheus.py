"""The meter that Prometheus reads. docs/operations.md lists the metrics and the alerts on them.

Comes in: a meter's calls, and a clock. Goes out: a registry of its own, and whether the loop makes
progress. What grows old by itself (lag in seconds, a cut's age) is worked out when it is asked for, so that
it grows too while the loop hangs. Labels are topics, partitions, data types and words of the code;
never a value out of a record.
"""

import platform
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric

from datacore.metrics import Health
from ingest.meter import LaneState, Meter

if TYPE_CHECKING:
    from ingest.land.manifest import Manifest
    from ingest.land.source import Partition
    from ingest.land.surge import Surge

STALLED_AFTER_S = 300.0
"""The longest that a step may take: an S3 call gives up after 200 s at the most."""

KIB, MIB = 1 << 10, 1 << 20
SIZES = (KIB, 16 * KIB, 128 * KIB, MIB, 4 * MIB, 16 * MIB, 64 * MIB, 256 * MIB)


@dataclass(frozen=True)
class LoopHealth(Health):
    """Whether the loop makes progress."""

    seconds_since_step: float
    limit_seconds: float


class PrometheusMeter(Meter):
    """Keeps what it is told. `clock` gives seconds since 1970."""

    def __init__(
        self, clock: Callable[[], float] = time.time, stalled_after: float = STALLED_AFTER_S
    ) -> None:
        self.registry = CollectorRegistry()
        self._clock = clock
        self._stalled_after = stalled_after
        self._stepped_at = clock()
        self._lanes: tuple[LaneState, ...] = ()
        self._ends: dict[Partition, int] = {}
        self._make_metrics()
        ProcessCollector(registry=self.registry)
        self.registry.register(self)

    def _make_metrics(self) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"datacore_{name}", text, labels, registry=self.registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"datacore_{name}", text, labels, registry=self.registry)

        gauge("build_info", "Always 1; which build runs.", "version", "python").labels(
            version("datacore"), platform.python_version()
        ).set(1)
        self._records = counter(
            "land_records_total", "Records landed, `unclaimed` ones too.", "topic", "data_type"
        )
        self._bytes = counter(
            "land_bytes_total", "Uncompressed bytes of records landed.", "topic", "data_type"
        )
        self._quarantined = counter(
            "land_quarantined_records_total", "Records set aside.", "topic", "data_type", "reason"
        )
        self._lost = counter(
            "land_lost_records_total", "Offsets that Kafka dropped before they landed.", "topic"
        )
        self._cuts = counter("land_cuts_total", "Cuts completed by this process.", "topic")
        self._adopted = counter(
            "land_adopted_cuts_total", "Cuts of another lander that were completed.", "topic"
        )
        self._objects = Histogram(
            "datacore_land_object_bytes",
            "Size of the objects written, as stored.",
            ("topic",),
            buckets=SIZES,
            registry=self.registry,
        )
        self._budget = gauge("land_budget_bytes", "Bytes of memory that may wait for cuts.")
        self._sequence = gauge("land_hour_log_sequence", "Last entry of the hour log.", "topic")
        self._unsealed = gauge("land_unsealed_hours", "Hours that are not sealed yet.", "topic")
        self._surges = counter(
            "land_surges_total",
            "Windows of records of which most were set aside for one reason, or unclaimed.",
            "topic",
            "data_type",
            "reason",
        )
        self._lines = counter("tail_lines_total", "Lines committed to Kafka.")
        self._line_bytes = counter("tail_bytes_total", "Bytes of files committed to Kafka.")
        self._transactions = counter("tail_transactions_total", "Transactions committed.")
        self._files = gauge("tail_files", "Files that are followed.")
        self._unread = gauge("tail_unread_bytes", "Bytes of followed files not sent yet.")
        self._events = counter("log_events_total", "Structured log events.", "level", "event")
        self._calls = counter(
            "aws_calls_total", "Calls of AWS, by outcome.", "service", "operation", "outcome"
        )
        self._retries = counter(
            "aws_retries_total", "Attempts that were not a call's first.", "service", "operation"
        )
        self._library = counter(
            "kafka_client_problems_total", "Problems that Kafka's client library met.", "level"
        )

    def health(self) -> LoopHealth:
        """Whether the last step is young enough."""
        age = max(0.0, self._clock() - self._stepped_at)
        return LoopHealth(age < self._stalled_after, round(age, 3), self._stalled_after)

    def collect(self) -> Iterator[Metric]:
        """What depends on the time of asking. Called by the registry, from any thread."""
        now, lanes, ends = self._clock(), self._lanes, self._ends
        labels = ("topic", "partition")
        lag = GaugeMetricFamily(
            "datacore_land_lag_records",
            "Offsets written to Kafka and not on S3 yet; Kafka is asked with the hour log.",
            labels=labels,
        )
        late = GaugeMetricFamily(
            "datacore_land_lag_seconds",
            "Age, by Kafka's timestamp, of the oldest record read and not on S3 yet.",
            labels=labels,
        )
        age = GaugeMetricFamily(
            "datacore_land_cut_age_seconds",
            "How long the oldest record has waited for its cut.",
            labels=labels,
        )
        for lane in lanes:
            names = (lane.partition.topic, str(lane.partition.number))
            end = max(ends.get(lane.partition, 0), lane.read_to)
            lag.add_metric(names, max(0, end - lane.complete_to))
            oldest = now if lane.oldest_ms is None else lane.oldest_ms / 1000
            late.add_metric(names, max(0.0, now - oldest))
            opened = now if lane.opened_at is None else lane.opened_at
            age.add_metric(names, max(0.0, now - opened))
        held = GaugeMetricFamily(
            "datacore_land_held_bytes", "Bytes of memory that wait for their cut, about."
        )
        held.add_metric((), sum(lane.held for lane in lanes))
        stepped = GaugeMetricFamily(
            "datacore_last_step_timestamp_seconds", "When the loop last came round."
        )
        stepped.add_metric((), self._stepped_at)
        yield from (lag, late, age, held, stepped)

    def step(self) -> None:
        self._stepped_at = self._clock()

    def budget(self, bytes_: int) -> None:
        self._budget.set(bytes_)

    def lanes(self, lanes: Iterable[LaneState]) -> None:
        self._lanes = tuple(lanes)

    def ends(self, ends: "Mapping[Partition, int]") -> None:
        self._ends = dict(ends)

    def cut(self, manifest: "Manifest", object_bytes: Iterable[int]) -> None:
        self.step()
        topic = manifest.topic
        self._cuts.labels(topic).inc()
        for landed in manifest.objects:
            self._records.labels(topic, landed.data_type).inc(landed.records)
            self._bytes.labels(topic, landed.data_type).inc(landed.bytes)
        for count in manifest.reasons:
            kind = count.data_type or "unknown"
            self._quarantined.labels(topic, kind, count.reason).inc(count.records)
        sizes = self._objects.labels(topic)
        for size in object_bytes:
            sizes.observe(size)

    def adopted(self, partition: "Partition") -> None:
        self._adopted.labels(partition.topic).inc()

    def lost(self, topic: str, records: int) -> None:
        self._lost.labels(topic).inc(records)

    def hour_log(self, topic: str, sequence: int, unsealed: int) -> None:
        self._sequence.labels(topic).set(sequence)
        self._unsealed.labels(topic).set(unsealed)

    def surge(self, surge: "Surge") -> None:
        self._surges.labels(surge.topic, surge.data_type or "unknown", surge.reason).inc()

    def sent(self, lines: int, bytes_: int) -> None:
        self.step()
        self._lines.inc(lines)
        self._line_bytes.inc(bytes_)
        self._transactions.inc()

    def files(self, open_: int, unread_bytes: int) -> None:
        self._files.set(open_)
        self._unread.set(unread_bytes)

    def event(self, level: str, event: str) -> None:
        self._events.labels(level, event).inc()

    def aws_call(self, service: str, operation: str, outcome: str) -> None:
        self._calls.labels(service, operation, outcome).inc()

    def aws_retry(self, service: str, operation: str) -> None:
        self._retries.labels(service, operation).inc()

    def library(self, level: str) -> None:
        self._library.labels(level).inc()
