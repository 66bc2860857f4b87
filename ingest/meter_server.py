"""A meter for a command of ingest, served over HTTP if a port is given: `datacore.metrics`."""

from collections.abc import Iterator
from contextlib import contextmanager

from datacore.metrics import serving
from ingest.log import set_up_logs
from ingest.meter import Meter
from ingest.meter_prometheus import PrometheusMeter


@contextmanager
def measured(host: str, port: int | None) -> Iterator[Meter]:
    """Sets logs up; a meter that is served while the block runs, or measures nothing without a port.

    Raises UsageError where the port cannot be had.
    """
    if port is None:
        set_up_logs()
        yield Meter()
        return
    meter = PrometheusMeter()
    set_up_logs(meter)
    with serving(meter, host, port):
        yield meter
