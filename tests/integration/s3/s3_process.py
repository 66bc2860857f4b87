"""A process that lands, compacts or writes on a bucket, and kills itself where a test wants it.

`python s3_process.py TASK`, TASK a JSON object. It says `ready`, waits for a line, works. The kill is
SIGKILL: nothing is flushed, closed or told.
"""

import http.client
import json
import os
import signal
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[2]), str(HERE.parents[1] / "unit" / "ingest")]

from s3_stage import Place, Stage  # noqa: E402 — the path is set above

from datacore.errors import DatacoreError  # noqa: E402
from ingest.land.bucket import Bucket  # noqa: E402

LARGE = 4 << 20
"""Bytes of a body of which half is sent."""


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DoomedBucket(Bucket):
    """Dies at the change of number `at` (from 0): before it is asked for, or once it is made."""

    at = -1
    after = False

    def __init__(self, client: Any, name: str) -> None:
        super().__init__(client, name)
        self._changes = 0
        self._counting = threading.Lock()

    def put_new(self, key: str, data: bytes, metadata: Mapping[str, str] | None = None) -> bool:
        last = self._is_last()
        new = super().put_new(key, data, metadata)
        if last:
            die()
        return new

    def remove(self, keys: Iterable[str]) -> None:
        last = self._is_last()
        super().remove(keys)
        if last:
            die()

    def _is_last(self) -> bool:
        with self._counting:
            number, self._changes = self._changes, self._changes + 1
        if number == self.at and not self.after:
            die()
        return number == self.at


def die_halfway() -> None:
    """From now on the process dies when half of a body of `LARGE` bytes is sent."""
    whole, sent = http.client.HTTPConnection.send, 0

    def send(self: http.client.HTTPConnection, data: Any) -> None:
        nonlocal sent
        whole(self, data)
        sent += len(data)
        if sent > LARGE // 2:
            die()

    http.client.HTTPConnection.send = send  # type: ignore[method-assign]


def main(task: dict[str, Any]) -> None:
    DoomedBucket.at, DoomedBucket.after = task.get("at", -1), task.get("after", False)
    stage = Stage(Place(**task["place"]), task["encrypts"], DoomedBucket)
    assert stage.registrar is not None
    print("ready", flush=True)
    sys.stdin.readline()
    if task["do"] == "land":
        stage.land(task["name"])
    elif task["do"] == "compact":
        stage.compact(task["name"])
    else:
        die_halfway()
        stage.bucket.put_new(task["key"], b"x" * LARGE)


if __name__ == "__main__":
    try:
        main(json.loads(sys.argv[1]))
    except DatacoreError as error:
        sys.exit(error.exit_code)
