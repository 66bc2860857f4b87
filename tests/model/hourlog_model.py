"""The hour log of one topic: several writers, chains that grow, a partition that is added.

Partition p's cuts all belong to hour p and hold one record each. An entry lists the hours that
changed since the entry before, with totals so far, as `ingest.land.hourlog` has it. `without` names a
safeguard that is taken out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple


class Entry(NamedTuple):
    """One entry, and what its writer knew."""

    offsets: tuple[int, ...]
    totals: tuple[tuple[int, int], ...]
    """Hour and records, of the hours that changed."""
    sealed: bool
    """All partitions had been read to their end."""
    asked: tuple[int, ...]
    """Kafka's ends when this writer asked."""


class Writer(NamedTuple):
    at: str = "new"
    asked: tuple[int, ...] = ()
    sequence: int = -1
    offsets: tuple[int, ...] = ()
    totals: tuple[int, ...] = ()
    entry: Entry | None = None


class State(NamedTuple):
    ends: tuple[int, ...]
    """Kafka's, by partition; there are as many partitions as numbers."""
    landed: tuple[int, ...]
    """How far each chain goes."""
    log: tuple[Entry, ...]
    glue: frozenset[int]
    """Hours that Glue has."""
    writers: tuple[Writer, ...]
    crashes: int
    add: bool
    """Whether a partition may still be added."""


@dataclass(frozen=True)
class HourLogModel:
    """`cuts` in each partition; one partition at first, a second may be added."""

    cuts: int
    writers: int
    crashes: int
    without: str = ""

    def start(self) -> State:
        return State(
            (self.cuts,), (0,), (), frozenset(), (Writer(),) * self.writers, self.crashes, True
        )

    def steps(self, s: State) -> Iterator[tuple[str, State]]:
        if s.add:
            yield (
                "a partition is added",
                s._replace(ends=(*s.ends, self.cuts), landed=(*s.landed, 0), add=False),
            )
        for number, landed in enumerate(s.landed):
            if landed < s.ends[number]:
                grown = (*s.landed[:number], landed + 1, *s.landed[number + 1 :])
                yield f"a cut of {number} lands", s._replace(landed=grown)
        for number, writer in enumerate(s.writers):
            for name, after, world in self._acts(s, writer):
                yield f"{number}: {name}", _turn(world, number, after)
            if s.crashes and writer.at not in ("new", "done"):
                yield (
                    f"{number} crashes",
                    _turn(s, number, Writer())._replace(crashes=s.crashes - 1),
                )

    def _acts(self, s: State, me: Writer) -> Iterator[tuple[str, Writer, State]]:
        match me.at:
            case "new":
                known = 1 if self.without == "asking for partitions anew" else len(s.ends)
                yield "asks for the ends", me._replace(at="read", asked=s.ends[:known]), s
            case "read":
                yield "reads the log", self._followed(s, me), s
            case "chains":
                entry = self._next(s, me)
                if entry is None:
                    yield "has nothing to say", Writer("idle"), s
                else:
                    at = "put" if self.without == "registering first" else "register"
                    yield "reads the chains", me._replace(at=at, entry=entry), s
            case "register":
                assert me.entry is not None
                glue = s.glue | {hour for hour, _ in me.entry.totals}
                after = Writer() if self.without == "registering first" else me._replace(at="put")
                yield "registers", after, s._replace(glue=glue)
            case "put":
                yield self._put(s, me)
            case "idle":
                done = s.landed == s.ends and self._followed(s, me).offsets == s.landed
                if not (done and s.log and s.log[-1].sealed):
                    yield "looks again", Writer(), s

    def _followed(self, s: State, me: Writer) -> Writer:
        """The ledger that the log makes."""
        offsets: list[int] = []
        totals: dict[int, int] = {}
        for entry in s.log:
            offsets = list(entry.offsets)
            totals |= dict(entry.totals)
        hours = tuple(totals.get(hour, 0) for hour in range(2))
        return me._replace(at="chains", sequence=len(s.log), offsets=tuple(offsets), totals=hours)

    def _next(self, s: State, me: Writer) -> Entry | None:
        before = (*me.offsets, 0, 0)
        seen = max(len(me.asked), len(me.offsets))
        offsets = tuple(max(before[p], s.landed[p]) for p in range(seen))
        totals = tuple(
            (hour, me.totals[hour] + offsets[hour] - before[hour])
            for hour in range(seen)
            if offsets[hour] > before[hour]
        )
        sealed = all(offsets[p] >= end for p, end in enumerate(me.asked))
        if self.without == "waiting for every partition":
            sealed = any(offsets[p] >= end for p, end in enumerate(me.asked))
        if not totals and not (sealed and not (s.log and s.log[-1].sealed)):
            return None
        return Entry(offsets, totals, sealed, s.ends if self.without else me.asked)

    def _put(self, s: State, me: Writer) -> tuple[str, Writer, State]:
        assert me.entry is not None
        registered = Writer() if self.without != "registering first" else me._replace(at="register")
        if me.sequence == len(s.log):
            return "writes", registered, s._replace(log=(*s.log, me.entry))
        if self.without == "If-None-Match":
            log = (*s.log[: me.sequence], me.entry, *s.log[me.sequence + 1 :])
            return "overwrites", registered, s._replace(log=log)
        if self.without == "reading again":
            return "takes the next number", me._replace(sequence=len(s.log)), s
        return "finds the number taken", me._replace(at="read", entry=None), s

    def check(self, s: State, last: bool) -> str | None:
        """The promise that a state breaks."""
        totals: dict[int, int] = {}
        for entry in s.log:
            totals |= dict(entry.totals)
            if entry.sealed and any(
                (*entry.offsets, 0, 0)[p] < end for p, end in enumerate(entry.asked)
            ):
                return "an hour is sealed though a partition held more"
            if not {hour for hour, _ in entry.totals} <= s.glue:
                return "an entry names an hour that Glue does not have"
        if s.log and any(totals.get(p, 0) != offset for p, offset in enumerate(s.log[-1].offsets)):
            return "the totals are not those of the cuts"
        if last and (not s.log or s.log[-1].offsets != s.landed):
            return "the log does not cover what is landed"
        return None


def _turn(s: State, number: int, writer: Writer) -> State:
    writers = list(s.writers)
    writers[number] = writer
    return s._replace(writers=tuple(sorted(writers, key=repr)))
