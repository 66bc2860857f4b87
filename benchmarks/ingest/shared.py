"""One lander against two that share the partitions by the group: wall time until all is landed.

Comes in: a topic that was sent twice over. Goes out: a line of Markdown. On two cores the broker and
the object store take their share, so twice the speed is not to be had; what is seen is that they share.
"""

import json
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.ingest import check
from benchmarks.ingest.ground import PARTITIONS, Ground
from benchmarks.ingest.sinks import LAND, RAW, Task, land_command, own_variables
from benchmarks.ingest.workload import Workload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LIMIT = 600
"""Seconds that landing may take."""


def shared(stage: Ground, workload: Workload, folder: Path) -> str:
    """Land the topic with one lander, then with two."""
    one, two = (_seconds(stage, workload, count, folder) for count in (1, 2))
    return (
        f"Landers that share the partitions of `{workload.name}`, two passes: one {one:.1f} s, "
        f"two {two:.1f} s from start to end, {one / two:.2f} times as fast.\n"
    )


def _seconds(stage: Ground, workload: Workload, count: int, folder: Path) -> float:
    """From the first start until the chains reach the topic's end."""
    s3, bucket, wanted = stage.s3, "bench", 2 * workload.records
    with tempfile.TemporaryDirectory(dir=folder) as own, (folder / "log").open("wb") as log:
        task = Task(workload, workload.name, bucket, stage.variables, Path(own))
        command = [*land_command(task), "--cut-seconds", "2"]
        variables = own_variables(task, LAND)
        began = time.monotonic()
        processes = [
            subprocess.Popen(command, env=variables, stdout=log, stderr=log) for _ in range(count)
        ]
        try:
            while _landed(s3, bucket, workload.name) < wanted:
                if time.monotonic() - began > LIMIT or any(p.poll() for p in processes):
                    raise RuntimeError(f"{count} landers do not come to the end")
                time.sleep(0.1)
            took = time.monotonic() - began
        finally:
            for process in processes:
                process.send_signal(signal.SIGTERM)
            for process in processes:
                process.wait(60)
    found = sum(check.landed(s3, bucket, RAW).values())
    if found != wanted:
        raise RuntimeError(f"{count} landers: {found} records of {wanted}")
    check.empty(s3, bucket)
    return took


def _landed(s3: "S3Client", bucket: str, topic: str) -> int:
    """Offsets that the chains of all partitions hold."""
    reached = 0
    for number in range(PARTITIONS):
        prefix = f"production-logs/_cuts/{topic}/{number}/"
        found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        if found:
            last = s3.get_object(Bucket=bucket, Key=found[-1]["Key"])["Body"].read()
            reached += json.loads(last)["next"]
    return reached
