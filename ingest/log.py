"""Structured logs of the ingest commands: one event a line on stderr, never a record's content.

Comes in: nothing. Goes out: structlog and the standard library's logging, set up once by each
command. Stdout is left to a command's summary line.
"""

import logging
import sys

import structlog

QUIET = ("kafka", "botocore", "boto3", "urllib3")
"""Libraries whose own retries would drown the log; only their errors are shown."""


def set_up_logs() -> None:
    """Send structlog's events to stderr: coloured on a terminal, JSON otherwise."""
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer()
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)
