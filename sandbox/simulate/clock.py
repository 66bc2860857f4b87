"""Simulated time: which moments the period holds and how a moment is written.

Comes in: the period's first day and length. Goes out: milliseconds since 1970 (UTC), always within
the period, and their text. Never asks the real clock.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import accumulate

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_TRAFFIC = (2, 1, 1, 1, 1, 2, 4, 6, 9, 10, 10, 9, 9, 10, 10, 9, 8, 7, 7, 8, 9, 8, 5, 3)
"""How busy each hour of the day is, relative to the others."""
_SLOTS = DAY // MINUTE


@dataclass(frozen=True)
class Period:
    """`days` whole days, UTC, from `start` on."""

    start: date
    days: int

    @cached_property
    def first(self) -> int:
        """The first moment, in ms since 1970."""
        return (self.start.toordinal() - _EPOCH_DAY) * DAY

    @cached_property
    def end(self) -> int:
        """The first moment after the period, in ms since 1970."""
        return self.first + self.days * DAY

    @property
    def last_day(self) -> date:
        """The last day that belongs to the period."""
        return self.start + timedelta(days=self.days - 1)

    def moment(self, share: float) -> int:
        """The moment by which `share` (0 to 1) of the period's traffic has passed, ms since 1970."""
        day, within = divmod(share * self.days, 1.0)
        place = within * _SLOTS
        slot = int(place)
        begin, end = _BY_TRAFFIC[slot], _BY_TRAFFIC[slot + 1]
        return self.first + int(day) * DAY + int(begin + (end - begin) * (place - slot))


def _by_traffic() -> list[int]:
    """The moment of a day, in ms, after each of `_SLOTS` equal shares of its traffic."""
    passed = [0, *accumulate(_TRAFFIC)]
    moments = []
    hour = 0
    for slot in range(_SLOTS):
        wanted = slot * passed[-1] / _SLOTS
        while passed[hour + 1] <= wanted:
            hour += 1
        moments.append(int((hour + (wanted - passed[hour]) / _TRAFFIC[hour]) * HOUR))
    return [*moments, DAY]


_BY_TRAFFIC = _by_traffic()


@lru_cache(maxsize=4096)
def _minute_text(minute: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    return moment.strftime("%Y-%m-%dT%H:%M:")


def iso(moment: int) -> str:
    """`2026-01-02T03:04:05.678Z` for a moment in ms since 1970."""
    minute, milliseconds = divmod(moment, MINUTE)
    seconds, milliseconds = divmod(milliseconds, SECOND)
    return f"{_minute_text(minute)}{seconds:02d}.{milliseconds:03d}Z"


def iso_day(moment: int) -> str:
    """`2026-01-02` for a moment in ms since 1970."""
    return _minute_text(moment // MINUTE)[:10]
