"""What Kafka says about topics: which exist, their partitions, limits and ends.

Comes in: an admin client. Goes out: plain facts, and a UsageError that names a missing topic.
Never makes a data topic: a typing mistake must not become one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec
from kafka.errors import for_code

from datacore.errors import UsageError

DEFAULT_MAX_MESSAGE_BYTES = 1_048_588
UNKNOWN_TOPIC = 3
"""UNKNOWN_TOPIC_OR_PARTITION in Kafka's protocol."""


@dataclass(frozen=True)
class Topic:
    """A topic as Kafka describes it. `id` changes when a topic is deleted and made again."""

    name: str
    id: str
    partitions: tuple[int, ...]


def missing_topic(name: str) -> UsageError:
    """The error for a topic that Kafka does not have."""
    return UsageError(
        f"topic {name!r} does not exist",
        f"make it (`datacore sandbox topic {name}` in the sandbox), or check the name",
    )


def describe(admin: KafkaAdminClient, names: Iterable[str]) -> dict[str, Topic]:
    """The topics of `names` that exist."""
    wanted = sorted(set(names) & set(admin.list_topics()))
    if not wanted:
        return {}
    return {
        found["name"]: _topic(found)
        for found in admin.describe_topics(wanted)
        if not found["error_code"]
    }


def describe_known(admin: KafkaAdminClient, name: str) -> Topic | None:
    """A topic that was there before, in one request; None where it is gone."""
    for found in admin.describe_topics([name]):
        if not found["error_code"]:
            return _topic(found)
        if found["error_code"] != UNKNOWN_TOPIC:
            raise for_code(found["error_code"])(name)
    return None


def _topic(found: Mapping[str, Any]) -> Topic:
    return Topic(
        name=found["name"],
        id=str(found["topic_id"] or ""),
        partitions=tuple(sorted(p["partition_index"] for p in found["partitions"])),
    )


def max_message_bytes(admin: KafkaAdminClient, topic: str) -> int:
    """The largest batch that the topic accepts, in bytes."""
    answer = admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, topic)], config_filter="all"
    )
    setting = answer.get("topic", {}).get(topic, {}).get("max.message.bytes", {})
    return int(setting.get("value") or DEFAULT_MAX_MESSAGE_BYTES)


def ends(
    admin: KafkaAdminClient, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, int]:
    """The offset after the last record of each partition, open transactions included."""
    answer = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
    return {partition: found.offset for partition, found in answer.items()}
