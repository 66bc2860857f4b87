"""moto's Kinesis made to behave as Kinesis does where landing depends on it.

Comes in: moto's classes. Goes out: the same, with what moto leaves out or does otherwise:
- sequence numbers of 56 digits with gaps between them; moto counts 1, 2, 3 in each shard;
- a split or merge leaves the parents' records where they are and sends new ones to the children; moto
  copies them to the children, or back, and goes on to write to the parents;
- a closed shard that is read to its end gives no further iterator, but its children;
- records older than the retention are dropped, and passed over without a word; a tag
  `sandbox:retention-seconds` on the stream makes that sooner than Kinesis's 24 hours, and the
  retention that the stream tells is then that in whole hours;
- an answer holds 10,000 records or 10 MiB at most; a shard answers five times a second;
- iterators expire after five minutes; records tell their encryption.
Nothing else is changed.
"""

import base64
import threading
import time
from collections import deque
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.core.utils import unix_time
from moto.kinesis import models, responses, urls
from moto.kinesis.utils import (
    compose_new_shard_iterator,
    compose_shard_iterator,
    decompose_shard_iterator,
)
from moto.utilities.utils import md5_hash

FIRST = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898
"""Where sequence numbers begin, as on a stream of AWS's own."""
SHARD_STEP = 22_300_745_198_530_623_141_535_718_272_648_361_505_980_416
"""Between the first sequence numbers of two shards of one stream."""
MOST_RECORDS, MOST_BYTES = 10_000, 10 << 20
ANSWERS_A_SECOND = 5
ITERATOR_S = 300
RETENTION_TAG = "sandbox:retention-seconds"


class Shard(models.Shard):
    """A shard whose records stay, with Kinesis's sequence numbers."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.starting = FIRST + self._shard_id * SHARD_STEP
        self.last = self.starting
        self.answered: deque[float] = deque(maxlen=ANSWERS_A_SECOND)
        self.lock = threading.Lock()

    def put_record(self, partition_key: str, data: str, explicit_hash_key: str) -> str:
        with self.lock:
            # gaps that differ from record to record, and from shard to shard
            self.last += 16 * (1 + (len(self.records) * 7 + self._shard_id) % 1_000)
            record = models.Record(partition_key, data, self.last, explicit_hash_key)
            self.records[self.last] = record
        return str(self.last)

    def drop_older_than(self, seconds: float) -> None:
        """Drop the oldest records."""
        horizon = unix_time() - seconds
        with self.lock:
            for number in list(self.records):
                if self.records[number].created_at >= horizon:
                    break
                del self.records[number]

    def get_records(self, last_sequence_id: str, limit: int | None) -> tuple[list[Any], int, int]:
        taken: list[Any] = []
        size, at = 0, int(last_sequence_id)
        with self.lock:
            rest = [r for number, r in self.records.items() if number > at]
        for record in rest[: limit or MOST_RECORDS]:
            size += len(record.data) * 3 // 4
            if size > MOST_BYTES and taken:
                break
            taken.append(record)
        if taken:
            at = taken[-1].sequence_number
        if len(taken) == len(rest):
            return taken, at, 0
        return taken, at, max(1, int((unix_time() - taken[-1].created_at) * 1000))

    def answers(self) -> bool:
        """Whether the shard may be asked once more this second."""
        now = time.monotonic()
        if len(self.answered) == ANSWERS_A_SECOND and now - self.answered[0] < 1:
            return False
        self.answered.append(now)
        return True

    def to_json(self) -> dict[str, Any]:
        found: dict[str, Any] = super().to_json()
        found["SequenceNumberRange"]["StartingSequenceNumber"] = str(self.starting)
        if not self.is_open:
            found["SequenceNumberRange"]["EndingSequenceNumber"] = str(self.last)
        return found


class Stream(models.Stream):
    """A stream that is resharded as Kinesis does it."""

    def get_shard_for_key(self, partition_key: str, explicit_hash_key: str) -> Any:
        shard = super().get_shard_for_key(partition_key, explicit_hash_key)
        while shard is not None and not shard.is_open:
            digest = md5_hash(partition_key.encode()).hexdigest()
            key = int(explicit_hash_key) if explicit_hash_key else int(digest, 16)
            shard = next(
                child for child in self.children(shard)
                if child.starting_hash <= key <= child.ending_hash
            )  # fmt: skip
        return shard

    def children(self, shard: models.Shard) -> list[models.Shard]:
        """The shards that a split or merge of `shard` made."""
        name = shard.shard_id
        return [one for one in self.shards.values() if name in (one.parent, one.adjacent_parent)]

    def split_shard(self, shard_to_split: str, new_starting_hash_key: str) -> None:
        parent = self.shards[shard_to_split]
        kept, parent.records = parent.records, {}
        super().split_shard(shard_to_split, new_starting_hash_key)
        parent.records = kept

    def merge_shards(self, shard_to_merge: str, adjacent_shard_to_merge: str) -> None:
        parents = [self.shards[shard_to_merge], self.shards[adjacent_shard_to_merge]]
        kept = [parent.records for parent in parents]
        for parent in parents:
            parent.records = {}
        super().merge_shards(shard_to_merge, adjacent_shard_to_merge)
        for parent, records in zip(parents, kept, strict=True):
            parent.records = records

    def to_json_summary(self) -> dict[str, Any]:
        found: dict[str, Any] = super().to_json_summary()
        hours = int(self.retention_seconds() / 3600)
        found["StreamDescriptionSummary"]["RetentionPeriodHours"] = hours
        return found

    def retention_seconds(self) -> float:
        """How long a record is kept."""
        return float(self.tags.get(RETENTION_TAG, self.retention_period_hours * 3600))


class KinesisResponse(responses.KinesisResponse):
    """GetShardIterator and GetRecords as Kinesis answers them."""

    def get_shard_iterator(self) -> ActionResult:
        stream: Any = self.kinesis_backend.describe_stream(
            self._get_param("StreamARN"), self._get_param("StreamName")
        )
        shard = stream.shards.get(self._get_param("ShardId"))
        number = self._get_param("StartingSequenceNumber")
        if shard is not None and number is not None and int(number) < shard.starting:
            raise JsonRESTError(
                "InvalidArgumentException",
                f"StartingSequenceNumber {number} used in GetShardIterator on shard "
                f"{shard.shard_id} in stream {stream.stream_name} is invalid because it did not "
                "come from this stream.",
            )
        super().get_shard_iterator()
        found = compose_new_shard_iterator(
            stream.stream_name,
            shard,
            self._get_param("ShardIteratorType"),
            number,
            self._get_param("Timestamp"),
        )
        return ActionResult({"ShardIterator": _dated(found)})

    def get_records(self) -> ActionResult:
        made_at, plain = _undated(self._get_param("ShardIterator"))
        name, shard_name, after = decompose_shard_iterator(plain)
        stream: Any = self.kinesis_backend.describe_stream(None, name)
        shard = stream.get_shard(shard_name)
        if time.time() - made_at > ITERATOR_S:
            raise JsonRESTError("ExpiredIteratorException", "Iterator expired.")
        if not shard.answers():
            raise JsonRESTError(
                "ProvisionedThroughputExceededException",
                f"Rate exceeded for shard {shard_name} in stream {name}.",
            )
        shard.drop_older_than(stream.retention_seconds())
        records, last, behind = shard.get_records(after, self._get_param("Limit"))
        following: dict[str, Any] = {}
        if shard.is_open or behind:
            again = compose_shard_iterator(name, shard, last)
            following["NextShardIterator"] = _dated(again)
        else:
            following["ChildShards"] = [
                {
                    "ShardId": child.shard_id,
                    "ParentShards": [p for p in (child.parent, child.adjacent_parent) if p],
                    "HashKeyRange": child.to_json()["HashKeyRange"],
                }
                for child in stream.children(shard)
            ]
        told = [{**r.to_json(), "EncryptionType": stream.encryption_type} for r in records]
        return ActionResult({"Records": told, "MillisBehindLatest": behind, **following})


def _dated(iterator: str) -> str:
    return base64.b64encode(f"{time.time()} {iterator}".encode()).decode()


def _undated(iterator: str) -> tuple[float, str]:
    made_at, _, plain = base64.b64decode(iterator).decode().partition(" ")
    return float(made_at), plain


def correct() -> None:
    """Put these classes in the place of moto's."""
    setattr(models, "Shard", Shard)  # noqa: B010 — mypy lets no class be replaced
    setattr(models, "Stream", Stream)  # noqa: B010
    urls.url_paths = dict.fromkeys(urls.url_paths, KinesisResponse.dispatch)
