"""What the real files hold, counted straight from them with nothing but the standard library.

Comes in: lines of the files. Goes out: counts and sums that the platform must come to as well.
Never imports the platform: the two must agree without knowing each other.
"""

import csv
import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Event = dict[str, Any]
HourCounts = Counter[tuple[str, str, str]]
"""(data type, day as yyyy-mm-dd, hour as hh) to records."""

Reading = Callable[[Any], bool]


def lines(file: Path) -> list[bytes]:
    """The file's lines without their ends."""
    with gzip.open(file) as stream:
        return stream.read().splitlines()


def rows(file: Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV file with a header."""
    with gzip.open(file, "rt", encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def sha256s(some: Iterable[bytes]) -> Counter[str]:
    """The multiset of lines, by hash, so that a difference prints short."""
    return Counter(hashlib.sha256(line).hexdigest() for line in some)


def day_and_hour(moment: datetime) -> tuple[str, str]:
    """The UTC day and hour of an aware datetime."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%d}", f"{utc:%H}"


def by_type_and_hour(
    some: Iterable[bytes], data_type: Callable[[Event], str], time: Callable[[Event], datetime]
) -> HourCounts:
    """Records per data type, day and hour of JSON lines."""
    return Counter(
        (data_type(event), *day_and_hour(time(event))) for event in map(json.loads, some)
    )


def a_string(value: object) -> bool:
    return isinstance(value, str)


def a_boolean(value: object) -> bool:
    return isinstance(value, bool)


def a_long(value: object) -> bool:
    """A whole number of 64 bits."""
    return type(value) is int and -(2**63) <= value < 2**63


def list_of(item: Reading) -> Reading:
    """A list whose items each are null or an `item`."""
    return lambda value: isinstance(value, list) and all(one is None or item(one) for one in value)


def object_of(required: Iterable[str] = (), **fields: Reading) -> Reading:
    """An object with every `required` field, whose `fields` are null, absent or as they say."""
    return lambda value: (
        isinstance(value, dict)
        and all(value.get(name) is not None for name in required)
        and all(value.get(name) is None or fits(value[name]) for name, fits in fields.items())
    )


def split(
    some: Iterable[bytes], fits: Reading, key: Callable[[Event], tuple[object, ...]]
) -> tuple[list[Event], int, int]:
    """The events that fit, each key once, with the numbers of rejected and of repeated ones."""
    kept: dict[tuple[object, ...], Event] = {}
    rejected = repeated = 0
    for event in map(json.loads, some):
        if not fits(event):
            rejected += 1
        elif key(event) in kept:
            repeated += 1
        else:
            kept[key(event)] = event
    return list(kept.values()), rejected, repeated


def groups(
    events: Iterable[Event], key: Callable[[Event], tuple[Any, ...]]
) -> dict[tuple[Any, ...], list[Event]]:
    """The events by key."""
    found: dict[tuple[Any, ...], list[Event]] = {}
    for event in events:
        found.setdefault(key(event), []).append(event)
    return found
