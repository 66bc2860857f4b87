"""The landing protocol of one partition: landers that crash and pause, a topic made again.

A record is (topic, offset), of data type `offset % 2`. Kafka delivers by the topic's name: who polls
gets records of the topic as it is now, whatever it believes. S3 has manifests, objects and notes; every
write is conditional. `without` names a safeguard that is taken out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

Record = tuple[int, int]
Key = tuple[int, int]
"""Generation and first offset."""
NOTHING: tuple[Record, ...] = ()
"""The object that stands where one was given up."""


class Claim(NamedTuple):
    """A manifest: a cut, or the end of a generation."""

    kind: str
    topic: int
    next: int
    promised: tuple[Record, ...] = ()


class Lander(NamedTuple):
    """Where a lander is. `key` is the place of its lane, or of the cut that it completes."""

    at: str = "new"
    topic: int = -1
    key: Key = (0, 0)
    held: tuple[Record, ...] = ()
    todo: tuple[int, ...] = ()
    seen: Key | None = None


class State(NamedTuple):
    topic: int
    chain: tuple[tuple[Key, Claim], ...]
    objects: tuple[tuple[tuple[Key, int], tuple[Record, ...]], ...]
    notes: frozenset[Key]
    logged: Key
    counted: int
    landers: tuple[Lander, ...]
    crashes: int
    remakes: int


@dataclass(frozen=True)
class LandingModel:
    """`records` of each topic; `crashes` and `remakes` are how many may happen in all."""

    records: int
    landers: int
    crashes: int
    remakes: int
    without: str = ""

    def start(self) -> State:
        new = (Lander(),) * self.landers
        return State(0, (), (), frozenset(), (0, 0), 0, new, self.crashes, self.remakes)

    def steps(self, s: State) -> Iterator[tuple[str, State]]:
        if s.remakes:
            yield "topic made again", s._replace(topic=s.topic + 1, remakes=s.remakes - 1)
        for number, lander in enumerate(s.landers):
            for name, after, world in self._acts(s, lander):
                landers = list(s.landers)
                landers[number] = after
                # landers are alike: their order does not matter
                yield f"{number}: {name}", world._replace(landers=tuple(sorted(landers, key=repr)))
            if s.crashes and lander.at not in ("new", "done"):
                landers = list(s.landers)
                landers[number] = Lander()
                yield (
                    f"{number} crashes",
                    s._replace(landers=tuple(sorted(landers, key=repr)), crashes=s.crashes - 1),
                )
        yield from self._log(s)

    def _acts(self, s: State, me: Lander) -> Iterator[tuple[str, Lander, State]]:
        chain, objects = dict(s.chain), dict(s.objects)
        match me.at:
            case "new" if self.without == "asking after reading":
                yield "asks for the id", me._replace(at="read", topic=s.topic), s
            case "new":
                yield "reads the chain", me._replace(at="id", seen=max(chain, default=None)), s
            case "read":
                me = me._replace(seen=max(chain, default=None))
                yield self._opened(s, me, chain, me.topic)
            case "id":
                yield self._opened(s, me, chain, s.topic)
            case "lane":
                offset = me.key[1] + len(me.held)
                if offset < self.records and len(me.held) < 2:
                    held = (*me.held, (s.topic, offset))
                    yield "polls", me._replace(held=held), s
                if me.held:
                    yield self._asked(s, me)
                elif offset >= self.records:
                    same = s.topic == me.topic
                    yield "is at the end", Lander("done", me.topic) if same else Lander(), s
            case "claim":
                yield self._claimed(s, me, chain)
            case "put":
                yield self._put(s, me, objects)
            case "complete":
                yield self._completed(s, me, chain, objects)
            case "give-up":
                yield self._given_up(s, me, objects)
            case "note":
                yield self._noted(s, me, chain, objects)
            case "end":
                yield self._ended(s, me, chain)
            case "done":
                if s.topic != me.topic:
                    yield "looks again", Lander(), s

    def _opened(
        self, s: State, me: Lander, chain: dict[Key, Claim], topic: int
    ) -> tuple[str, Lander, State]:
        """Knows the topic's id and the chain's end, `seen`."""
        lane = Lander("lane", topic)
        if me.seen is None:
            return "opens", lane, s
        last = chain[me.seen]
        if last.kind == "end":
            return "opens", lane._replace(key=(me.seen[0] + 1, 0)), s
        if self.without == "completion" and last.topic == topic:
            return "opens", lane._replace(key=(me.seen[0], last.next)), s
        return "opens", Lander("complete", topic, me.seen), s

    def _asked(self, s: State, me: Lander) -> tuple[str, Lander, State]:
        if s.topic == me.topic or self.without == "asking":
            return "asks", me._replace(at="claim"), s
        return "drops what it holds", Lander(), s

    def _claimed(self, s: State, me: Lander, chain: dict[Key, Claim]) -> tuple[str, Lander, State]:
        standing = chain.get(me.key)
        types = tuple(sorted({offset % 2 for _, offset in me.held}))
        if standing is None:
            cut = Claim("cut", me.topic, me.key[1] + len(me.held), me.held)
            after = s._replace(chain=_with(s.chain, me.key, cut))
            return "claims", me._replace(at="put", todo=types), after
        if self.without == "adoption":
            return "claims in vain", me._replace(at="put", todo=types), s
        if standing.kind == "end" or standing.topic != me.topic:
            return "finds the chain closed", Lander(), s
        return "adopts", Lander("complete", me.topic, me.key), s

    def _put(
        self, s: State, me: Lander, objects: dict[tuple[Key, int], tuple[Record, ...]]
    ) -> tuple[str, Lander, State]:
        if not me.todo:
            if any(objects.get((me.key, t)) == NOTHING for t in _types(me.held)):
                return "finds one given up", Lander("note", me.topic, me.key), s
            return "goes on", Lander("lane", me.topic, (me.key[0], me.key[1] + len(me.held))), s
        place = (me.key, me.todo[0])
        after = me._replace(todo=me.todo[1:])
        if place in objects:
            return "finds an object", after, s
        return "puts", after, s._replace(objects=_with(s.objects, place, _of(me.held, place[1])))

    def _completed(
        self,
        s: State,
        me: Lander,
        chain: dict[Key, Claim],
        objects: dict[tuple[Key, int], tuple[Record, ...]],
    ) -> tuple[str, Lander, State]:
        cut = chain[me.key]
        missing = tuple(t for t in _types(cut.promised) if not objects.get((me.key, t)))
        beyond = Lander("lane", me.topic, (me.key[0], cut.next))
        if cut.topic != me.topic and self.without != "generations":
            beyond = Lander("end", me.topic, me.key)
        if not missing:
            return "finds it complete", beyond, s
        if any((me.key, t) in objects for t in missing) or s.topic != cut.topic:
            return "gives up", Lander("give-up", me.topic, me.key, todo=missing), s
        # what Kafka gives for the range now; the topic may be another since it was asked
        again = tuple((s.topic, offset) for _, offset in cut.promised)
        return "reads again", Lander("put", me.topic, me.key, again, missing), s

    def _given_up(
        self, s: State, me: Lander, objects: dict[tuple[Key, int], tuple[Record, ...]]
    ) -> tuple[str, Lander, State]:
        if not me.todo:
            return "gave up", me._replace(at="note"), s
        place = (me.key, me.todo[0])
        after = me._replace(todo=me.todo[1:])
        if place in objects or self.without == "given-up objects":
            return "finds it there", after, s
        return "puts nothing", after, s._replace(objects=_with(s.objects, place, NOTHING))

    def _noted(
        self,
        s: State,
        me: Lander,
        chain: dict[Key, Claim],
        objects: dict[tuple[Key, int], tuple[Record, ...]],
    ) -> tuple[str, Lander, State]:
        cut = chain[me.key]
        lost = any(not objects.get((me.key, t)) for t in _types(cut.promised))
        after = s._replace(notes=s.notes | {me.key}) if lost else s
        if cut.topic == me.topic or self.without == "generations":
            return "notes", Lander("lane", me.topic, (me.key[0], cut.next)), after
        return "notes", Lander("end", me.topic, me.key), after

    def _ended(self, s: State, me: Lander, chain: dict[Key, Claim]) -> tuple[str, Lander, State]:
        generation, offset = me.key[0], chain[me.key].next
        begin = Lander("lane", me.topic, (generation + 1, 0))
        standing = chain.get((generation, offset))
        if self.without == "end" or (standing is not None and standing.kind == "end"):
            return "begins the next generation", begin, s
        if standing is not None:
            return "finds a later cut", Lander(), s
        end = Claim("end", chain[me.key].topic, offset)
        after = s._replace(chain=_with(s.chain, (generation, offset), end))
        return "closes the chain", begin, after

    def _log(self, s: State) -> Iterator[tuple[str, State]]:
        """The hour log: counts a cut that has a successor, or whose objects are there."""
        chain, objects = dict(s.chain), dict(s.objects)
        generation = s.logged[0]
        standing = chain.get(s.logged)
        if standing is None:
            if (generation + 1, 0) in chain:
                yield "log: next generation", s._replace(logged=(generation + 1, 0))
            return
        if standing.kind == "end":
            if (generation + 1, 0) in chain:
                yield "log: next generation", s._replace(logged=(generation + 1, 0))
            return
        there = all(objects.get((s.logged, t)) for t in _types(standing.promised))
        followed = any(key > s.logged for key in chain)
        if self.without == "complete cuts in the log":
            there = True
        if not (there or followed or s.logged in s.notes):
            return
        lost = 0
        if s.logged in s.notes:
            lost = sum(
                len(_of(standing.promised, t))
                for t in _types(standing.promised)
                if not objects.get((s.logged, t))
            )
        counted = s.counted + len(standing.promised) - lost
        yield "log: counts", s._replace(logged=(generation, standing.next), counted=counted)

    def check(self, s: State, last: bool) -> str | None:
        """The promise that a state breaks."""
        chain, objects = dict(s.chain), dict(s.objects)
        landed = [record for held in objects.values() for record in held]
        if len(landed) != len(set(landed)):
            return "a record is in two objects"
        for (generation, first), claim in chain.items():
            offsets = [(claim.topic, o) for o in range(first, claim.next)]
            if claim.kind == "cut" and list(claim.promised) != offsets:
                return "a cut holds another topic's records"
            after = [f for g, f in chain if g == generation and f > first]
            if claim.kind == "cut" and after and min(after) != claim.next:
                return "the chain has a gap or an overlap"
        for (key, t), held in objects.items():
            if held != NOTHING and held != _of(chain[key].promised, t):
                return "an object is not what its manifest promised"
        if not last:
            return None
        if not {(s.topic, o) for o in range(self.records)} <= set(landed):
            return "a record is lost"
        for key, claim in chain.items():
            there = all(objects.get((key, t)) for t in _types(claim.promised))
            if not there and key not in s.notes:
                return "a cut lacks an object, and nobody says so"
        if s.counted != len(landed):
            return "the hour log counts other than what is landed"
        return None


def _with(pairs, key, value):  # type: ignore[no-untyped-def]
    """Sorted pairs with one more."""
    return tuple(sorted((*pairs, (key, value))))


def _types(records: tuple[Record, ...]) -> tuple[int, ...]:
    return tuple(sorted({offset % 2 for _, offset in records}))


def _of(records: tuple[Record, ...], data_type: int) -> tuple[Record, ...]:
    return tuple(record for record in records if record[1] % 2 == data_type)
