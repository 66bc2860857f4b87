"""The router: a record's bytes to a data type and hour, or to quarantine with a reason.

Comes in: a Kafka value and its timestamp. Goes out: `Landing` or `Rejection`, for any bytes
whatever; it never raises and never changes a record. It is a pure function of value, timestamp and
rules. The hot path decodes only the fields that routing needs; whatever that refuses is read
again by the standard library, whose word on what is JSON is final (RFC 8259, without NaN).
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from enum import StrEnum
from itertools import accumulate
from operator import attrgetter
from typing import Any, Final, NamedTuple, NoReturn, cast

import msgspec

from datacore.errors import shorten
from ingest.land.event_time import (
    LAST_MS,
    MS_PER_HOUR,
    BadEventTime,
    event_ms,
    hour_of_timestamp,
)
from ingest.land.rules import Rule, Rules

UNCLAIMED: Final = "unclaimed"
"""The data type of records that no contract claims."""

STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
NOT_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))
STEP = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}
ABSENT: Any = msgspec.UNSET

Target = tuple[Rule, int | None]
"""A rule and the place of its event time among the decoded values."""


Like = tuple[Any, str, str]
"""What a record is like: the fields that tell data types apart, the first 14 characters of its
event time, and the last. 1, 1.0 and true are alike to Python, but no contract matches any of them."""

NOT_PLAIN = (
    ValueError,
    msgspec.DecodeError,
    RecursionError,
    AttributeError,
    TypeError,
    IndexError,
)
"""What reading a record's fields raises where it is no JSON object, or they are not of a plain
form; UnicodeDecodeError is a ValueError."""


class Reason(StrEnum):
    """Why a record was set aside. docs/ingest.md has the table."""

    NO_VALUE = "no_value"
    TOO_LARGE = "too_large"
    NOT_UTF8 = "not_utf8"
    NOT_ONE_LINE = "not_one_line"
    TOO_DEEP = "too_deep"
    NOT_JSON = "not_json"
    NOT_OBJECT = "not_object"
    NO_TIME = "no_time"
    BAD_TIME = "bad_time"
    FUTURE_TIME = "future_time"


class Landing(NamedTuple):
    """Where a record lands. `hour` counts hours since 1970, UTC."""

    data_type: str
    hour: int


class Rejection(NamedTuple):
    """Why a record is set aside; `field` and `found` where one field is to blame."""

    reason: Reason
    data_type: str | None = None
    field: str | None = None
    found: str | None = None


class Router:
    """Routes the records of one topic."""

    def __init__(self, rules: Rules, topic: str) -> None:
        self._limits = rules.limits
        claims = [rule for rule in rules.claims if rule.topic == topic]
        paths = sorted(
            {rule.event_time for rule in claims if rule.event_time is not None}
            | {rule.match_field for rule in claims if rule.match_field is not None}
        )
        slots = {path: place for place, path in enumerate(paths)}
        self._paths = [path.split(".") for path in paths]
        tree = _tree(self._paths)
        self._read = [_getter(_steps(tree, path)) for path in self._paths]
        self._short = min(2 * rules.limits.depth, rules.limits.line_bytes)
        """JSON of so many bytes does not nest deeper than the limit: a level takes two."""

        self.decode = msgspec.json.Decoder(_struct(tree)).decode
        """A record's bytes to a Struct of the fields that routing needs, or msgspec's errors."""
        names = {path: ".".join(_steps(tree, path.split("."))) for path in paths}
        self.pick = _picker([names[path] for path in paths])
        """That Struct to a tuple of the fields, as `steady` takes them; raises AttributeError."""
        clocks = Counter(rule.event_time for rule in claims if rule.event_time is not None)
        clock = max(clocks, key=clocks.__getitem__) if clocks else None
        self._clock_slot = slots.get(clock) if clock is not None else None
        self.clock: Callable[[Any], Any] = (
            attrgetter(names[clock]) if clock is not None else _nothing
        )
        """The field that is the event time of most data types of the topic."""
        matched = sorted({rule.match_field for rule in claims if rule.match_field is not None})
        self.match: Callable[[Any], Any] = (
            attrgetter(*[names[path] for path in matched]) if matched else _nothing
        )
        """The fields that tell data types apart, as one value."""
        self._tables: list[tuple[int, dict[str, Target]]] = []
        self._rest: Target | None = None
        for rule in claims:
            target = (rule, None if rule.event_time is None else slots[rule.event_time])
            if rule.match_field is None or rule.match_value is None:
                self._rest = self._rest or target
                continue
            place = slots[rule.match_field]
            table = next((known for slot, known in self._tables if slot == place), None)
            if table is None:
                table = {}
                self._tables.append((place, table))
            table.setdefault(rule.match_value, target)

    def route(self, value: bytes | None, timestamp_ms: int) -> Landing | Rejection:
        """Where the record goes. `timestamp_ms` is Kafka's (below 0: unknown, taken as 0)."""
        flaw = self._flaw(value)
        if flaw is not None:
            return Rejection(flaw)
        assert value is not None
        try:
            record = self.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            document = _second_opinion(value)
            if isinstance(document, Reason):
                return Rejection(document)
            found = tuple(_walk(document, path) for path in self._paths)
        else:
            found = tuple([get(record) for get in self._read])
        claim = self._claim(found)
        if claim is None:
            return Landing(UNCLAIMED, hour_of_timestamp(timestamp_ms))
        rule, place = claim
        if place is None:
            return Landing(rule.data_type, hour_of_timestamp(timestamp_ms))
        return self._by_time(rule, found[place], timestamp_ms)

    def sound(self, values: Sequence[bytes | None]) -> Sequence[bytes | None]:
        """`values`, with something that is no JSON in the place of each that has a flaw.

        The bytes are looked at together: where all are ASCII and none breaks the line, none does.
        """
        try:
            together = b"".join(values)  # type: ignore[arg-type]  # None raises TypeError
        except TypeError:
            return [self._if_sound(value) for value in values]
        if b"\n" in together or b"\r" in together:
            return [self._if_sound(value) for value in values]
        found = cast("Sequence[bytes]", values)
        if not together.isascii():
            found = [value if value.isascii() or _is_utf8(value) else b"" for value in found]
        if max(map(len, found)) <= self._short:
            return found
        # of JSON's levels an object takes five bytes at least (`{"":}`), an array two, and its `[`
        most, depth = self._limits.line_bytes, self._limits.depth
        return [
            value
            if (size := len(value)) <= most
            and (
                size + 3 * (size - len(value.replace(b"[", b""))) <= 5 * depth
                or not _deeper(value, depth)
            )
            else None
            for value in found
        ]

    def _if_sound(self, value: bytes | None) -> bytes | None:
        return value if self._flaw(value) is None else None

    def steady(self, fields: tuple[Any, ...], low_ms: int, high_ms: int) -> Landing | None:
        """Where a sound record with these `fields` lands, whatever its Kafka timestamp in
        [low_ms, high_ms]; None where that decides, or where it may not land.
        """
        if low_ms < 0 or high_ms > LAST_MS:
            return None
        rule, place = self._claim(fields) or (None, None)
        if rule is None or place is None:
            hour = low_ms // MS_PER_HOUR
            data_type = rule.data_type if rule else UNCLAIMED
            return Landing(data_type, hour) if hour == high_ms // MS_PER_HOUR else None
        try:
            moment = event_ms(fields[place], rule.time_unit)
        except BadEventTime:
            return None
        if moment > low_ms + self._limits.future_ms:
            return None
        return Landing(rule.data_type, moment // MS_PER_HOUR)

    def tells_hours(self, value: bytes | None) -> bool:
        """Whether `value` has an event time of the form that `alike` is about."""
        try:
            text = self.clock(self.decode(value))  # type: ignore[arg-type]  # None: TypeError
        except NOT_PLAIN:
            return False
        return type(text) is str and text[13:14] == ":" and text[-1] == "Z"

    def alike(self, fields: tuple[Any, ...], like: Like, landing: Landing, low_ms: int) -> bool:
        """Whether `steady` gives `landing` for every record that is like the one with `fields`.

        Of a text that `fromisoformat` takes, has `:` in the fourteenth place and ends with `Z`,
        what stands before that place is date and hour, in every form of ISO 8601 that it knows.
        """
        _, begin, end = like
        claim = self._claim(fields)
        if claim is None or claim[1] is None:
            return True
        hour_end = (landing.hour + 1) * MS_PER_HOUR - 1
        return (
            claim[1] == self._clock_slot
            and begin[13:] == ":"
            and end == "Z"
            and hour_end <= low_ms + self._limits.future_ms
        )

    def _flaw(self, value: bytes | None) -> Reason | None:
        """What can be said of the bytes without reading them as JSON."""
        if value is None:
            return Reason.NO_VALUE
        if len(value) > self._limits.line_bytes:
            return Reason.TOO_LARGE
        if not value.isascii() and not _is_utf8(value):
            return Reason.NOT_UTF8
        if b"\n" in value or (b"\r" in value and value.index(b"\r") != len(value) - 1):
            return Reason.NOT_ONE_LINE
        if _deeper(value, self._limits.depth):
            return Reason.TOO_DEEP
        return None

    def _claim(self, found: tuple[Any, ...]) -> Target | None:
        for place, table in self._tables:
            key = found[place]
            if type(key) is str and key in table:
                return table[key]
        return self._rest

    def _by_time(self, rule: Rule, value: Any, timestamp_ms: int) -> Landing | Rejection:
        if value is ABSENT or value is None:
            return Rejection(Reason.NO_TIME, rule.data_type, rule.event_time)
        try:
            moment = event_ms(value, rule.time_unit)
        except BadEventTime:
            return _rejected_time(Reason.BAD_TIME, rule, value)
        if timestamp_ms >= 0 and moment > timestamp_ms + self._limits.future_ms:
            return _rejected_time(Reason.FUTURE_TIME, rule, value)
        return Landing(rule.data_type, moment // MS_PER_HOUR)


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _rejected_time(reason: Reason, rule: Rule, value: Any) -> Rejection:
    return Rejection(reason, rule.data_type, rule.event_time, shorten(value))


def _tree(paths: list[list[str]]) -> dict[str, Any]:
    """The fields to decode, by name; below each the fields in it, or None for its value."""
    tree: dict[str, Any] = {}
    for path in paths:
        node = tree
        for name in path[:-1]:
            below = node.get(name)
            node[name] = node = below if isinstance(below, dict) else {}
        node.setdefault(path[-1], None)
    return tree


def _struct(tree: dict[str, Any]) -> type[msgspec.Struct]:
    """A Struct of the tree's fields; a name may be anything, so fields are numbered."""
    fields: list[tuple[str, Any, Any]] = []
    for place, below in enumerate(tree.values()):
        kind = Any if below is None else _struct(below) | None
        fields.append((f"f{place}", kind, ABSENT))
    names = {f"f{place}": name for place, name in enumerate(tree)}
    # without cycles there is nothing for the garbage collector to do
    return msgspec.defstruct("Fields", fields, rename=names, gc=False)


def _steps(tree: dict[str, Any], path: list[str]) -> list[str]:
    """The attributes that lead to `path` in a Struct of `tree`."""
    steps: list[str] = []
    for name in path:
        steps.append(f"f{list(tree).index(name)}")
        tree = tree[name] or {}
    return steps


def _getter(steps: list[str]) -> Callable[[Any], Any]:
    def get(record: Any) -> Any:
        for step in steps:
            if record is ABSENT or record is None:
                return ABSENT
            record = getattr(record, step)
        return record

    return get


def _picker(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """All at once. `attrgetter` of one name gives no tuple, so the last is read twice."""
    return attrgetter(*names, names[-1]) if names else _nothing


def _nothing(_: Any) -> tuple[Any, ...]:
    return ()


def _walk(document: Any, path: list[str]) -> Any:
    for name in path:
        if not isinstance(document, dict) or name not in document:
            return ABSENT
        document = document[name]
    return document


def _second_opinion(value: bytes) -> dict[str, Any] | Reason:
    """The record as the standard library reads it, or why it is none."""
    try:
        document = json.loads(value.decode(), parse_constant=_no_constant, parse_int=_any_int)
    except RecursionError:
        return Reason.TOO_DEEP
    except ValueError:
        return Reason.NOT_JSON
    return document if isinstance(document, dict) else Reason.NOT_OBJECT


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _any_int(digits: str) -> int | float:
    """Python refuses to read thousands of digits as an int; as a time they are wrong anyway."""
    return int(digits) if len(digits) < 400 else float(digits)


def _deeper(value: bytes, limit: int) -> bool:
    """Whether `value` nests deeper than `limit`. Counting brackets answers nearly always."""
    size = len(value)
    # what is left without them counts them faster than `count` does
    if size <= limit or (
        2 * size - len(value.replace(b"{", b"")) - len(value.replace(b"[", b"")) <= limit
    ):
        return False
    brackets = STRINGS.sub(b"", value).translate(None, NOT_BRACKETS)
    return max(accumulate(map(STEP.__getitem__, brackets)), default=0) > limit
