"""Event times: from what producers write to milliseconds since 1970, UTC.

Comes in: the decoded value of a record's event time and, for epochs, the contract's unit. Goes
out: an int, or BadEventTime. Pure; the clock has no part in it.

Accepted: ISO 8601 (RFC 3339 and Python's `datetime.fromisoformat`; a missing zone is UTC; a leap
second counts as the second before it; ` UTC` or a space before the offset is forgiven) and
epochs in s, ms, us or ns, as a number or as a string of digits.
"""

import re
from datetime import UTC, datetime
from math import isfinite

FIRST_MS = -62_135_596_800_000
"""0001-01-01T00:00:00Z."""
LAST_MS = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z."""

MS_PER_HOUR = 3_600_000
EPOCH_DAY = 719_163
"""The ordinal of 1970-01-01."""

UNIT_PER_MS = {"s": (1000, 1), "ms": (1, 1), "us": (1, 1000), "ns": (1, 1_000_000)}
"""Multiplier and divisor that turn an epoch of the unit into milliseconds."""

LEAP_SECOND = re.compile(r"(:(?:59|29|14|44)):60(?=[.,Zz+\- ]|$)")
"""The end of an hour in UTC; where the offset has quarters of an hour, of a quarter."""
ZONE_AFTER_SPACE = re.compile(r" ?(?:UTC|GMT|[zZ])$| (?=[+-]\d\d:?\d\d$)")
EPOCH_DIGITS = re.compile(r"-?\d{9,20}(?:\.\d+)?")


def hour_of_timestamp(timestamp_ms: int) -> int:
    """The hour since 1970 of a Kafka timestamp.

    One that is unknown (below 0) counts as the first hour, and so does one that no calendar has:
    a producer may write any number, and no number may keep a partition from landing.
    """
    return timestamp_ms // MS_PER_HOUR if 0 <= timestamp_ms <= LAST_MS else 0


class BadEventTime(ValueError):
    """The value is no time, or one outside the years 1 to 9999."""


def event_ms(value: object, unit: str | None = None) -> int:
    """`value` as milliseconds since 1970. `unit` is the contract's, for an epoch; None guesses.

    Raises BadEventTime.
    """
    if isinstance(value, str):
        try:
            return _datetime_ms(datetime.fromisoformat(value))
        except ValueError:
            return _uncommon_ms(value, unit)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadEventTime(f"not a time: {type(value).__name__}")
    return _epoch_ms(value, unit)


def _datetime_ms(moment: datetime) -> int:
    if moment.tzinfo is not None and moment.tzinfo is not UTC:
        try:
            moment = moment.astimezone(UTC)
        except OverflowError as error:
            raise BadEventTime("outside the years 1 to 9999") from error
    days = moment.toordinal() - EPOCH_DAY
    seconds = ((days * 24 + moment.hour) * 60 + moment.minute) * 60 + moment.second
    return seconds * 1000 + moment.microsecond // 1000


def _uncommon_ms(text: str, unit: str | None) -> int:
    """Times that `fromisoformat` refuses although their meaning is plain."""
    if EPOCH_DIGITS.fullmatch(text):
        return _epoch_ms(float(text) if "." in text else int(text), unit)
    plain = LEAP_SECOND.sub(r"\1:59", text.strip())
    utc = ZONE_AFTER_SPACE.sub("", plain)
    try:
        return _datetime_ms(datetime.fromisoformat(utc))
    except ValueError as error:
        raise BadEventTime(f"not ISO 8601: {text!r}") from error


def _epoch_ms(value: int | float, unit: str | None) -> int:
    if isinstance(value, float) and not isfinite(value):
        raise BadEventTime("not a finite number")
    times, per = UNIT_PER_MS[unit or _guess_unit(abs(value))]
    milliseconds = int(value * times // per)
    if not FIRST_MS <= milliseconds <= LAST_MS:
        raise BadEventTime("outside the years 1 to 9999")
    return milliseconds


def _guess_unit(size: int | float) -> str:
    """By magnitude: seconds until the year 5138, then ms, us, ns."""
    if size < 1e11:
        return "s"
    if size < 1e14:
        return "ms"
    return "us" if size < 1e17 else "ns"
