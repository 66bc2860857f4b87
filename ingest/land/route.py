"""The router: a record's bytes to a data type and hour, or to quarantine with a reason.

Comes in: a Kafka value and its timestamp. Goes out: `Landing` or `Rejection`, for any bytes
whatever; it never raises and never changes a record. It is a pure function of value, timestamp and
rules. The hot path decodes only the fields that routing needs; whatever that refuses is read
again by the standard library, whose word on what is JSON is final (RFC 8259, without NaN).
"""

import json
import re
from collections.abc import Callable
from enum import StrEnum
from itertools import accumulate
from typing import Any, Final, NamedTuple, NoReturn

import msgspec

from datacore.errors import shorten
from ingest.land.event_time import MS_PER_HOUR, BadEventTime, event_ms
from ingest.land.rules import Rule, Rules

UNCLAIMED: Final = "unclaimed"
"""The data type of records that no contract claims."""

STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
NOT_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))
STEP = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}
ABSENT: Any = msgspec.UNSET

Target = tuple[Rule, int | None]
"""A rule and the place of its event time among the decoded values."""


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
        self._decode = _decoder(self._paths)
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
            found = self._decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            document = _second_opinion(value)
            if isinstance(document, Reason):
                return Rejection(document)
            found = tuple(_walk(document, path) for path in self._paths)
        claim = self._claim(found)
        if claim is None:
            return Landing(UNCLAIMED, max(timestamp_ms, 0) // MS_PER_HOUR)
        rule, place = claim
        if place is None:
            return Landing(rule.data_type, max(timestamp_ms, 0) // MS_PER_HOUR)
        return self._by_time(rule, found[place], timestamp_ms)

    def _flaw(self, value: bytes | None) -> Reason | None:
        """What can be said of the bytes without reading them as JSON."""
        if value is None:
            return Reason.NO_VALUE
        if len(value) > self._limits.line_bytes:
            return Reason.TOO_LARGE
        if not value.isascii():
            try:
                value.decode()
            except UnicodeDecodeError:
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


def _rejected_time(reason: Reason, rule: Rule, value: Any) -> Rejection:
    return Rejection(reason, rule.data_type, rule.event_time, shorten(value))


def _decoder(paths: list[list[str]]) -> Callable[[bytes], tuple[Any, ...]]:
    """A function that decodes just the values at `paths`, in order; ABSENT where there is none."""
    tree: dict[str, Any] = {}
    for path in paths:
        node = tree
        for name in path[:-1]:
            below = node.get(name)
            node[name] = node = below if isinstance(below, dict) else {}
        node.setdefault(path[-1], None)
    decode = msgspec.json.Decoder(_struct(tree)).decode
    read = [_getter(tree, path) for path in paths]
    return lambda value: _read(decode(value), read)


def _read(record: Any, read: list[Callable[[Any], Any]]) -> tuple[Any, ...]:
    return tuple([get(record) for get in read])


def _struct(tree: dict[str, Any]) -> type[msgspec.Struct]:
    """A Struct of the tree's fields; a name may be anything, so fields are numbered."""
    fields: list[tuple[str, Any, Any]] = []
    for place, below in enumerate(tree.values()):
        kind = Any if below is None else _struct(below) | None
        fields.append((f"f{place}", kind, ABSENT))
    names = {f"f{place}": name for place, name in enumerate(tree)}
    return msgspec.defstruct("Fields", fields, rename=names)


def _getter(tree: dict[str, Any], path: list[str]) -> Callable[[Any], Any]:
    steps: list[str] = []
    for name in path:
        steps.append(f"f{list(tree).index(name)}")
        tree = tree[name] or {}

    def get(record: Any) -> Any:
        for step in steps:
            if record is ABSENT or record is None:
                return ABSENT
            record = getattr(record, step)
        return record

    return get


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
    if len(value) <= limit or value.count(b"{") + value.count(b"[") <= limit:
        return False
    brackets = STRINGS.sub(b"", value).translate(None, NOT_BRACKETS)
    return max(accumulate(map(STEP.__getitem__, brackets)), default=0) > limit
