"""The marketplace itself: who visits, what they do, and which events a faultless log would hold.

Comes in: a random generator and the size of the market. Goes out: `Event`s of a visit or of an
employer's act, in the order of their time. Nothing here knows of log files or of their troubles.

Popularity is skewed: few jobs get most views. Searches lead to views, views to applications. The
treatment of `one_click_apply` raises the share of views that end in an application by half, and
`result_ranking` = relevance the number of views after a search.
"""

from dataclasses import dataclass
from random import Random
from typing import Any

from sandbox.simulate.clock import MINUTE, SECOND, iso, iso_day
from sandbox.simulate.words import (
    CATEGORIES,
    DEVICES,
    EXPERIMENTS,
    PLACES,
    QUERIES,
    SKILLS,
    SOURCES,
    TITLES,
)

EMPLOYER_ACTS = 0.06
"""Share of what happens that is an employer's; the rest are visits."""
SEARCH_SHARE = 0.7
"""Share of visits that begin with a search; the others come to a job from elsewhere."""
MORE_RESULTS = 0.62
"""Probability that a visitor looks at one job more."""
RELEVANCE_LIFT = 0.1
APPLY = 0.08
APPLY_LIFT = 0.04
EVENTS_A_USER = 15
EVENTS_A_JOB = 400


@dataclass(slots=True)
class Event:
    """One thing that happened: its data type, its moment (ms since 1970) and its record.

    `user` and `job` number who and what it is about; -1 where there is none.
    """

    data_type: str
    at: int
    record: dict[str, Any]
    user: int = -1
    job: int = -1


@dataclass(slots=True)
class Job:
    """A job as it stands now."""

    job_id: str
    employer_id: str
    title: str
    category: str
    place: tuple[str, str, str]
    salary_cents: int | None
    remote: bool
    skills: list[str]
    is_open: bool = True


class Marketplace:
    """Employers, jobs and users; each act of theirs is a list of events."""

    def __init__(self, rng: Random, events: int) -> None:
        self.rng = rng
        self.users = max(20, events // EVENTS_A_USER)
        self.jobs: list[Job] = []
        self.wanted_jobs = max(12, events // EVENTS_A_JOB)
        self.exposed_on = ""
        self.exposed: set[int] = set()

    def act(self, at: int) -> list[Event]:
        """What somebody does from the moment `at` on: at least one event, none before `at`."""
        if len(self.jobs) < self.wanted_jobs // 2 or self.rng.random() < EMPLOYER_ACTS:
            return [self._employer_act(at)]
        return self._visit(at)

    def _employer_act(self, at: int) -> Event:
        rng = self.rng
        chance = rng.random()
        if len(self.jobs) < self.wanted_jobs // 2 or (
            chance < 0.4 and len(self.jobs) < self.wanted_jobs * 2
        ):
            number, action = len(self.jobs), "posted"
            self.jobs.append(self._new_job(number))
        else:
            number, action = self._some_job(), "changed"
            job = self.jobs[number]
            if not job.is_open:
                job.is_open, action = True, "posted"
            elif chance > 0.85:
                job.is_open, action = False, "closed"
            elif job.salary_cents:
                job.salary_cents = int(job.salary_cents * rng.uniform(0.95, 1.15))
        job = self.jobs[number]
        city, country, currency = job.place
        record = {
            "event_id": self._uuid(),
            "type": "job_posting",
            "occurred_at": iso(at),
            "job_id": job.job_id,
            "employer_id": job.employer_id,
            "action": action,
            "title": job.title,
            "category": job.category,
            "city": city,
            "country": country,
            "salary_cents": job.salary_cents,
            "currency": currency,
            "remote": job.remote,
            "skills": job.skills,
        }
        return Event("job_posting", at, record, job=number)

    def _new_job(self, number: int) -> Job:
        rng = self.rng
        return Job(
            job_id=f"j{number:06d}",
            employer_id=f"e{int(rng.random() ** 2 * self.wanted_jobs):05d}",
            title=rng.choice(TITLES),
            category=rng.choice(CATEGORIES),
            place=rng.choice(PLACES),
            salary_cents=rng.randrange(2_400_000, 16_000_000) if rng.random() < 0.7 else None,
            remote=rng.random() < 0.3,
            skills=rng.sample(SKILLS, rng.randrange(5)),
        )

    def _visit(self, at: int) -> list[Event]:
        rng = self.rng
        user = int(rng.random() ** 2 * self.users)
        user_id = f"u{user:07d}"
        device = rng.choice(DEVICES)
        events = self._exposures(at, user, user_id)
        more = MORE_RESULTS
        search_id = None
        if rng.random() < SEARCH_SHARE:
            at += rng.randrange(20, 900)
            search_id = f"s{rng.getrandbits(48):012x}"
            events.append(self._search(at, user, user_id, search_id))
            if variant_of(user, "result_ranking") == "relevance":
                more += RELEVANCE_LIFT
            looks = rng.random() < 0.9
        else:
            looks = True
        source = "search" if search_id else rng.choice(SOURCES)
        while looks:
            at += rng.randrange(2 * SECOND, 3 * MINUTE)
            view = self._view(at, user, user_id, search_id, source, device)
            events.append(view)
            apply = APPLY
            if variant_of(user, "one_click_apply") == "treatment":
                apply += APPLY_LIFT
            if rng.random() < apply:
                at += rng.randrange(20 * SECOND, 10 * MINUTE)
                events.append(self._application(at, user, user_id, view.job))
            looks = rng.random() < more
        return events

    def _exposures(self, at: int, user: int, user_id: str) -> list[Event]:
        """A user meets each experiment on the first visit of a day."""
        day = iso_day(at)
        if day != self.exposed_on:
            self.exposed_on, self.exposed = day, set()
        if user in self.exposed:
            return []
        self.exposed.add(user)
        return [
            Event(
                "experiment_exposure",
                at,
                {
                    "event_id": self._uuid(),
                    "occurred_at": iso(at),
                    "experiment_id": experiment,
                    "variant": variant_of(user, experiment),
                    "user_id": user_id,
                },
                user=user,
            )
            for experiment in EXPERIMENTS
        ]

    def _search(self, at: int, user: int, user_id: str, search_id: str) -> Event:
        record = {
            "event_id": self._uuid(),
            "type": "search",
            "occurred_at": iso(at),
            "search_id": search_id,
            "user_id": user_id,
            "query": self.rng.choice(QUERIES),
            "category": self.rng.choice(CATEGORIES),
            "results": int(self.rng.random() ** 3 * 5000),
        }
        return Event("search", at, record, user=user)

    def _view(
        self, at: int, user: int, user_id: str, search_id: str | None, source: str, device: str
    ) -> Event:
        number = self._some_job()
        job = self.jobs[number]
        record = {
            "event_id": self._uuid(),
            "type": "job_view",
            "occurred_at": iso(at),
            "job_id": job.job_id,
            "user_id": user_id,
            "search_id": search_id,
            "category": job.category,
            "duration_ms": int(self.rng.lognormvariate(9.5, 1.1)),
            "source": source,
            "device": device,
        }
        return Event("job_view", at, record, user=user, job=number)

    def _application(self, at: int, user: int, user_id: str, number: int) -> Event:
        job = self.jobs[number]
        letter = self.rng.randrange(80, 4000) if self.rng.random() < 0.6 else None
        record = {
            "event_id": self._uuid(),
            "type": "job_application",
            "occurred_at": iso(at),
            "application_id": f"a{self.rng.getrandbits(48):012x}",
            "job_id": job.job_id,
            "user_id": user_id,
            "category": job.category,
            "cover_letter_chars": letter,
        }
        return Event("job_application", at, record, user=user, job=number)

    def _some_job(self) -> int:
        """A job by popularity: the older a job is, the more it is looked at. Open ones first."""
        number = 0
        for _ in range(4):
            number = int(self.rng.random() ** 3 * len(self.jobs))
            if self.jobs[number].is_open:
                break
        return number

    def _uuid(self) -> str:
        """A version 4 UUID from the simulation's own randomness."""
        bits = self.rng.getrandbits(128) & ~(0xF000C << 60) | (0x40008 << 60)
        text = f"{bits:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def variant_of(user: int, experiment: str) -> str:
    """The variant that a user gets, always the same."""
    variants = EXPERIMENTS[experiment]
    mixed = (user + 1) * 2_654_435_761 * len(experiment) % 2**32
    return variants[(mixed >> 8) % len(variants)]
