"""The roll-ups' totals by day, counted from the events that must be staged.

Comes in: each staged event, once. Goes out: for every roll-up and day the number of its rows and the
sum of each of its measures. Keeps a number a distinct user and job of a day, about 60 bytes a view;
nothing else grows with the number of events.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable

from sandbox.simulate.clock import iso_day
from sandbox.simulate.marketplace import Event

Totals = dict[str, dict[str, dict[str, int]]]
"""Roll-up, day (ISO), measure: total. The measure `rows` is the number of the day's rows."""

_Group = tuple[str, str]
"""Day and category."""
_Arm = tuple[str, str, str]
"""Day, experiment and variant."""


class RollUps:
    """Counts what each roll-up must hold."""

    def __init__(self) -> None:
        self._view_ms: dict[str, int] = defaultdict(int)
        self._views: dict[_Group, int] = defaultdict(int)
        self._viewers: dict[_Group, set[int]] = defaultdict(set)
        self._viewed_jobs: dict[str, set[int]] = defaultdict(set)
        self._job_viewers: dict[str, set[int]] = defaultdict(set)
        self._postings: dict[str, int] = defaultdict(int)
        self._posted_jobs: dict[str, set[int]] = defaultdict(set)
        self._searches: dict[_Group, int] = defaultdict(int)
        self._searchers: dict[_Group, set[int]] = defaultdict(set)
        self._applications: dict[_Group, int] = defaultdict(int)
        self._applicants: dict[_Group, set[int]] = defaultdict(set)
        self._exposures: dict[_Arm, int] = defaultdict(int)
        self._exposed: dict[_Arm, set[int]] = defaultdict(set)
        self._count: dict[str, Callable[[Event, str], None]] = {
            "job_posting": self._posting,
            "job_view": self._view,
            "job_application": self._application,
            "search": self._search,
            "experiment_exposure": self._exposure,
        }

    def add(self, event: Event) -> None:
        """Count one staged event in its own day, however late it was written."""
        self._count[event.data_type](event, iso_day(event.at))

    def _posting(self, event: Event, day: str) -> None:
        self._postings[day] += 1
        self._posted_jobs[day].add(event.job)

    def _view(self, event: Event, day: str) -> None:
        group = (day, event.record["category"])
        self._views[group] += 1
        self._view_ms[day] += event.record["duration_ms"]
        self._viewers[group].add(event.user)
        self._viewed_jobs[day].add(event.job)
        self._job_viewers[day].add(event.job << 32 | event.user)

    def _application(self, event: Event, day: str) -> None:
        group = (day, event.record["category"])
        self._applications[group] += 1
        self._applicants[group].add(event.user)

    def _search(self, event: Event, day: str) -> None:
        group = (day, event.record["category"])
        self._searches[group] += 1
        self._searchers[group].add(event.user)

    def _exposure(self, event: Event, day: str) -> None:
        arm = (day, event.record["experiment_id"], event.record["variant"])
        self._exposures[arm] += 1
        self._exposed[arm].add(event.user)

    def totals(self) -> Totals:
        """What the roll-ups must sum to, days in order."""
        return {
            "rollup_job_view_daily": self._job_view_daily(),
            "rollup_job_posting_daily": {
                day: {"rows": len(self._posted_jobs[day]), "postings": self._postings[day]}
                for day in sorted(self._postings)
            },
            "rollup_funnel_daily": self._funnel_daily(),
            "rollup_experiment_daily": self._experiment_daily(),
        }

    def _job_view_daily(self) -> dict[str, dict[str, int]]:
        return {
            day: {
                "rows": len(self._viewed_jobs[day]),
                "views": sum(n for group, n in self._views.items() if group[0] == day),
                "viewers": len(self._job_viewers[day]),
                "view_ms": self._view_ms[day],
            }
            for day in sorted(self._view_ms)
        }

    def _funnel_daily(self) -> dict[str, dict[str, int]]:
        days: dict[str, dict[str, int]] = {}
        for group in sorted({*self._searches, *self._views, *self._applications}):
            row = {
                "rows": 1,
                "searches": self._searches.get(group, 0),
                "searchers": len(self._searchers.get(group, ())),
                "views": self._views.get(group, 0),
                "viewers": len(self._viewers.get(group, ())),
                "applications": self._applications.get(group, 0),
                "applicants": len(self._applicants.get(group, ())),
            }
            _add(days.setdefault(group[0], dict.fromkeys(row, 0)), row)
        return days

    def _experiment_daily(self) -> dict[str, dict[str, int]]:
        viewers = _users_of_day(self._viewers.items())
        applicants = _users_of_day(self._applicants.items())
        days: dict[str, dict[str, int]] = {}
        for arm in sorted(self._exposures):
            day, exposed = arm[0], self._exposed[arm]
            row = {
                "rows": 1,
                "exposures": self._exposures[arm],
                "exposed_users": len(exposed),
                "viewers": len(exposed & viewers.get(day, set())),
                "applicants": len(exposed & applicants.get(day, set())),
            }
            _add(days.setdefault(day, dict.fromkeys(row, 0)), row)
        return days


def _users_of_day(groups: Iterable[tuple[_Group, set[int]]]) -> dict[str, set[int]]:
    users: dict[str, set[int]] = defaultdict(set)
    for (day, _), some in groups:
        users[day] |= some
    return users


def _add(totals: dict[str, int], row: dict[str, int]) -> None:
    for measure, value in row.items():
        totals[measure] += value
