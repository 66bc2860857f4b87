"""Stopping: SIGTERM and SIGINT become an event that the loops look at between two steps."""

import os
import signal
import sys
import threading

from datacore.errors import ExitCode


def stop_on_signals(limit: float | None = None) -> threading.Event:
    """An event that SIGTERM and SIGINT set.

    `limit` is how many seconds the process has from then on; past it, it ends at once with exit code
    3. For commands that may be killed at any point anyway.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if limit is not None:
        threading.Thread(target=_end_after, args=(stop, limit), daemon=True).start()
    return stop


def _end_after(stop: threading.Event, limit: float) -> None:
    stop.wait()
    threading.Event().wait(limit)
    try:
        sys.stderr.write(f"error: not done within {limit:g} s of being told to stop\n")
        sys.stderr.write("hint: start it again; nothing is lost\n")
        sys.stderr.flush()
    finally:
        os._exit(ExitCode.UNREACHABLE)
