"""The naive loop: a client, msgspec, igzip and put_object, with none of the guarantees.

`python -m benchmarks.ingest.naive CLIENT TOPIC BUCKET TYPE_FIELD TIME_FIELD`. It reads each partition
to its end and writes one object a type and hour. Nothing is checked, nothing survives a crash.
"""

import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import boto3
import msgspec
from isal import igzip

from benchmarks.ingest.floor import messages

HELD = 128 * 1024 * 1024
"""Bytes that are held before they are written."""


def main(client: str, topic: str, bucket: str, type_field: str, time_field: str) -> None:
    names = {"kind": type_field, "at": time_field}
    decode = msgspec.json.Decoder(
        msgspec.defstruct("Fields", [("kind", str), ("at", str)], rename=names)
    ).decode
    s3 = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    lines: dict[tuple[str, str], list[bytes]] = defaultdict(list)
    held = written = 0

    def write() -> None:
        for (kind, hour), found in lines.items():
            key = f"naive/{kind}/{hour}/{written:06}.gz"
            s3.put_object(Bucket=bucket, Key=key, Body=igzip.compress(b"\n".join(found) + b"\n", 1))
        lines.clear()

    for value in values(client, topic):
        found: Any = decode(value)
        lines[found.kind, found.at[:13]].append(value)
        held += len(value)
        if held >= HELD:
            write()
            held, written = 0, written + 1
    write()


def values(client: str, topic: str) -> Iterator[bytes]:
    """The values of all messages, as the client's users get them."""
    for batch in messages(client, topic):
        if client == "confluent":
            yield from (message.value() for message in batch)
        else:
            yield from (record.value for record in batch)


if __name__ == "__main__":
    main(*sys.argv[1:])
