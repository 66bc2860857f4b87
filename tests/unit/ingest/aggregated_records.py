"""Aggregated records as the Kinesis Producer Library makes them, by Google's own library."""

import hashlib
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from ingest.land.aggregation import MAGIC


def _message() -> Any:
    """AggregatedRecord as its documentation describes it."""
    file = descriptor_pb2.FileDescriptorProto(name="aggregated.proto", syntax="proto2")
    kinds = descriptor_pb2.FieldDescriptorProto
    tag, record, whole = (
        file.message_type.add(name=n) for n in ("Tag", "Record", "AggregatedRecord")
    )
    fields = [
        (tag, "key", 1, kinds.TYPE_STRING, kinds.LABEL_REQUIRED, None),
        (tag, "value", 2, kinds.TYPE_STRING, kinds.LABEL_OPTIONAL, None),
        (record, "partition_key_index", 1, kinds.TYPE_UINT64, kinds.LABEL_REQUIRED, None),
        (record, "explicit_hash_key_index", 2, kinds.TYPE_UINT64, kinds.LABEL_OPTIONAL, None),
        (record, "data", 3, kinds.TYPE_BYTES, kinds.LABEL_REQUIRED, None),
        (record, "tags", 4, kinds.TYPE_MESSAGE, kinds.LABEL_REPEATED, ".Tag"),
        (whole, "partition_key_table", 1, kinds.TYPE_STRING, kinds.LABEL_REPEATED, None),
        (whole, "explicit_hash_key_table", 2, kinds.TYPE_STRING, kinds.LABEL_REPEATED, None),
        (whole, "records", 3, kinds.TYPE_MESSAGE, kinds.LABEL_REPEATED, ".Record"),
    ]
    for message, name, number, kind, label, type_name in fields:
        message.field.add(name=name, number=number, type=kind, label=label, type_name=type_name)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("AggregatedRecord"))


AGGREGATED = _message()


def packed(lines: list[bytes], tags: int = 0) -> bytes:
    message = AGGREGATED(partition_key_table=["key"], explicit_hash_key_table=["1" * 38])
    for number, line in enumerate(lines):
        record = message.records.add(partition_key_index=number, data=line)
        if number % 2:
            record.explicit_hash_key_index = 2**63
        for tag in range(tags):
            record.tags.add(key=f"k{tag}", value="v")
    return around(message.SerializeToString())


def around(message: bytes) -> bytes:
    return MAGIC + message + hashlib.md5(message, usedforsecurity=False).digest()
