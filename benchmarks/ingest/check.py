"""Reads back what a sink wrote, and empties the bucket for the next.

Comes in: a bucket and the layout of its keys. Goes out: records by type and hour.
"""

import gzip
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from benchmarks.ingest.workload import Hour

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def keys(s3: "S3Client", bucket: str) -> list[str]:
    """All keys of a bucket."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [found["Key"] for page in pages for found in page.get("Contents", [])]


def landed(s3: "S3Client", bucket: str, layout: re.Pattern[str]) -> Counter[Hour]:
    """Lines by type (lower case) and hour, every object read."""

    def count(key: str) -> tuple[Hour, int] | None:
        named = layout.fullmatch(key)
        if named is None:
            return None
        lines = gzip.decompress(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        day = named["day"].replace("/", "-")
        return (named["type"].lower(), f"{day}T{named['hour']}"), lines.count(b"\n")

    found: Counter[Hour] = Counter()
    with ThreadPoolExecutor(4) as pool:
        for counted in pool.map(count, keys(s3, bucket)):
            if counted is not None:
                found[counted[0]] += counted[1]
    return found


def sizes(s3: "S3Client", bucket: str, layout: re.Pattern[str]) -> list[int]:
    """Bytes of each object that the layout names, ascending."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return sorted(
        found["Size"]
        for page in pages
        for found in page.get("Contents", [])
        if layout.fullmatch(found["Key"])
    )


def empty(s3: "S3Client", bucket: str) -> None:
    """Remove everything: the store keeps it in memory."""
    found = keys(s3, bucket)
    for start in range(0, len(found), 1000):
        some = [{"Key": key} for key in found[start : start + 1000]]
        s3.delete_objects(Bucket=bucket, Delete={"Objects": some, "Quiet": True})  # type: ignore[typeddict-item]
