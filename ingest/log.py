"""Structured logs of the ingest commands: one event a line on stderr, never a record's content.

Comes in: a meter that counts events. Goes out: structlog and the standard library's logging, set up once
by each command. Stdout is left to a command's summary line. The events are listed in
docs/operations.md; of a record at most the field that is to blame is shown, shortened.
"""

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from ingest.meter import Meter

QUIET = ("botocore", "boto3", "urllib3")
"""Libraries whose own retries would drown the log; the meter counts them elsewhere."""

KAFKA = "kafka"
"""kafka-python's logger. Its warnings are of connections that it makes again; they are counted."""


def set_up_logs(meter: Meter | None = None) -> None:
    """Send structlog's events to stderr: coloured on a terminal, JSON otherwise."""
    counted = meter or Meter()

    def count(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
        counted.event(event["level"], event["event"])
        return event

    renderer: Processor = (
        structlog.dev.ConsoleRenderer()
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            count,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: _Stderr(counted),
    )
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    library = logging.getLogger(KAFKA)
    library.setLevel(logging.WARNING)
    library.propagate = False
    library.handlers = [_Counting(counted)]


class _Stderr:
    """Prints lines on stderr. One that cannot be printed, on a full disk say, is counted instead:
    what is read and landed does not depend on what can be said of it.
    """

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def msg(self, message: str) -> None:
        try:
            print(message, file=sys.stderr, flush=True)
        except OSError:
            self._meter.event("error", "log_not_written")

    log = debug = info = warning = error = critical = exception = msg


class _Counting(logging.Handler):
    """Counts what a library says, and says none of it."""

    def __init__(self, meter: Meter) -> None:
        super().__init__(logging.WARNING)
        self._meter = meter

    def emit(self, record: logging.LogRecord) -> None:
        """Debug messages, which may hold a client's configuration, never come here."""
        self._meter.library("error" if record.levelno >= logging.ERROR else "warning")
