"""The real command in a process of its own that ends, or stops, before or after a step.

Comes in: the command's arguments, its environment, and where to break off. Goes out: a process.
The step's functions are wrapped in the child; production code knows nothing of it. Children are
forked from a server that has imported everything, for imports take longer than the command.
"""

import functools
import importlib
import itertools
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

PRELOADED = (
    "fault_child",
    "datacore.cli",
    "datacore.contracts",
    "ingest.audit.commands",
    "ingest.land.commands",
    "ingest.tail.commands",
    "botocore.parsers",
    "botocore.retryhandler",
    "open_data_contract_standard.model",
    "kafka.net.manager",
)

SESSION_MS = 6_000
"""The shortest session that the broker allows: a paused lander's partitions move after it."""
READ_TIMEOUT_S = 1.5
"""How long a child waits for an answer of S3; half a minute would be a slow test."""

POLL_BYTES = 12_000
"""Few, so that a small topic makes several cuts."""
UNDER_WAY_S = 1.0
METADATA_S = 2
BACKOFF = 0.05
"""What is left of the pauses between two tries of a request."""

Step = tuple[str, str, Callable[..., bool] | None]


def _key_has(*parts: str) -> Callable[..., bool]:
    return lambda self, key, *rest: all(part in key for part in parts)


def _is_entry(self: Any, key: str, *rest: Any) -> bool:
    return "/_hours/" in key and "_totals" not in key


def _to_positions(self: Any, topic: str, *rest: Any, **more: Any) -> bool:
    return topic == "_datacore_positions"


def _to_topic(self: Any, topic: str, *rest: Any, **more: Any) -> bool:
    return topic != "_datacore_positions"


STEPS: dict[str, Step] = {
    # land
    "rules": ("ingest.land.chain:Chain", "keep_rules", None),
    "manifest": ("ingest.land.chain:Chain", "claim", None),
    "object": ("ingest.land.bucket:Bucket", "_put_body", None),
    "acknowledge": ("ingest.land.source_kafka:KafkaSource", "acknowledge", None),
    "glue-tables": ("ingest.register.registrar:Registrar", "tables", None),
    "glue-hours": ("ingest.register.registrar:Registrar", "hours", None),
    "glue-chain": ("ingest.register.registrar:Registrar", "cuts", None),
    "glue-block": ("ingest.register.registrar:Registrar", "block", None),
    "glue-quarantine": ("ingest.register.registrar:Registrar", "quarantine", None),
    "log-totals": ("ingest.land.bucket:Bucket", "put_new", _key_has("/_hours/", "_totals")),
    "log-entry": ("ingest.land.bucket:Bucket", "put_new", _is_entry),
    "give-up": ("ingest.land.bucket:Bucket", "give_up", None),
    "note": ("ingest.land.bucket:Bucket", "put_new", _key_has(".lost.json")),
    # tail
    "begin": ("kafka:KafkaProducer", "begin_transaction", None),
    "send-lines": ("kafka:KafkaProducer", "send", _to_topic),
    "send-position": ("kafka:KafkaProducer", "send", _to_positions),
    "commit": ("kafka:KafkaProducer", "commit_transaction", None),
}


@dataclass(frozen=True)
class Break:
    """Where a child gets `signal`: at call number `nth` (from 0) of a step."""

    step: str
    nth: int = 0
    after: bool = False
    signal: int = signal.SIGKILL

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'}-{self.step}-{self.nth}"

    def install(self) -> None:
        """Wrap the step in this process."""
        place, name, applies = STEPS[self.step]
        module, _, attribute = place.partition(":")
        owner = getattr(importlib.import_module(module), attribute)
        wrapped = getattr(owner, name)
        calls = itertools.count()

        def broken(*arguments: Any, **named: Any) -> Any:
            here = (applies is None or applies(*arguments, **named)) and next(calls) == self.nth
            if here and not self.after:
                os.kill(os.getpid(), self.signal)
            result = wrapped(*arguments, **named)
            if here and self.after:
                os.kill(os.getpid(), self.signal)
            return result

        setattr(owner, name, broken)


@dataclass(frozen=True)
class Child:
    """How a child differs from the command as people run it."""

    breaks: Break | None = None
    block: int | None = None
    """Entries of a block of the hour log, so that a few cuts fill one."""
    file_limit: int | None = None
    """The most bytes that it may write to a file."""
    poll_seconds: float | None = None
    """How long one poll waits; None: as ever."""
    slow_seconds: float | None = None
    """How long it hangs in the step of a break by SIGALRM."""


def start(
    arguments: Sequence[str | Path],
    environment: Mapping[str, str],
    output: Path,
    how: Child | None = None,
) -> ForkServerProcess:
    """Run `datacore` with `arguments`; stdout and stderr go to `<output>.out` and `.err`."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    texts = tuple(map(str, arguments))
    process = context.Process(target=_run, args=(texts, dict(environment), output, how or Child()))
    process.start()
    return process


def _run(arguments: tuple[str, ...], environment: dict[str, str], output: Path, how: Child) -> None:
    os.environ.update(environment)
    for number, suffix in ((1, ".out"), (2, ".err")):
        path = environment.get(f"FAULT_FD{number}") or output.with_suffix(suffix)
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), number)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    _quicken()
    if how.block is not None:
        for module in ("land.hourlog", "land.hours", "audit.log", "audit.records"):
            importlib.import_module(f"ingest.{module}").BLOCK = how.block  # type: ignore[attr-defined]
    if how.file_limit is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (how.file_limit, how.file_limit))
    if how.poll_seconds is not None:
        lander = importlib.import_module("ingest.land.lander")
        lander.POLL_S = how.poll_seconds  # type: ignore[attr-defined]
    if how.slow_seconds is not None:
        signal.signal(signal.SIGALRM, functools.partial(_hang, how.slow_seconds))
    if how.breaks is not None:
        how.breaks.install()
    from datacore.cli import main

    try:
        main(arguments)
    finally:
        # an interpreter that ends ignores that stderr cannot be flushed; multiprocessing does not
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _hang(seconds: float, *_: Any) -> None:
    print("slow now", file=sys.stderr)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(0.1)  # hanging is the case under test


def _quicken() -> None:
    """Shorten what only waits: sessions, pauses, and answers that never come."""
    from botocore.retries.standard import ExponentialBackoff

    import datacore.aws
    import ingest.land.lane as lane
    import ingest.land.source_fetch as source_fetch
    import ingest.land.source_kafka as source_kafka

    config = datacore.aws.aws_config

    def impatient(settings: Any) -> Any:
        from botocore.config import Config

        return config(settings).merge(Config(read_timeout=READ_TIMEOUT_S))

    datacore.aws.aws_config = impatient
    source_fetch.CHUNK = POLL_BYTES
    delay = ExponentialBackoff.delay_amount
    lane.UNDER_WAY_S = UNDER_WAY_S
    source_kafka.METADATA_S = METADATA_S
    ExponentialBackoff.delay_amount = lambda self, context: BACKOFF * delay(self, context)
    source_kafka.GROUP = os.environ["FAULT_GROUP"]
    consumer = source_kafka.KafkaConsumer

    def short_session(**settings: Any) -> Any:
        quick = {
            "session_timeout_ms": SESSION_MS,
            "heartbeat_interval_ms": 500,
        }
        return consumer(**{**settings, **quick})

    source_kafka.KafkaConsumer = short_session
