"""A model of one hour's versions: compaction, late objects, publication, removal.

Processes: landers, each with an object of its own that arrives late, and compactors. Each is paused
between any two steps for any time, and killed and started again at any step, any number of times.
Beside them a zombie puts any object back into the base folder that landed and was removed.

Stores: folders (0 is the base folder, n that of version n), the versions' records, the location that
the catalog tells readers, what the hour log counts. An object holds one record of the same number;
an output of version n holds what its inputs held. Every write but the catalog's carries
`If-None-Match`.

The grace is a condition here: superseded objects are removed only when no other compactor stands
between its look for newer versions and its call to the catalog. A compactor that sleeps there for
longer than the grace is the hole that docs/compaction.md names; the model without the grace has it.

Bounds: explored whole with 2 compactors, 2 versions and a late object; one compactor, 3 versions and
a late object; one compactor, 2 versions and 2 late objects. Not in this model: an output in parts,
replays, what is given up of a cut; a removal is one step with the look at the location before it.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from model_checker import put


class Safeguard(StrEnum):
    """What the protocol rests on. A model without one of them is a model of another protocol."""

    COMPACTOR_LOOKS_AGAIN = (
        "a compactor lists the base folder after its record, before it publishes"
    )
    LANDER_LOOKS = "a lander copies its object to the versions before the hour log counts it"
    LANDER_LOOKS_AFTER_ITS_PUT = "a lander looks for versions after it wrote, not before"
    OUTPUTS_FIRST = "a version is published after its outputs are written"
    INPUTS_ARE_NOT_COPIED = "an object that a version was made of is not copied into it"
    EVERY_VERSION_IS_FOLLOWED = "late objects are copied to all versions, not the newest alone"
    RECORD_HAS_ONE_WRITER = "a version's record is never overwritten"
    REMOVED_AFTER_PUBLICATION = "superseded objects are removed after readers were pointed away"
    GRACE = "superseded objects stay for those who are slow"


Names = frozenset[int]
"""Objects by their number, outputs of version n as -n."""


class Lander(NamedTuple):
    """`number` is the object's; `todo` the versions to copy it to."""

    number: int
    doing: str
    todo: tuple[int, ...] = ()


class Compactor(NamedTuple):
    """`known`: the versions that it knows of. `names`: inputs chosen. `todo`: (version, object)."""

    doing: str = "rest"
    known: int = 0
    names: tuple[int, ...] = ()
    todo: tuple[tuple[int, int], ...] = ()
    has_compacted: bool = False


class State(NamedTuple):
    """The stores and the processes. `records` are the inputs of version 1, 2, …"""

    folders: tuple[Names, ...]
    records: tuple[tuple[int, ...], ...]
    outputs: tuple[tuple[int, ...], ...]
    """Each output that was ever written, with its version's inputs."""
    location: int
    counted: Names
    landers: tuple[Lander, ...]
    compactors: tuple[Compactor, ...]


REST = Compactor()


class Versions:
    """`landed` objects are there and counted at the beginning; each lander brings one more."""

    def __init__(
        self,
        landed: int,
        late: int,
        compactors: int,
        versions: int,
        without: Safeguard | None = None,
    ) -> None:
        self._landed = frozenset(range(1, landed + 1))
        self._late = frozenset(range(landed + 1, landed + late + 1))
        self._compactors = compactors
        self._versions = versions
        self._without = without

    def _keeps(self, safeguard: Safeguard) -> bool:
        return safeguard is not self._without

    def start(self) -> State:
        """Readers see the base folder."""
        folders = (self._landed, *[frozenset()] * self._versions)
        landers = tuple(Lander(number, self._lander_starts) for number in sorted(self._late))
        compactors = (REST,) * self._compactors
        return State(folders, (), (), 0, self._landed, landers, compactors)

    @property
    def _lander_starts(self) -> str:
        return "put" if self._keeps(Safeguard.LANDER_LOOKS_AFTER_ITS_PUT) else "look"

    def steps(self, state: State) -> Iterator[tuple[str, State]]:
        """A zombie, a lander or a compactor."""
        for number in sorted(self._landed - state.folders[0]):
            yield f"zombie: puts {number} back", _put(state, 0, number)
        for at, lander in enumerate(state.landers):
            for name, after, mine in self._lander(state, lander):
                yield f"lander {lander.number}: {name}", after._replace(landers=put(state.landers, at, mine))  # fmt: skip
        for at, compactor in enumerate(state.compactors):
            if at and compactor == state.compactors[at - 1]:
                continue
            for name, after, mine in self._compactor(state, at):
                yield f"compactor: {name}", after._replace(compactors=put(state.compactors, at, mine))  # fmt: skip

    def _lander(self, state: State, lander: Lander) -> Iterator[tuple[str, State, Lander]]:
        if lander.doing not in (self._lander_starts, "done"):
            yield "killed", state, Lander(lander.number, self._lander_starts)
        match lander.doing:
            case "put":
                then = "look" if self._lander_starts == "put" else "copy"
                yield "puts its object", _put(state, 0, lander.number), lander._replace(doing=then)
            case "look":
                then = "copy" if self._lander_starts == "put" else "put"
                todo = self._versions_without(state, lander.number)
                yield f"copies to versions {todo}", state, lander._replace(doing=then, todo=todo)
            case "copy":
                for version in lander.todo[:1]:
                    rest = lander._replace(todo=lander.todo[1:])
                    for after in _copied(state, version, lander.number):
                        yield f"copies to version {version}", after, rest
                if not lander.todo:
                    counted = state._replace(counted=state.counted | {lander.number})
                    yield "lets the hour log count it", counted, Lander(lander.number, "done")

    def _versions_without(self, state: State, number: int) -> tuple[int, ...]:
        """The versions that lack an object of the base folder by their records."""
        if not self._keeps(Safeguard.LANDER_LOOKS):
            return ()
        return tuple(v for v, name in self._copies(state, len(state.records), {number}))

    def _copies(self, state: State, known: int, names: set[int]) -> list[tuple[int, int]]:
        """Which objects of the base folder belong into which version's folder."""
        every = self._keeps(Safeguard.EVERY_VERSION_IS_FOLLOWED)
        versions = range(1 if every else max(known, 1), known + 1)
        if not self._keeps(Safeguard.INPUTS_ARE_NOT_COPIED):
            return [(v, name) for v in versions for name in sorted(names)]
        return [(v, name) for v in versions for name in sorted(names - superseded(state, v))]

    def _compactor(self, state: State, at: int) -> Iterator[tuple[str, State, Compactor]]:
        compactor = state.compactors[at]
        known = compactor.known
        if compactor != REST:
            yield f"killed while it would {compactor.doing}", state, REST
        match compactor.doing:
            case "rest":
                newest = len(state.records)
                then = compactor._replace(doing="complete" if newest else "choose", known=newest)
                yield f"begins, newest version {newest}", state, then
            case "choose":
                yield from self._choose(state, compactor)
            case "claim":
                yield self._claim(state, compactor)
            case "write":
                # it holds what it read before the claim
                yield "writes its output", _put(state, known, -known), compactor._replace(doing="settle")  # fmt: skip
            case "settle":
                newest = len(state.records)
                yield f"settles version {newest}", state, compactor._replace(doing="complete", known=newest)  # fmt: skip
            case "complete":
                yield from self._complete(state, compactor)
            case "list":
                todo = self._wanted(state, known)
                yield f"is to copy {todo}", state, compactor._replace(doing="spread", todo=todo)
            case "spread":
                yield from self._spread(state, compactor)
            case "look":
                yield self._look(state, compactor)
            case "publish":
                moved = state._replace(location=known)
                yield f"publishes version {known}", moved, compactor._replace(doing="look again")
            case "look again":
                yield self._look_again(state, compactor)
            case "remove":
                yield from self._remove(state, at)

    def _choose(self, state: State, compactor: Compactor) -> Iterator[tuple[str, State, Compactor]]:
        """Compaction of what the newest version holds; else what is superseded may go."""
        known = compactor.known
        names = tuple(sorted(state.folders[known]))
        if names and known < self._versions and not compactor.has_compacted:
            chosen = compactor._replace(doing="claim", names=names)
            yield f"reads {names} of folder {known}", state, chosen
        if known:
            yield "is to remove", state, compactor._replace(doing="remove")

    def _claim(self, state: State, compactor: Compactor) -> tuple[str, State, Compactor]:
        number = compactor.known + 1
        mine = Compactor("write", number, has_compacted=True)
        if not self._keeps(Safeguard.OUTPUTS_FIRST):
            mine = mine._replace(doing="publish")
        if len(state.records) < number:
            claimed = state._replace(records=(*state.records, compactor.names))
            return f"claims version {number} of {compactor.names}", claimed, mine
        if self._keeps(Safeguard.RECORD_HAS_ONE_WRITER):
            return f"finds version {number} claimed", state, REST
        records = (*state.records[: number - 1], compactor.names, *state.records[number:])
        return f"overwrites version {number}: {compactor.names}", state._replace(records=records), mine  # fmt: skip

    def _complete(
        self, state: State, compactor: Compactor
    ) -> Iterator[tuple[str, State, Compactor]]:
        """The output of a version that another began is made of its inputs."""
        known = compactor.known
        then = compactor._replace(doing="list")
        if not self._keeps(Safeguard.COMPACTOR_LOOKS_AGAIN):
            then = compactor._replace(doing="look")
        if -known in state.folders[known]:
            yield "finds the output written", state, then
        elif state.folders[known - 1].issuperset(state.records[known - 1]):
            yield f"writes the output of version {known}", _put(state, known, -known), then

    def _wanted(self, state: State, known: int) -> tuple[tuple[int, int], ...]:
        wanted = self._copies(state, known, set(state.folders[0]))
        return tuple((v, name) for v, name in wanted if name not in state.folders[v])

    def _spread(self, state: State, compactor: Compactor) -> Iterator[tuple[str, State, Compactor]]:
        for version, name in compactor.todo[:1]:
            rest = compactor._replace(todo=compactor.todo[1:])
            for after in _copied(state, version, name):
                yield f"copies {name} to version {version}", after, rest
        if not compactor.todo:
            yield "has all late objects copied", state, compactor._replace(doing="look")

    def _look(self, state: State, compactor: Compactor) -> tuple[str, State, Compactor]:
        if state.location == compactor.known:
            return "finds its version published", state, compactor._replace(doing="look again")
        if len(state.records) != compactor.known:
            return "finds a newer version", state, compactor._replace(doing="settle")
        if not self._keeps(Safeguard.REMOVED_AFTER_PUBLICATION) and superseded_there(state):
            return "removes before it publishes", _without(state, compactor.known), compactor
        return "finds no newer version", state, compactor._replace(doing="publish")

    def _look_again(self, state: State, compactor: Compactor) -> tuple[str, State, Compactor]:
        if len(state.records) != compactor.known:
            return "finds a newer version", state, compactor._replace(doing="settle")
        return "has settled", state, compactor._replace(doing="choose")

    def _remove(self, state: State, at: int) -> Iterator[tuple[str, State, Compactor]]:
        known = state.compactors[at].known
        slow = any(
            other.doing == "publish" and other.known < known
            for place, other in enumerate(state.compactors)
            if place != at
        )
        if state.location != known:
            yield "finds readers elsewhere", state, REST
        elif not slow or not self._keeps(Safeguard.GRACE):
            yield f"removes what version {known} supersedes", _without(state, known), REST

    def wrong(self, state: State) -> str | None:
        """Judge what a reader sees now."""
        seen = _seen(state)
        if len(seen) != len(set(seen)):
            return "a reader sees a record twice"
        if not state.counted.issubset(seen):
            return "a reader misses a record that the hour log counts"
        return None

    def ended(self, state: State) -> bool:
        """All late objects are counted, and readers are at the newest version."""
        return (
            all(lander.doing == "done" for lander in state.landers)
            and all(compactor == REST for compactor in state.compactors)
            and state.location == len(state.records)
            and set(_seen(state)) == self._landed | self._late
        )


def superseded(state: State, version: int) -> Names:
    """What the versions up to one were made of."""
    return frozenset(name for record in state.records[:version] for name in record)


def superseded_there(state: State) -> bool:
    """Whether the base folder has inputs still."""
    return bool(state.folders[0] & superseded(state, len(state.records)))


def _put(state: State, folder: int, name: int) -> State:
    """The state after a put with `If-None-Match`."""
    if name in state.folders[folder]:
        return state
    folders = list(state.folders)
    folders[folder] = folders[folder] | {name}
    if name < 0:
        made = {(name, *state.records[-name - 1]), *state.outputs}
        state = state._replace(outputs=tuple(sorted(made)))
    return state._replace(folders=tuple(folders))


def _copied(state: State, version: int, name: int) -> Iterator[State]:
    """After a copy out of the base folder. One that is gone is passed over, or was read before."""
    yield _put(state, version, name)
    if name not in state.folders[0]:
        yield state


def _without(state: State, known: int) -> State:
    """The state without what a version supersedes: inputs, and the folders of older versions."""
    gone = superseded(state, known)
    older = [frozenset()] * (known - 1)
    folders = (state.folders[0] - gone, *older, *state.folders[known:])
    return state._replace(folders=folders)


def _seen(state: State) -> list[int]:
    """The records of the folder that readers are pointed to."""
    made = {output[0]: output[1:] for output in state.outputs}
    seen: list[int] = []
    todo = list(state.folders[state.location])
    for name in todo:
        if name < 0:
            todo += made[name]
        else:
            seen.append(name)
    return seen
