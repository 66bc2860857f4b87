"""A model of landing one partition, and of its hour log.

Processes: landers, and writers of the hour log (in the code a lander is both). Each is paused
between any two steps for any time, and killed and started again at any step, any number of times. A
request that reaches S3 after its sender was killed is the same as a lander that was paused.

Stores: the chain (manifests by first offset), objects by first offset and hour, the hour log by
number. The record at offset o is of hour o modulo 2, so that a cut makes one object or two. Every
write carries `If-None-Match: *`. Objects of a cut are written in any order.

Bounds: explored whole with 4 records, 2 landers and a writer; 3 records, 3 landers and a writer; 3
records, 2 landers and 2 writers; cuts of one or two records.

Not in this model: ranges that Kafka dropped (what is given up of a cut is in `generations_model`),
versions, several partitions.
"""

from collections.abc import Iterator
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from model_checker import put

LONGEST = 2
"""Records of a cut, at most."""
HOURS = (0, 1)


class Safeguard(StrEnum):
    """What the protocol rests on. A model without one of them is a model of another protocol."""

    COMPLETES_THE_LAST_CUT = "a lander that starts writes what is missing of the last cut"
    ADOPTS_THE_WINNERS_CUT = "who finds a place taken completes the cut that stands there"
    MANIFEST_FIRST = "the manifest is written before the objects"
    LOG_BEHIND_OBJECTS = "an entry of the hour log covers only cuts whose objects are all there"
    LOG_NUMBER_HAS_ONE_WRITER = "an entry of the hour log is never overwritten"
    LOG_LOSER_READS_AGAIN = "who finds a number taken reads what stands there before it counts"


class Cut(NamedTuple):
    """A manifest: the range [first, next)."""

    first: int
    next: int

    def of_hour(self, hour: int) -> tuple[int, ...]:
        """The records of an hour."""
        return tuple(o for o in range(self.first, self.next) if o % len(HOURS) == hour)

    def hours(self) -> tuple[int, ...]:
        """The hours that the cut has an object of."""
        return tuple(hour for hour in HOURS if self.of_hour(hour))


class Object(NamedTuple):
    """An object, its key (first, hour) and its records."""

    first: int
    hour: int
    records: tuple[int, ...]


class Entry(NamedTuple):
    """An entry of the hour log: how far landing is complete, and running totals by hour."""

    offset: int
    totals: tuple[tuple[int, int], ...]


class Lander(NamedTuple):
    """`cut` is the one under way; while polling it is empty, and is where the lander stands."""

    doing: str
    cut: Cut
    todo: tuple[int, ...]


class Writer(NamedTuple):
    """What a writer of the hour log knows of it, and what it is about to write."""

    doing: str
    sequence: int
    offset: int
    totals: tuple[int, ...]
    cuts: tuple[Cut, ...]


class State(NamedTuple):
    """The stores and the processes."""

    cuts: tuple[Cut, ...]
    objects: tuple[Object, ...]
    log: tuple[Entry, ...]
    landers: tuple[Lander, ...]
    writers: tuple[Writer, ...]


Steps = Iterator[tuple[str, State]]

NEW_LANDER = Lander("start", Cut(0, 0), ())
NEW_WRITER = Writer("read", -1, 0, (0,) * len(HOURS), ())


def polling(offset: int) -> Lander:
    """A lander at an offset, with nothing under way."""
    return Lander("poll", Cut(offset, offset), ())


def putting(cut: Cut) -> Lander:
    """A lander that is to write, or to find, all objects of a cut."""
    return Lander("put", cut, cut.hours())


class Landing:
    """`records` wait in Kafka."""

    def __init__(
        self, records: int, landers: int, writers: int, without: Safeguard | None = None
    ) -> None:
        self._records = records
        self._landers = landers
        self._writers = writers
        self._without = without

    def _keeps(self, safeguard: Safeguard) -> bool:
        return safeguard is not self._without

    def start(self) -> State:
        """Nothing has landed."""
        return State((), (), (), (NEW_LANDER,) * self._landers, (NEW_WRITER,) * self._writers)

    def steps(self, state: State) -> Steps:
        """Every process goes on, or is killed and started again."""
        for at, lander in enumerate(state.landers):
            if at and lander == state.landers[at - 1]:
                continue
            for name, after, mine in self._lander(state, lander):
                yield f"lander: {name}", after._replace(landers=put(state.landers, at, mine))
        for at, writer in enumerate(state.writers):
            if at and writer == state.writers[at - 1]:
                continue
            for name, after, mine in self._writer(state, writer):
                yield f"hour log: {name}", after._replace(writers=put(state.writers, at, mine))

    def _lander(self, state: State, lander: Lander) -> Iterator[tuple[str, State, Lander]]:
        if lander != NEW_LANDER:
            yield f"killed while it would {lander.doing} {lander.cut}", state, NEW_LANDER
        match lander.doing:
            case "start":
                yield "reads the chain", state, self._opened(state)
            case "poll":
                yield from self._poll(state, lander)
            case "claim":
                yield self._claim(state, lander.cut)
            case "put first":
                yield from self._put_objects(state, lander, Lander("claim", lander.cut, ()))
            case "put":
                yield from self._put_objects(state, lander, polling(lander.cut.next))

    def _opened(self, state: State) -> Lander:
        if not state.cuts:
            return polling(0)
        last = state.cuts[-1]
        keeps = self._keeps(Safeguard.COMPLETES_THE_LAST_CUT)
        return putting(last) if keeps else polling(last.next)

    def _poll(self, state: State, lander: Lander) -> Iterator[tuple[str, State, Lander]]:
        first = lander.cut.first
        for next_ in range(first + 1, min(first + LONGEST, self._records) + 1):
            cut = Cut(first, next_)
            if self._keeps(Safeguard.MANIFEST_FIRST):
                yield f"holds {cut}", state, Lander("claim", cut, ())
            else:
                yield f"holds {cut}", state, putting(cut)._replace(doing="put first")

    def _claim(self, state: State, cut: Cut) -> tuple[str, State, Lander]:
        standing = next((found for found in state.cuts if found.first == cut.first), None)
        if standing is None:
            after = state._replace(cuts=tuple(sorted((*state.cuts, cut))))
            return f"claims {cut}", after, putting(cut)
        if self._keeps(Safeguard.ADOPTS_THE_WINNERS_CUT):
            return f"finds {standing} and adopts it", state, putting(standing)
        return f"finds {standing} and goes on with {cut}", state, putting(cut)

    def _put_objects(
        self, state: State, lander: Lander, then: Lander
    ) -> Iterator[tuple[str, State, Lander]]:
        if not lander.todo:
            yield "has all objects written", state, then
        there = {(found.first, found.hour) for found in state.objects}
        for hour in lander.todo:
            rest = lander._replace(todo=tuple(h for h in lander.todo if h != hour))
            name = f"puts hour {hour} of {lander.cut}"
            if (lander.cut.first, hour) in there:
                yield f"{name}, which is there", state, rest
                continue
            new = Object(lander.cut.first, hour, lander.cut.of_hour(hour))
            yield name, state._replace(objects=tuple(sorted((*state.objects, new)))), rest

    def _writer(self, state: State, writer: Writer) -> Iterator[tuple[str, State, Writer]]:
        if writer != NEW_WRITER:
            yield f"killed while it would {writer.doing}", state, NEW_WRITER
        match writer.doing:
            case "read":
                yield "reads the log", state, _follow(state, writer)._replace(doing="list")
            case "list":
                found = tuple(cut for cut in state.cuts if cut.first >= writer.offset)
                doing = "check" if found else "read"
                yield f"lists {found}", state, writer._replace(doing=doing, cuts=found)
            case "check":
                complete = self._complete(state, writer.cuts)
                doing = "put" if complete else "read"
                yield f"covers {complete}", state, writer._replace(doing=doing, cuts=complete)
            case "put":
                yield self._put_entry(state, writer)

    def _complete(self, state: State, cuts: tuple[Cut, ...]) -> tuple[Cut, ...]:
        """One that has a successor is complete by the protocol; of the last S3 is asked."""
        if not self._keeps(Safeguard.LOG_BEHIND_OBJECTS) or is_complete(state, cuts[-1]):
            return cuts
        return cuts[:-1]

    def _put_entry(self, state: State, writer: Writer) -> tuple[str, State, Writer]:
        entry, number = _entry(writer), writer.sequence + 1
        if number == len(state.log):
            after = state._replace(log=(*state.log, entry))
            return f"puts {number} {entry}", after, _applied(writer, entry)
        if not self._keeps(Safeguard.LOG_NUMBER_HAS_ONE_WRITER):
            after = state._replace(log=(*state.log[:number], entry, *state.log[number + 1 :]))
            return f"overwrites {number} with {entry}", after, _applied(writer, entry)
        if not self._keeps(Safeguard.LOG_LOSER_READS_AGAIN):
            after = state._replace(log=(*state.log, entry))
            return f"finds {number} taken, puts {len(state.log)} {entry}", after, NEW_WRITER
        return f"finds {number} taken", state, writer._replace(doing="read", cuts=())

    def wrong(self, state: State) -> str | None:
        """Judge a state."""
        return _wrong_chain(state) or _wrong_objects(state) or _wrong_log(state)

    def ended(self, state: State) -> bool:
        """Everything is landed and counted, and nothing is under way."""
        return (
            all(lander == polling(self._records) for lander in state.landers)
            and all(writer.doing == "read" for writer in state.writers)
            and len(landed(state)) == self._records
            and read_log(state.log)[0] == self._records
        )


def _follow(state: State, writer: Writer) -> Writer:
    for entry in state.log[writer.sequence + 1 :]:
        writer = _applied(writer, entry)
    return writer._replace(cuts=())


def _applied(writer: Writer, entry: Entry) -> Writer:
    totals = tuple((dict(enumerate(writer.totals)) | dict(entry.totals)).values())
    return Writer("read", writer.sequence + 1, entry.offset, totals, ())


def _entry(writer: Writer) -> Entry:
    """The entry that follows what its writer knows: hours that were touched, as running totals."""
    more = {hour: sum(len(cut.of_hour(hour)) for cut in writer.cuts) for hour in HOURS}
    totals = tuple((hour, writer.totals[hour] + more[hour]) for hour in HOURS if more[hour])
    return Entry(writer.cuts[-1].next, totals)


def read_log(log: tuple[Entry, ...]) -> tuple[int, dict[int, int]]:
    """How far the log is, and an hour's total: as the latest entry tells that names it."""
    totals = dict.fromkeys(HOURS, 0)
    for entry in log:
        totals |= dict(entry.totals)
    return (log[-1].offset if log else 0), totals


def landed(state: State) -> list[int]:
    """The records in all objects."""
    return [record for found in state.objects for record in found.records]


def is_complete(state: State, cut: Cut) -> bool:
    """Whether all objects of a cut are there."""
    there = {found.hour for found in state.objects if found.first == cut.first}
    return there.issuperset(cut.hours())


def _wrong_chain(state: State) -> str | None:
    if any(one.next != following.first for one, following in pairwise(state.cuts)):
        return "the chain has a gap or an overlap"
    if not all(is_complete(state, cut) for cut in state.cuts[:-1]):
        return "a cut with a successor lacks an object"
    return None


def _wrong_objects(state: State) -> str | None:
    promised = {cut.first: cut for cut in state.cuts}
    for found in state.objects:
        cut = promised.get(found.first)
        if cut is not None and found.records != cut.of_hour(found.hour):
            return "an object differs from its manifest"
    records = landed(state)
    return "two objects hold one record" if len(records) != len(set(records)) else None


def _wrong_log(state: State) -> str | None:
    offset, totals = read_log(state.log)
    if not set(landed(state)).issuperset(range(offset)):
        return "the hour log is ahead of complete cuts"
    covered = Cut(0, offset)
    if any(totals[hour] < len(covered.of_hour(hour)) for hour in HOURS):
        return "the hour log counts less than it covers"
    if any(totals[hour] > len(covered.of_hour(hour)) for hour in HOURS):
        return "the hour log counts records twice"
    if any(one.offset > following.offset for one, following in pairwise(state.log)):
        return "the hour log goes back"
    return None
