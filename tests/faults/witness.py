"""An independent witness: what Kafka holds against what is on S3, with no code of the lander.

Every line of a topic carries a number of its own, so a line on S3 is known as one (partition, offset)
of Kafka. Keys and formats are read as docs/ingest.md has them.
"""

import base64
import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kafka import KafkaConsumer, TopicPartition

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client

ROOT = "production-logs"
SOURCE = re.compile(
    r"(?:(?P<topic>[a-z0-9_.-]+)(?:~(?P<g1>\d{4}))?\+)?(?P<partition>\d+)(?:~(?P<g2>\d{4}))?"
    r"\+(?P<first>\d{20})\.jsonl\.gz"
)
CLAIM = re.compile(r"(?:~(?P<generation>\d{4})\+)?(?P<first>\d{20})(?P<note>\.lost)?\.json")

Place = tuple[int, int]
"""Partition and offset."""


class Differs(AssertionError):
    """S3 does not hold what Kafka holds."""


@dataclass(frozen=True)
class Topic:
    """What Kafka holds of a topic now, as a reader of committed records sees it."""

    values: Mapping[Place, bytes]
    ends: Mapping[int, int]
    begins: Mapping[int, int]


def read_topic(address: str, topic: str) -> Topic:
    """Every committed record of a topic."""
    consumer = KafkaConsumer(
        bootstrap_servers=address,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="none",
        fetch_max_wait_ms=50,
    )
    try:
        partitions = [
            TopicPartition(topic, n) for n in sorted(consumer.partitions_for_topic(topic) or ())
        ]
        consumer.assign(partitions)
        begins, ends = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
        for partition in partitions:
            consumer.seek(partition, begins[partition])
        values: dict[Place, bytes] = {}
        while any(consumer.position(p) < ends[p] for p in partitions):
            for partition, records in consumer.poll(timeout_ms=1_000).items():
                for record in records:
                    values[partition.partition, record.offset] = record.value
        return Topic(
            values,
            {p.partition: end for p, end in ends.items()},
            {p.partition: begin for p, begin in begins.items()},
        )
    finally:
        consumer.close()


class Witness:
    """Reads one topic's objects in a bucket."""

    def __init__(self, s3: "S3Client", bucket: str, topic: str, data_type: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self.topic = topic
        self.data_type = data_type

    def keys(self, prefix: str) -> list[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"{ROOT}/{prefix}"
        )
        return [held["Key"] for page in pages for held in page.get("Contents", [])]

    def get(self, key: str) -> bytes:
        return self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()

    def lines(self, key: str) -> list[bytes]:
        """The lines of an object."""
        return gzip.decompress(self.get(key)).split(b"\n")[:-1]

    def object_keys(self) -> list[str]:
        """Raw and quarantine objects of the topic."""
        raw = [*self.keys(f"{self.data_type}/"), *self.keys("unclaimed/")]
        mine = [k for k in raw if re.search(rf"/{re.escape(self.topic)}(~\d+)?\+", k)]
        return [*mine, *self.keys(f"_quarantine/{self.topic}/")]

    def manifests(self) -> dict[int, list[dict[str, Any]]]:
        """Of each partition, in the order of their keys; notes of lost objects as well."""
        found: dict[int, list[dict[str, Any]]] = {}
        for key in self.keys(f"_cuts/{self.topic}/"):
            partition, name = key.split("/")[-2:]
            manifest = json.loads(self.get(key))
            claim = CLAIM.fullmatch(name)
            if claim is None:
                raise Differs(f"no manifest's name: {key}")
            named = (int(claim["generation"] or 0), int(claim["first"]))
            if named != (manifest["generation"], manifest["first"]) or bool(claim["note"]) != (
                manifest["kind"] == "lost_objects"
            ):
                raise Differs(f"{key} says {manifest}")
            found.setdefault(int(partition), []).append(manifest)
        return found

    def entries(self) -> list[dict[str, Any]]:
        """The hour log in order."""
        keys = [k for k in self.keys(f"_hours/{self.topic}/") if not k.endswith("_totals.json")]
        return sorted((json.loads(self.get(k)) for k in keys), key=lambda e: int(e["sequence"]))

    def landed(self) -> Counter[bytes]:
        """Every record's bytes, out of raw and quarantine objects."""
        values: Counter[bytes] = Counter()
        for key in self.object_keys():
            for line in self.lines(key):
                if "/_quarantine/" in key:
                    line = base64.b64decode(json.loads(line)["value"])
                values[line] += 1
        return values

    def check(self, kafka: Topic, glue: "GlueClient | None" = None) -> int:
        """Raise Differs unless S3 holds each record of Kafka once, by whole chains; the records.

        For a topic of one generation. What Kafka dropped must be recorded as lost.
        """
        chains = self.manifests()
        promised = self._check_chains(chains, kafka)
        found = self._check_objects(promised, kafka)
        wanted = Counter(kafka.values.keys())
        if found != wanted:
            missing, more = wanted - found, found - wanted
            raise Differs(f"missing on S3: {dict(missing)}; too many: {dict(more)}")
        hours = self._check_hours(promised, kafka)
        if glue is not None:
            self._check_glue(glue, hours)
        return found.total()

    def _check_chains(
        self, chains: dict[int, list[dict[str, Any]]], kafka: Topic
    ) -> dict[str, dict[str, Any]]:
        """Each chain goes from 0 to Kafka's end; every object that is promised, by key."""
        promised: dict[str, dict[str, Any]] = {}
        for partition, end in kafka.ends.items():
            at = 0
            for manifest in chains.get(partition, []):
                if manifest["kind"] not in ("cut", "lost") or manifest["first"] != at:
                    raise Differs(f"partition {partition} breaks off at {at}: {manifest}")
                at = manifest["next"]
                lost = manifest["kind"] == "lost"
                if lost and (at > kafka.begins[partition] or manifest["records"]):
                    raise Differs(f"told as lost, and Kafka holds it: {manifest}")
                for held in (*manifest["objects"], *manifest["quarantine"]):
                    promised[held["key"]] = held
            if at != end:
                raise Differs(f"the chain of {partition} ends at {at}, Kafka at {end}")
        return promised

    def _check_objects(self, promised: dict[str, dict[str, Any]], kafka: Topic) -> Counter[Place]:
        """Every object is promised and as promised; where its lines stand in Kafka."""
        places = {value: place for place, value in kafka.values.items()}
        keys = self.object_keys()
        if set(keys) != promised.keys():
            raise Differs(f"not promised, or not there: {set(keys) ^ promised.keys()}")
        found: Counter[Place] = Counter()
        for key in keys:
            text = gzip.decompress(self.get(key))
            lines = text.split(b"\n")[:-1]
            if hashlib.sha256(text).hexdigest() != promised[key]["sha256"]:
                raise Differs(f"{key} is not what its manifest promised")
            if len(lines) != promised[key]["records"]:
                raise Differs(f"{key} holds {len(lines)} lines: {promised[key]}")
            source = SOURCE.fullmatch(key.rsplit("/", 1)[1])
            if source is None:
                raise Differs(f"no object's name: {key}")
            inside: list[Place] = []
            for line in lines:
                if "/_quarantine/" in key:
                    told = json.loads(line)
                    place = (int(told["partition"]), int(told["offset"]))
                    if kafka.values.get(place) != base64.b64decode(told["value"]):
                        raise Differs(f"{key}: {place} holds another value in Kafka")
                else:
                    place = places.get(line, (-1, -1))
                inside.append(place)
            if inside != sorted(inside) or {p for p, _ in inside} != {int(source["partition"])}:
                raise Differs(f"{key} holds {inside}")
            if inside[0][1] < int(source["first"]):
                raise Differs(f"{key} begins at {inside[0]}")
            found.update(inside)
        return found

    def _check_hours(
        self, promised: dict[str, dict[str, Any]], kafka: Topic
    ) -> set[tuple[str, str]]:
        """The hour log counts what is on S3; the hours of the data type."""
        entries = self.entries()
        if [entry["sequence"] for entry in entries] != list(range(len(entries))):
            raise Differs(f"the hour log has gaps: {[e['sequence'] for e in entries]}")
        if not entries:
            if promised:
                raise Differs("there is no hour log")
            return set()
        if {int(p): o for p, o in entries[-1]["offsets"].items()} != kafka.ends:
            raise Differs(f"the hour log ends at {entries[-1]['offsets']}, Kafka at {kafka.ends}")
        told = {
            (h["data_type"], h["dt"], h["hour"]): h["records"] for e in entries for h in e["hours"]
        }
        counted: Counter[tuple[str, str, str]] = Counter()
        for held in promised.values():
            if "data_type" in held:
                counted[held["data_type"], held["dt"], held["hour"]] += held["records"]
        if told != counted:
            raise Differs(f"the hour log tells {told}, S3 holds {dict(counted)}")
        return {(dt, hour) for data_type, dt, hour in counted if data_type == self.data_type}

    def _check_glue(self, glue: "GlueClient", hours: set[tuple[str, str]]) -> None:
        pages = glue.get_paginator("get_partitions").paginate(
            DatabaseName="raw", TableName=self.data_type
        )
        known = {tuple(p["Values"]) for page in pages for p in page["Partitions"]}
        if known != hours:
            raise Differs(f"Glue has {known}, S3 {hours}")
