"""A model of a topic that is deleted and made again, any number of times up to a bound.

Processes: landers of one partition, paused between any two steps and killed at any step, any number
of times; Kafka, where the topic is deleted and made again at any moment; a writer of the hour log,
in one step (two writers are in `landing_model`).

Stores: the chain by generation and first offset, an object for each record by (generation, first,
offset), notes of what was lost beside the manifests. A record is (topic's id, offset). What Kafka
answers of a topic's id is true when it answers, and ids never come back.

The check of a range that is read again is one step with reading it: what comes of another topic
does not fit the checksums that the manifest promised.

Bounds: explored whole with 2 landers, for two topics of 2 records and for three topics of one; cuts
of one or two records. Not in this model: ranges that Kafka dropped, partitions beside this one.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from model_checker import put

LONGEST = 2
"""Records of a cut, at most."""

Record = tuple[int, int]
NOTHING: Record = (-1, -1)
"""What an object holds that was given up."""
NOBODY = -1


class Safeguard(StrEnum):
    """What the protocol rests on. A model without one of them is a model of another protocol."""

    ID_ASKED_AFTER_POLLING = "the topic's id is asked after polling and before the claim"
    END_MANIFEST = "a manifest of kind end closes a generation before the next begins"
    LOST_IS_DECIDED_BY_OBJECTS = "what is given up is an empty object, so its late writer finds it"
    TOPIC_GOES_ON_WHERE_IT_WAS_LEFT = (
        "a topic whose generation was closed too early goes on behind it"
    )
    OWN_CUTS_OF_EARLIER_GENERATIONS = (
        "where a generation begins is looked up in the generations before it alone"
    )


class Manifest(NamedTuple):
    """`records` are what its checksums promise; a manifest of kind end has none."""

    generation: int
    first: int
    topic: int
    records: tuple[Record, ...]
    is_end: bool

    @property
    def next(self) -> int:
        """Where the next manifest of the generation begins."""
        return self.first + len(self.records)

    @property
    def place(self) -> tuple[int, int]:
        """Its key."""
        return self.generation, self.first


NO_MANIFEST = Manifest(NOBODY, 0, NOBODY, (), False)
"""Sorts, as None does not."""


class Object(NamedTuple):
    """An object, its key (generation, first, offset) and its record."""

    generation: int
    first: int
    offset: int
    record: Record


class Note(NamedTuple):
    """What was lost of the cut at a place."""

    generation: int
    first: int
    lost: tuple[int, ...]


class Lander(NamedTuple):
    """`topic` is whose records it lands, `held` what it polled; `last` is the manifest at hand."""

    doing: str
    topic: int = NOBODY
    generation: int = 0
    first: int = 0
    held: tuple[Record, ...] = ()
    last: Manifest = NO_MANIFEST
    todo: tuple[int, ...] = ()


class Counted(NamedTuple):
    """The hour log: how far it covers the chain, and how many records it counts."""

    generation: int
    offset: int
    records: int


class State(NamedTuple):
    """The stores and the processes. `topic` is Kafka's, by its id."""

    topic: int
    exists: bool
    chain: tuple[Manifest, ...]
    objects: tuple[Object, ...]
    notes: tuple[Note, ...]
    log: Counted
    landers: tuple[Lander, ...]

    @property
    def id(self) -> int | None:
        """What Kafka answers."""
        return self.topic if self.exists else None


Step = tuple[str, State, Lander]
NEW = Lander("open")


class Generations:
    """Each of the `topics` in turn holds `records`.

    `old_answers`: a lander that opens may be told the id of an earlier topic, by a broker that lags.
    """

    def __init__(
        self,
        topics: int,
        records: int,
        landers: int,
        without: Safeguard | None = None,
        old_answers: bool = False,
    ) -> None:
        self._old_answers = old_answers
        self._last_topic = topics - 1
        self._records = records
        self._landers = landers
        self._without = without

    def _keeps(self, safeguard: Safeguard) -> bool:
        return safeguard is not self._without

    def start(self) -> State:
        """The first topic is there, nothing has landed."""
        return State(0, True, (), (), (), Counted(0, 0, 0), (NEW,) * self._landers)

    def steps(self, state: State) -> Iterator[tuple[str, State]]:
        """Kafka, the hour log, or a lander."""
        if state.exists and state.topic < self._last_topic:
            yield "Kafka: the topic is deleted", state._replace(exists=False)
        if not state.exists:
            yield "Kafka: the topic is made again", state._replace(exists=True, topic=state.topic + 1)  # fmt: skip
        counted = count(state)
        if counted != state.log:
            yield f"hour log: counts {counted}", state._replace(log=counted)
        for at, lander in enumerate(state.landers):
            if at and lander == state.landers[at - 1]:
                continue
            for name, after, mine in self._lander(state, lander):
                yield f"lander: {name}", after._replace(landers=put(state.landers, at, mine))

    def _lander(self, state: State, lander: Lander) -> Iterator[Step]:
        if lander != NEW:
            yield f"killed while it would {lander.doing}", state, NEW
        match lander.doing:
            case "open":
                yield self._read_chain(state)
            case "ask":
                yield from self._ask_at_opening(state, lander)
            case "know":
                yield self._opened(state, lander)
            case "end":
                yield self._claim_end(state, lander)
            case "seek":
                yield self._seek(state, lander)
            case "poll":
                yield from self._poll(state, lander)
            case "claim":
                yield self._claim(state, lander)
            case "put":
                yield from self._put_objects(state, lander)
            case "complete":
                yield self._complete(state, lander)
            case "give up":
                yield from self._give_up(state, lander)

    def _read_chain(self, state: State) -> Step:
        last = state.chain[-1] if state.chain else NO_MANIFEST
        return f"reads the chain's end {last}", state, Lander("ask", last=last)

    def _ask_at_opening(self, state: State, lander: Lander) -> Iterator[Step]:
        if state.id is None:
            yield "finds no topic", state, NEW
        oldest = 0 if self._old_answers else state.topic
        for topic in range(oldest, state.topic + state.exists):
            yield f"asks the topic's id: {topic}", state, lander._replace(doing="know", topic=topic)

    def _opened(self, state: State, lander: Lander) -> Step:
        last = lander.last
        if last == NO_MANIFEST:
            return "begins the chain", state, Lander("poll", topic=lander.topic)
        if last.is_end:
            return "finds the generation closed", state, lander._replace(doing="seek")
        return f"sees to {last}", state, lander._replace(doing="complete")

    def _claim_end(self, state: State, lander: Lander) -> Step:
        """Of a cut of an earlier topic, which is complete or given up."""
        last = lander.last
        if not self._keeps(Safeguard.END_MANIFEST):
            return "begins a generation without an end", state, lander._replace(doing="seek")
        standing = _at(state, (last.generation, last.next))
        if standing is None:
            end = Manifest(last.generation, last.next, last.topic, (), True)
            after = state._replace(chain=tuple(sorted((*state.chain, end))))
            return f"claims {end}", after, lander._replace(doing="seek", last=end)
        if standing.is_end:
            return f"finds {standing}", state, lander._replace(doing="seek", last=standing)
        return f"finds {standing}", state, NEW

    def _seek(self, state: State, lander: Lander) -> Step:
        """Where the generation begins: a topic goes on where it was left in an earlier one."""
        generation = lander.last.generation + 1
        own = [found for found in state.chain if found.topic == lander.topic]
        if self._keeps(Safeguard.OWN_CUTS_OF_EARLIER_GENERATIONS):
            own = [found for found in own if found.generation < generation]
        goes_on = own and self._keeps(Safeguard.TOPIC_GOES_ON_WHERE_IT_WAS_LEFT)
        first = own[-1].next if goes_on else 0
        begun = Lander("poll", lander.topic, generation, first)
        return f"begins generation {generation} at {first}", state, begun

    def _poll(self, state: State, lander: Lander) -> Iterator[Step]:
        """A consumer knows names: it goes on in whatever topic has the name."""
        offset = lander.first + len(lander.held)
        if state.exists and offset < self._records and len(lander.held) < LONGEST:
            record = (state.topic, offset)
            yield f"polls {record}", state, lander._replace(held=(*lander.held, record))
        if state.id != lander.topic and self._keeps(Safeguard.ID_ASKED_AFTER_POLLING):
            yield "asks the topic's id: not its own, drops what it holds", state, NEW
        elif lander.held:
            yield "is to claim what it holds", state, lander._replace(doing="claim")

    def _claim(self, state: State, lander: Lander) -> Step:
        standing = _at(state, (lander.generation, lander.first))
        if standing is None:
            mine = Manifest(lander.generation, lander.first, lander.topic, lander.held, False)
            after = state._replace(chain=tuple(sorted((*state.chain, mine))))
            todo = tuple(range(mine.first, mine.next))
            return f"claims {mine}", after, Lander("put", lander.topic, last=mine, todo=todo)
        if standing.is_end or standing.topic != lander.topic:
            return f"finds {standing}, drops what it holds", state, NEW
        return f"adopts {standing}", state, Lander("complete", lander.topic, last=standing)

    def _put_objects(self, state: State, lander: Lander) -> Iterator[Step]:
        cut = lander.last
        if not lander.todo:
            lost = NOTHING in _objects(state, cut).values()
            then = lander._replace(doing="complete") if lost else _completed(lander)
            yield "has all objects written", state, then
        for offset in lander.todo:
            rest = lander._replace(todo=tuple(o for o in lander.todo if o != offset))
            yield f"puts object {offset}", _put(state, cut, offset, cut.records[offset - cut.first]), rest  # fmt: skip

    def _complete(self, state: State, lander: Lander) -> Step:
        cut, found = lander.last, _objects(state, lander.last)
        missing = tuple(o for o, record in found.items() if record in (None, NOTHING))
        if not missing:
            return "finds the cut complete", state, _completed(lander)
        if NOTHING in found.values() or state.id != cut.topic:
            return f"gives up {missing}", state, lander._replace(doing="give up", todo=missing)
        return f"reads {missing} again", state, lander._replace(doing="put", todo=missing)

    def _give_up(self, state: State, lander: Lander) -> Iterator[Step]:
        cut = lander.last
        for offset in lander.todo:
            rest = lander._replace(todo=tuple(o for o in lander.todo if o != offset))
            by_object = self._keeps(Safeguard.LOST_IS_DECIDED_BY_OBJECTS)
            after = _put(state, cut, offset, NOTHING) if by_object else state
            yield f"puts nothing as object {offset}", after, rest
        if not lander.todo:
            found = _objects(state, cut)
            lost = tuple(o for o, record in found.items() if record in (None, NOTHING))
            known = any((note.generation, note.first) == cut.place for note in state.notes)
            if not lost or known:
                yield "finds the note, or nothing lost", state, _completed(lander)
            else:
                notes = tuple(sorted((*state.notes, Note(*cut.place, lost))))
                yield f"notes {lost} lost", state._replace(notes=notes), _completed(lander)

    def wrong(self, state: State) -> str | None:
        """Judge a state."""
        return _wrong_chain(state) or _wrong_objects(state) or _wrong_log(state)

    def ended(self, state: State) -> bool:
        """The last topic is landed and counted, and nothing is under way."""
        own = [found for found in state.chain if found.topic == self._last_topic]
        return (
            state.id == self._last_topic
            and all(found.doing == "poll" and not found.held for found in state.landers)
            and sum(len(found.records) for found in own) == self._records
            and (state.log.generation, state.log.offset) == (own[-1].generation, own[-1].next)
        )


def _at(state: State, place: tuple[int, int]) -> Manifest | None:
    return next((found for found in state.chain if found.place == place), None)


def _objects(state: State, cut: Manifest) -> dict[int, Record | None]:
    """What stands under each key of a cut, by offset."""
    found = {(o.generation, o.first, o.offset): o.record for o in state.objects}
    return {o: found.get((*cut.place, o)) for o in range(cut.first, cut.next)}


def _put(state: State, cut: Manifest, offset: int, record: Record) -> State:
    """The state after a put with `If-None-Match`."""
    if _objects(state, cut)[offset] is not None:
        return state
    return state._replace(objects=tuple(sorted((*state.objects, Object(*cut.place, offset, record)))))  # fmt: skip


def _completed(lander: Lander) -> Lander:
    """Behind a complete cut: of one's own topic polling goes on, of an earlier one the end is due."""
    cut = lander.last
    if cut.topic != lander.topic:
        return lander._replace(doing="end", todo=())
    return Lander("poll", lander.topic, cut.generation, cut.next)


def _lost(state: State, cut: Manifest) -> tuple[int, ...] | None:
    """What the note of a cut tells; None where there is none."""
    return next((note.lost for note in state.notes if (note.generation, note.first) == cut.place), None)  # fmt: skip


def is_complete(state: State, cut: Manifest) -> bool:
    """Whether each object is there, or told as lost."""
    told = _lost(state, cut) or ()
    return all(
        offset in told or record not in (None, NOTHING)
        for offset, record in _objects(state, cut).items()
    )


def count(state: State) -> Counted:
    """The hour log after an entry for all complete cuts behind what it covers."""
    log = state.log
    for cut in state.chain:
        if cut.place < (log.generation, log.offset):
            continue
        if cut is state.chain[-1] and not is_complete(state, cut):
            break
        here = len(cut.records) - len(_lost(state, cut) or ())
        log = Counted(cut.generation, cut.next, log.records + here)
    return log


def _wrong_chain(state: State) -> str | None:
    for cut in state.chain:
        if any(record[0] != cut.topic for record in cut.records):
            return "a record stands under another topic's chain"
    claimed = [record for cut in state.chain for record in cut.records]
    if len(claimed) != len(set(claimed)):
        return "a record is landed twice"
    for one, following in zip(state.chain, state.chain[1:], strict=False):
        if one.generation == following.generation and one.next != following.first:
            return "a generation has a gap or an overlap"
        if one.generation == following.generation and one.topic != following.topic:
            return "a generation is of two topics"
        if not is_complete(state, one):
            return "a cut with a successor lacks an object"
    by_topic: dict[int, int] = {}
    for cut in state.chain:
        if not cut.is_end and by_topic.setdefault(cut.topic, cut.first) != 0:
            return "a topic's beginning is passed over"
    return None


def _wrong_objects(state: State) -> str | None:
    for cut in state.chain:
        for offset, record in _objects(state, cut).items():
            if record not in (None, NOTHING, cut.records[offset - cut.first]):
                return "an object differs from its manifest"
            told = offset in (_lost(state, cut) or ())
            if told and record not in (None, NOTHING):
                return "a note tells as lost what landed"
            if told and cut.topic == state.id:
                return "a record is lost though its topic stands"
    return None


def _wrong_log(state: State) -> str | None:
    """The log counts what landed below its place, and nothing but what landed."""
    place = state.log.generation, state.log.offset
    covered = [cut for cut in state.chain if (cut.generation, cut.next) <= place]
    landed = sum(
        record not in (None, NOTHING) for cut in covered for record in _objects(state, cut).values()
    )
    if state.log.records > landed:
        return "the hour log counts what did not land"
    if state.log.records < landed:
        return "the hour log never counts what landed"
    return None
