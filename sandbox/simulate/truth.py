"""The truth beside the files: what the platform must have counted when it is done.

Comes in: every line as it is written. Goes out: the document `truth.json`. The arithmetic, which
holds exactly and which `datacore reconcile` compares with the tables:

Of a topic
    produced = landed + quarantined
    landed   = the data types' landed + unclaimed
    produced = the data types' produced + unclaimed + malformed
  `malformed` are the lines whose data type nobody can tell (not JSON, not UTF-8, not an object); they
  are part of `quarantined`. `unclaimed` lines land under the data type of that name.

Of a data type
    produced = landed + quarantined
    landed   = staged + rejected + duplicates
  `quarantined` here are lines that name the type but no usable time. A line is `rejected` when a
  value does not fit its type or a required field is null or absent; a repeat of a rejected line is
  rejected once more. A repeat has the event id and the day of a staged line; all but one of them are
  `duplicates`, whichever is staged. So staged = the distinct (dt, event id) of the good lines.

Of a roll-up and day
  `rows`, and the sum over those rows of every measure, from staged records alone. A record's day is
  the UTC date of its event time.
"""

from collections import Counter
from typing import Any

from sandbox.simulate.marketplace import Event
from sandbox.simulate.rollups import RollUps
from sandbox.simulate.troubles import Fate, Line

FORMAT = 1
"""Raised when a field of the document changes its meaning."""

TOPICS = {
    "job_posting": "marketplace",
    "job_view": "marketplace",
    "job_application": "marketplace",
    "search": "marketplace",
    "experiment_exposure": "experiments",
}
"""Data type to its topic."""


class Truth:
    """Counts lines by topic and data type, and roll-ups by day."""

    def __init__(self) -> None:
        self._lines: Counter[tuple[str, str | None, str]] = Counter()
        self._reasons: Counter[tuple[str, str | None, str]] = Counter()
        self._troubles: Counter[str] = Counter()
        self._rollups = RollUps()

    def add(self, event: Event, line: Line, lateness: str) -> None:
        """Count a line that is written for the first time."""
        topic = TOPICS[event.data_type]
        self._lines[topic, line.data_type, line.fate] += 1
        if line.reason:
            self._reasons[topic, line.data_type, line.reason] += 1
        if line.trouble:
            self._troubles[line.trouble] += 1
        if lateness:
            self._troubles[lateness] += 1
        if line.fate is Fate.STAGED:
            self._rollups.add(event)

    def add_repeat(self, line: Line) -> None:
        """Count a line that is written once more."""
        assert line.data_type is not None
        fate = "duplicates" if line.fate is Fate.STAGED else str(line.fate)
        self._lines[TOPICS[line.data_type], line.data_type, fate] += 1
        self._troubles["repeated"] += 1

    def document(self, options: dict[str, Any], files: dict[str, dict[str, int]]) -> dict[str, Any]:
        """`truth.json`; `files` has each topic's files (paths within DIR) and their lines."""
        return {
            "format": FORMAT,
            "options": options,
            "produced": sum(self._lines.values()),
            "topics": {topic: self._topic(topic, files.get(topic, {})) for topic in _TOPIC_NAMES},
            "data_types": {name: self._data_type(name) for name in sorted(TOPICS)},
            "rollups": self._rollups.totals(),
            "troubles": dict(sorted(self._troubles.items())),
        }

    def _topic(self, topic: str, files: dict[str, int]) -> dict[str, Any]:
        mine = {key[1:]: count for key, count in self._lines.items() if key[0] == topic}
        produced = sum(mine.values())
        quarantined = sum(n for (_, fate), n in mine.items() if fate == Fate.QUARANTINED)
        return {
            "produced": produced,
            "landed": produced - quarantined,
            "unclaimed": mine.get((None, Fate.UNCLAIMED), 0),
            "quarantined": quarantined,
            "malformed": mine.get((None, Fate.QUARANTINED), 0),
            "quarantined_by_reason": self._by_reason(topic, (None, *TOPICS)),
            "files": dict(sorted(files.items())),
        }

    def _data_type(self, name: str) -> dict[str, Any]:
        topic = TOPICS[name]
        count = {
            fate: self._lines[topic, name, fate] for fate in ("staged", "rejected", "duplicates")
        }
        landed = sum(count.values())
        quarantined = self._lines[topic, name, Fate.QUARANTINED]
        return {
            "topic": topic,
            "produced": landed + quarantined,
            "landed": landed,
            "quarantined": quarantined,
            "quarantined_by_reason": self._by_reason(topic, (name,)),
            **count,
        }

    def _by_reason(self, topic: str, data_types: tuple[str | None, ...]) -> dict[str, int]:
        reasons: Counter[str] = Counter()
        for (one, data_type, reason), count in self._reasons.items():
            if one == topic and data_type in data_types:
                reasons[reason] += count
        return dict(sorted(reasons.items()))


_TOPIC_NAMES = tuple(dict.fromkeys(TOPICS.values()))
