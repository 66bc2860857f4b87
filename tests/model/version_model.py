"""An hour that is compacted while late objects come and a lander that slept puts an old one back.

An object is a name and the records that it holds. Version n of the hour is folder n; folder 0 is where
landers write. Readers read the folder that Glue names. The compactor may crash and start again; it
removes inputs once a version stands. `without` names a safeguard that is taken out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

Object = tuple[str, frozenset[str]]
FIRST = frozenset({("a", frozenset("a")), ("b", frozenset("b"))})
"""What was there when the hour was sealed."""
LATE: Object = ("late", frozenset({"late"}))
SLEPT: Object = ("a", frozenset("a"))
"""What the lander that slept puts again: another one completed its cut long ago."""


class Compactor(NamedTuple):
    at: str = "new"
    number: int = 0
    inputs: frozenset[Object] = frozenset()


class State(NamedTuple):
    folders: tuple[frozenset[Object], ...]
    versions: tuple[frozenset[Object], ...]
    """Inputs of version 1, 2, …: the version records."""
    glue: int
    compactor: Compactor
    lander: str
    """Where the lander of the late object is."""
    seen: int
    """The folder that it found in Glue."""
    told: bool
    """Its log entry stands."""
    sleeper: bool
    """Whether the lander that slept has still to wake."""
    crashes: int


@dataclass(frozen=True)
class VersionModel:
    """`versions` are made one after the other."""

    versions: int
    crashes: int
    without: str = ""

    def start(self) -> State:
        folders = (FIRST, *(frozenset[Object]() for _ in range(self.versions)))
        return State(folders, (), 0, Compactor(), "write", 0, False, True, self.crashes)

    def steps(self, s: State) -> Iterator[tuple[str, State]]:
        if s.sleeper:
            yield "the sleeper puts", _put(s, 0, SLEPT)._replace(sleeper=False)
        yield from self._land(s)
        for name, after in self._compact(s):
            yield name, after
        if s.crashes and s.compactor.at not in ("new", "done"):
            yield "the compactor crashes", s._replace(compactor=Compactor(), crashes=s.crashes - 1)

    def _land(self, s: State) -> Iterator[tuple[str, State]]:
        match s.lander:
            case "write":
                if self.without == "writing first":
                    yield "the lander looks", s._replace(lander="write late", seen=s.glue)
                else:
                    yield "the lander puts", _put(s, 0, LATE)._replace(lander="look")
            case "write late":
                after = "copy" if s.seen else "tell"
                yield "the lander puts", _put(s, 0, LATE)._replace(lander=after)
            case "look":
                blind = self.without == "looking" or s.glue == 0
                after = "tell" if blind else "copy"
                yield "the lander looks", s._replace(lander=after, seen=s.glue)
            case "copy":
                after = "tell" if self.without in ("looking again", "writing first") else "again"
                taken = any(LATE in inputs for inputs in s.versions[: s.seen])
                if taken and self.without != "the lander's look at the inputs":
                    yield "the lander finds it taken", s._replace(lander=after)
                else:
                    yield "the lander copies", _put(s, s.seen, LATE)._replace(lander=after)
            case "again":
                after = "tell" if s.glue == s.seen else "copy"
                yield "the lander looks again", s._replace(lander=after, seen=s.glue)
            case "tell":
                yield "the lander's entry stands", s._replace(lander="done", told=True)

    def _compact(self, s: State) -> Iterator[tuple[str, State]]:
        me = s.compactor
        match me.at:
            case "new":
                yield self._begin(s)
            case "claim":
                after = s._replace(versions=(*s.versions, me.inputs))
                yield "the version is claimed", _at(after, "output")
            case "output":
                records = frozenset(r for _, held in me.inputs for r in held)
                target = 0 if self.without == "folders" else me.number
                after = _put(s, target, (f"version {me.number}", records))
                yield "its output is written", _at(after, "publish")
            case "publish":
                glue = 0 if self.without == "folders" else me.number
                again = "remove" if self.without == "listing again" else "list"
                yield "it is published", _at(s._replace(glue=glue), again)
            case "list":
                yield "what came meanwhile is copied", _at(self._copied(s), "remove")
            case "remove":
                yield "its inputs are removed", _at(self._removed(s), "new")

    def _begin(self, s: State) -> tuple[str, State]:
        """Goes on with the last version where that is not published, else begins the next."""
        number = len(s.versions)
        unfinished = number and (s.glue != number or s.compactor.number == -1)
        if number and (unfinished or number == self.versions):
            if s.glue == number and self._tidy(s):
                return "all is compacted", _at(s, "done")
            inputs = s.versions[number - 1]
            return "a version is taken up again", s._replace(
                compactor=Compactor("output", number, inputs)
            )
        inputs = s.folders[s.glue]
        return "the folder is listed", s._replace(compactor=Compactor("claim", number + 1, inputs))

    def _tidy(self, s: State) -> bool:
        """Nothing is left to copy or to remove."""
        ready = self._copied(s) if self.without != "listing again" else s
        return self._removed(ready).folders == s.folders

    def _copied(self, s: State) -> State:
        """Every object of the base folder that no version took, by its name."""
        known = s.versions[-1:] if self.without == "inputs of earlier versions" else s.versions
        taken = {name for inputs in known for name, _ in inputs}
        for held in sorted(s.folders[0]):
            if held[0] not in taken:
                s = _put(s, len(s.versions), held)
        return s

    def _removed(self, s: State) -> State:
        """The inputs of the last version, from the folders before it."""
        taken = {name for name, _ in s.versions[-1]}
        last = 1 if self.without == "folders" else len(s.versions)
        folders = tuple(
            frozenset(o for o in folder if o[0] not in taken) if number < last else folder
            for number, folder in enumerate(s.folders)
        )
        return s._replace(folders=folders)

    def check(self, s: State, last: bool) -> str | None:
        """The promise that a state breaks."""
        read = sorted(record for _, held in s.folders[s.glue] for record in held)
        if len(read) != len(set(read)):
            return "a reader sees a record twice"
        if not {"a", "b"} <= set(read):
            return "a reader misses a record"
        settled = s.compactor.at in ("new", "done", "claim")
        if s.told and settled and "late" not in read:
            return "a reader misses a record that the log tells"
        if last and "late" not in read:
            return "a record is lost"
        return None


def _put(s: State, folder: int, held: Object) -> State:
    """Put an object where there is none of its name."""
    if any(name == held[0] for name, _ in s.folders[folder]):
        return s
    folders = list(s.folders)
    folders[folder] |= {held}
    return s._replace(folders=tuple(folders))


def _at(s: State, at: str) -> State:
    return s._replace(compactor=s.compactor._replace(at=at))
