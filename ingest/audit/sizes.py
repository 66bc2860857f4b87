"""How large the objects are that readers open, by data type: many small ones are slow to read.

Comes in: listed objects and which version of each hour is read. Goes out: `Sizes`. Pure.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median

from ingest.audit.facts import Listed
from ingest.audit.records import HourObject
from ingest.land.hourlog import Hour

MIB = 1024 * 1024
SMALL = MIB
LARGE = 128 * MIB
"""What readers like best is about this: a split of Spark's."""


@dataclass(frozen=True)
class Sizes:
    """Objects of one data type, as stored. Shares are of the count, 0 to 1."""

    data_type: str
    objects: int
    bytes: int
    median: float
    below_small: float
    below_large: float


def sizes_of(listed: Iterable[Listed], read: Mapping[Hour, int | None]) -> Iterator[Sizes]:
    """A row a data type. `read`: the version that Glue points at, the base folder where absent."""
    found: dict[str, list[int]] = defaultdict(list)
    for held in listed:
        place = HourObject.parse(held.key)
        if place is not None and place.version == (read.get(place.hour) or 0):
            found[place.hour.data_type].append(held.size)
    for data_type, sizes in sorted(found.items()):
        yield Sizes(
            data_type,
            len(sizes),
            sum(sizes),
            median(sizes),
            sum(size < SMALL for size in sizes) / len(sizes),
            sum(size < LARGE for size in sizes) / len(sizes),
        )
