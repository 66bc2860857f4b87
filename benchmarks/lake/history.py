"""Raw days for the lake's benchmark: objects on S3, hours in Glue, entries in the hour log.

Comes in: a bucket, a registrar, a topic with a number of days. Goes out: days as landing leaves them,
without the hours that landing them through Kafka would take.
"""

import gzip
import json
import random
from dataclasses import dataclass, field

from ingest.land.bucket import Bucket
from ingest.land.event_time import MS_PER_HOUR
from ingest.land.hourlog import Ledger, hour_of
from ingest.land.manifest import Kind, LandedObject, Manifest
from ingest.land.objects import ROOT, hour_words
from ingest.register.registrar import Registrar

FIRST_HOUR = 24 * 20_440
"""Hours since 1970: the beginning of a day in the year 2025."""
HOURS = (0, 6, 12, 18)
"""Hours of a day that have data."""
RECORDS = 10_000
"""Of an hour."""
KINDS = ("view", "click", "search", "apply", "save")


@dataclass
class History:
    """A data type, the only one of its topic, whose days are written one after another."""

    bucket: Bucket
    registrar: Registrar
    data_type: str
    ledger: Ledger = field(init=False)
    number: int = 0

    def __post_init__(self) -> None:
        self.ledger = Ledger(f"{self.data_type}-topic")

    def days(self, count: int) -> None:
        """`count` days, an entry each."""
        for day in range(count):
            self.write([24 * day + hour for hour in HOURS])

    def write(self, hours: list[int]) -> None:
        """An object in each of these hours since the history began, and an entry that tells them."""
        dice = random.Random(self.number)  # noqa: S311 — rows, not secrets
        landed = []
        for hour in hours:
            dt, name = hour_words(FIRST_HOUR + hour)
            lines = b"".join(self._line(dice, dt, name, n) for n in range(RECORDS))
            key = (
                f"{ROOT}/{self.data_type}/{dt.replace('-', '/')}/{name}/"
                f"{self.ledger.topic}+0+{self.number:020}.jsonl.gz"
            )
            self.bucket.put_new(key, gzip.compress(lines, 1))
            landed.append(
                LandedObject(key, self.data_type, dt, name, RECORDS, len(lines), 0, "0" * 64)
            )
            self.number += RECORDS
        ends = (FIRST_HOUR + hours[-1] + 48) * MS_PER_HOUR
        first = self.number - RECORDS * len(hours)
        cut = Manifest(
            Kind.CUT, self.ledger.topic, "id", 0, first, self.number, self.number - first, "r", "l",
            "2027-01-02T00:00:00.000Z", min_timestamp=ends, max_timestamp=ends, objects=tuple(landed),
        )  # fmt: skip
        entry = self.ledger.next_entry({0: [cut]}, set(), ends, 0, cut.written_at)
        assert entry is not None
        self.registrar.hours({hour_of(one) for one in landed})
        self.registrar.block(self.ledger.topic, 0)
        self.bucket.put_new(entry.key, entry.to_json())
        self.ledger.apply(entry)

    def _line(self, dice: random.Random, dt: str, hour: str, number: int) -> bytes:
        record = {
            "event_id": f"{self.number + number}",
            "kind": dice.choice(KINDS),
            "user_id": f"u{dice.randrange(5_000)}",
            "value": dice.randrange(1_000),
            "occurred_at": f"{dt}T{hour}:{number % 60:02}:00.000Z",
        }
        return json.dumps(record).encode() + b"\n"
