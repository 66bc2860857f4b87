"""What Prometheus is told of the metastore, and whether Glue answers. docs/metastore.md lists it.

Comes in: calls of the protocol, attempts at Glue, looks into the cache, connections; from any
thread. Goes out: a registry of its own, and the service's health. Labels are names of calls and
words of the code; never a database, a table or a client.
"""

import platform
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from datacore.metrics import Health

log = structlog.get_logger("metastore")

SILENT_AFTER_S = 60.0
"""How long Glue may give no answer before the service is not well."""
PROBE_EVERY_S = 15.0
"""How often Glue is asked something where no client asks."""
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


@dataclass(frozen=True)
class GlueHealth(Health):
    """Whether Glue answered lately."""

    seconds_since_answer: float
    limit_seconds: float


class Meter:
    """Keeps what it is told. `clock` gives monotonic seconds."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        silent_after: float = SILENT_AFTER_S,
    ) -> None:
        self.registry = CollectorRegistry()
        self._clock = clock
        self._silent_after = silent_after
        self._answered_at = clock()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"datacore_metastore_{name}", text, labels, registry=self.registry)

        def seconds(name: str, text: str, label: str) -> Histogram:
            return Histogram(
                f"datacore_metastore_{name}",
                text,
                (label,),
                buckets=SECONDS,
                registry=self.registry,
            )

        Gauge(
            "datacore_build_info",
            "Always 1; which build runs.",
            ("version", "python"),
            registry=self.registry,
        ).labels(version("datacore"), platform.python_version()).set(1)
        self._calls = counter(
            "calls_total", "Calls of clients, by name and outcome.", "call", "outcome"
        )
        self._call_seconds = seconds("call_seconds", "How long clients' calls took.", "call")
        self._glue = counter(
            "glue_calls_total",
            "Attempts at Glue, by operation and outcome.",
            "operation",
            "outcome",
        )
        self._glue_seconds = seconds(
            "glue_seconds", "How long attempts at Glue took, without waits.", "operation"
        )
        self._retries = counter(
            "glue_retries_total",
            "Attempts that were not a call's first, by what went before.",
            "operation",
            "reason",
        )
        self._cache = counter(
            "cache_total", "Looks into the cache, by what was looked for.", "cache", "outcome"
        )
        self._open = Gauge(
            "datacore_metastore_open_connections", "Connections open now.", registry=self.registry
        )
        self._connections = counter(
            "connections_total", "Connections taken, by how they began.", "outcome"
        )
        ProcessCollector(registry=self.registry)

    def health(self) -> GlueHealth:
        """Whether Glue's last answer is young enough."""
        age = max(0.0, self._clock() - self._answered_at)
        return GlueHealth(age < self._silent_after, round(age, 3), self._silent_after)

    def silent_for(self) -> float:
        """Seconds since Glue's last answer."""
        return self._clock() - self._answered_at

    def called(self, call: str, outcome: str, seconds: float) -> None:
        """A client's call ended: `ok`, `unsupported`, `read_only` or the exception it got."""
        self._calls.labels(call, outcome).inc()
        self._call_seconds.labels(call).observe(seconds)

    def glue_call(self, operation: str, outcome: str, seconds: float, answered: bool) -> None:
        """An attempt ended: `ok` or Glue's word for the error. `answered`: Glue is there and works."""
        self._glue.labels(operation, outcome).inc()
        self._glue_seconds.labels(operation).observe(seconds)
        if answered:
            self._answered_at = self._clock()

    def glue_retry(self, operation: str, reason: str) -> None:
        """An attempt follows a failed one: `throttled`, `unreachable`, `faulty` or `entries`."""
        self._retries.labels(operation, reason).inc()

    def cache(self, cache: str, hit: bool) -> None:
        """Something was looked for in a cache."""
        self._cache.labels(cache, "hit" if hit else "miss").inc()

    def connected(self, outcome: str) -> None:
        """A connection began: `plain`, `tls`, or `refused` where there was no handshake."""
        self._connections.labels(outcome).inc()

    @contextmanager
    def connection(self) -> Iterator[None]:
        """Around a connection's life."""
        with self._open.track_inprogress():
            yield


@contextmanager
def probing(
    meter: Meter, probe: Callable[[], object], every: float = PROBE_EVERY_S
) -> Iterator[None]:
    """While the block runs, ask Glue something whenever it has been silent for `every` seconds.

    An idle service would not know whether Glue is there.
    """
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(max(every - meter.silent_for(), every / 4)):
            if meter.silent_for() < every:
                continue
            try:
                probe()
            except Exception:
                log.exception("probe broke")

    thread = threading.Thread(target=work, name="probe", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
