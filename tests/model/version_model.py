"""An hour that is compacted by two processes while late objects come and an old one is put back.

Objects are known by their names. Version n of the hour is a record, which names its inputs, and folder n;
folder 0, the base folder, is where landers write. Readers read the folder that Glue names. Compactors
crash, sleep and overtake each other; docs/compaction.md has the protocol. That nobody sleeps between
its last look and its call to Glue for longer than the grace is assumed, as it is there. `without`
names a safeguard that is taken out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

FIRST = frozenset("ab")
"""What the hour held when it was sealed."""
LATE = "late"
SLEPT = "a"
"""What a lander that slept puts again: another one completed its cut long ago."""


class Compactor(NamedTuple):
    at: str = "new"
    number: int = 0
    inputs: frozenset[str] = frozenset()


class State(NamedTuple):
    folders: tuple[frozenset[str], ...]
    records: tuple[frozenset[str], ...]
    """Inputs of version 1, 2, …"""
    glue: int
    compactors: tuple[Compactor, ...]
    lander: str
    """Where the lander of the late object is."""
    seen: int
    """How many records it found."""
    sleeper: bool
    """Whether the lander that slept has still to wake."""
    crashes: int


@dataclass(frozen=True)
class VersionModel:
    """`versions` may be made, by `compactors` at once."""

    versions: int
    compactors: int
    crashes: int
    without: str = ""

    def start(self) -> State:
        folders = (FIRST, *(frozenset[str]() for _ in range(self.versions)))
        compactors = (Compactor(),) * self.compactors
        return State(folders, (), 0, compactors, "put", 0, True, self.crashes)

    def steps(self, s: State) -> Iterator[tuple[str, State]]:
        if s.sleeper:
            yield "the sleeper puts", _put(s, 0, SLEPT)._replace(sleeper=False)
        yield from self._land(s)
        for number, me in enumerate(s.compactors):
            step = self._compact(s, me)
            if step is not None:
                name, after, world = step
                yield f"{number}: {name}", _turn(world, number, after)
            if s.crashes and me.at not in ("new", "done"):
                crashed = s._replace(crashes=s.crashes - 1)
                yield f"{number} crashes", _turn(crashed, number, Compactor())

    def _land(self, s: State) -> Iterator[tuple[str, State]]:
        blind = self.without == "the lander's look"
        match s.lander:
            case "put" if self.without == "writing before looking":
                yield "the lander looks", s._replace(lander="put late", seen=len(s.records))
            case "put":
                yield "the lander puts", _put(s, 0, LATE)._replace(lander="look")
            case "put late":
                yield "the lander puts", _put(s, 0, LATE)._replace(lander="copy")
            case "look":
                seen = 0 if blind else len(s.records)
                yield "the lander looks", s._replace(lander="copy", seen=seen)
            case "copy":
                for number in range(1, s.seen + 1):
                    if self.without == "copies into every version" and number < s.seen:
                        continue
                    if LATE not in self._superseded(s, number) or self.without == "names":
                        s = _put(s, number, LATE)
                yield "the lander copies, and its entry stands", s._replace(lander="told")

    def _compact(self, s: State, me: Compactor) -> tuple[str, Compactor, State] | None:
        match me.at:
            case "new":
                return self._begun(s)
            case "claim":
                if len(s.records) != me.number - 1:
                    return "finds the number taken", Compactor(), s
                after = s._replace(records=(*s.records, me.inputs))
                return "claims", me._replace(at="output"), after
            case "output":
                at = "look" if self.without == "copies before publishing" else "copy"
                target = 0 if self.without == "folders" else me.number
                return "writes", me._replace(at=at), _put(s, target, f"version {me.number}")
            case "copy":
                late = self.without == "copies before publishing"
                after = self._copied(s, me.number)
                return "copies", me._replace(at="settled" if late else "look"), after
            case "look":
                if me.number < len(s.records):
                    return "finds a newer version", Compactor(), s
                return "looks", me._replace(at="publish"), s
            case "publish":
                glue = 0 if self.without == "folders" else me.number
                at = "copy" if self.without == "copies before publishing" else "settled"
                return "publishes", me._replace(at=at), s._replace(glue=glue)
            case "settled":
                if me.number < len(s.records) and self.without != "the look after publishing":
                    return "finds a newer version", Compactor(), s
                return "is settled", me._replace(at="remove"), s
            case "remove":
                asleep = any(other.at == "publish" for other in s.compactors)
                if asleep:
                    return None  # the grace has not passed
                if s.glue != me.number and self.without not in (
                    "folders",
                    "the look after publishing",
                ):
                    return "finds another published", Compactor(), s
                return "removes", Compactor(), self._removed(s, me.number)
        return None

    def _begun(self, s: State) -> tuple[str, Compactor, State]:
        newest = len(s.records)
        if newest and s.glue != newest and self.without != "folders":
            return "takes the newest up", Compactor("output", newest, s.records[-1]), s
        if newest < self.versions:
            return "lists", Compactor("claim", newest + 1, s.folders[newest]), s
        if self._removed(s, newest).folders != s.folders:
            return "finds what is superseded", Compactor("remove", newest), s
        return "has nothing to do", Compactor("done"), s

    def _superseded(self, s: State, number: int) -> frozenset[str]:
        """Names that are in version `number` by way of an output."""
        first = number - 1 if self.without == "inputs of earlier versions" else 0
        return frozenset().union(*s.records[first:number])

    def _copied(self, s: State, number: int) -> State:
        if self.without == "the compactor's look":
            return s
        for name in sorted(s.folders[0] - self._superseded(s, number)):
            s = _put(s, number, name)
        return s

    def _removed(self, s: State, number: int) -> State:
        """The inputs from the base folder, and older versions' folders."""
        if self.without == "folders":
            return s._replace(folders=(s.folders[0] - s.records[number - 1], *s.folders[1:]))
        kept = s.folders[0] - frozenset().union(*s.records[:number])
        empty = (frozenset[str](),) * (number - 1)
        return s._replace(folders=(kept, *empty, *s.folders[number:]))

    def _lines(self, s: State, name: str) -> list[str]:
        """What an object holds."""
        if not name.startswith("version "):
            return [name]
        inputs = s.records[int(name.removeprefix("version ")) - 1]
        return [line for one in inputs for line in self._lines(s, one)]

    def check(self, s: State, last: bool) -> str | None:
        """The promise that a state breaks."""
        read = [line for name in s.folders[s.glue] for line in self._lines(s, name)]
        if len(read) != len(set(read)):
            return "a reader sees a line twice"
        if not set(read) >= FIRST:
            return "a reader misses a line"
        if s.lander == "told" and LATE not in read:
            return "a reader misses a line that the log tells"
        if last and s.glue != len(s.records):
            return "an old version is published"
        return None


def _put(s: State, folder: int, name: str) -> State:
    """Put an object where there is none of its name."""
    folders = list(s.folders)
    folders[folder] |= {name}
    return s._replace(folders=tuple(folders))


def _turn(s: State, number: int, compactor: Compactor) -> State:
    compactors = list(s.compactors)
    compactors[number] = compactor
    return s._replace(compactors=tuple(sorted(compactors, key=repr)))
