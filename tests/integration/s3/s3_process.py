"""Processes that land, compact or write on a bucket, and die or stop where a test wants it.

Reads tasks from stdin, a JSON object a line; forks a process for each, and answers with its pid;
`{"wait": pid}` is answered with its exit code. The kill is SIGKILL: nothing is flushed, closed or
told. Forked, for importing what they need costs more than their work.
"""

import http.client
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[2]), str(HERE.parents[1] / "unit" / "ingest")]

from s3_stage import LIMIT, Place, Stage  # noqa: E402 — the path is set above

from datacore.errors import DatacoreError  # noqa: E402
from ingest.land.bucket import Bucket  # noqa: E402

LARGE = 4 << 20
"""Bytes of a body of which half is sent."""


class DoomedBucket(Bucket):
    """Dies at the change of number `at` (from 0): before it is asked for, or once it is made.

    With SIGSTOP as `by` it stops there, until somebody lets it go on.
    """

    at = -1
    after = False
    by = signal.SIGKILL

    def __init__(self, client: Any, name: str) -> None:
        super().__init__(client, name)
        self._changes = 0
        self._counting = threading.Lock()

    def put_new(self, key: str, data: bytes, metadata: Mapping[str, str] | None = None) -> bool:
        last = self._is_last()
        new = super().put_new(key, data, metadata)
        if last:
            self._meet()
        return new

    def remove(self, keys: Iterable[str]) -> None:
        last = self._is_last()
        super().remove(keys)
        if last:
            self._meet()

    def _is_last(self) -> bool:
        with self._counting:
            number, self._changes = self._changes, self._changes + 1
        if number == self.at and not self.after:
            self._meet()
        return number == self.at and self.after

    def _meet(self) -> None:
        os.kill(os.getpid(), self.by)


def die_halfway() -> None:
    """From now on the process dies when half of a body of `LARGE` bytes is sent."""
    whole, sent = http.client.HTTPConnection.send, 0

    def send(self: http.client.HTTPConnection, data: Any) -> None:
        nonlocal sent
        whole(self, data)
        sent += len(data)
        if sent > LARGE // 2:
            os.kill(os.getpid(), signal.SIGKILL)

    http.client.HTTPConnection.send = send  # type: ignore[method-assign]


def work(stage: Stage, task: dict[str, Any]) -> None:
    """Do a task in this process."""
    DoomedBucket.at, DoomedBucket.after = task.get("at", -1), task.get("after", False)
    DoomedBucket.by = signal.Signals(task.get("by", signal.SIGKILL))
    if task["do"] == "land":
        stage.land(task["name"])
    elif task["do"] == "compact":
        stage.compact(task["name"])
    else:
        die_halfway()
        stage.bucket.put_new(task["key"], b"x" * LARGE)


def fork(task: dict[str, Any]) -> int:
    """The pid of a new process that does the task."""
    stage = Stage(Place(**task["place"]), task["encrypts"], wrap=DoomedBucket)
    assert stage.s3  # the clients are made here once; they connect in the new process
    assert stage.glue
    pid = os.fork()
    if pid:
        return pid
    os.dup2(2, 1)  # what it logs is no answer
    signal.alarm(LIMIT)
    code = 1
    try:
        work(stage, task)
        code = 0
    except DatacoreError as error:
        code = int(error.exit_code)
    except BaseException:  # noqa: BLE001 — it must not go on as the server
        traceback.print_exc()
    os._exit(code)


def main() -> None:
    """Serve until stdin ends."""
    for line in sys.stdin:
        task = json.loads(line)
        if "wait" in task:
            answer = os.waitstatus_to_exitcode(os.waitpid(task["wait"], 0)[1])
        else:
            answer = fork(task)
        print(answer, flush=True)


if __name__ == "__main__":
    main()
