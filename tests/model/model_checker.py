"""Explores a model: every state that any order of steps can reach, each judged.

Comes in: a model. Goes out: a `Report`. Breadth first, so the way to what is wrong is a shortest
one. Beside the states themselves one thing is judged: from each of them the end can be reached,
else processes wait for ever for what nobody does.
"""

from array import array
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

STUCK = "the end cannot be reached any more"


class Model(Protocol):
    """Processes around stores that they share. States hash; a step is named and atomic."""

    def start(self) -> Hashable:
        """The first state."""

    def steps(self, state: Hashable) -> Iterable[tuple[str, Hashable]]:
        """What can happen next, with the state that follows."""

    def wrong(self, state: Hashable) -> str | None:
        """What no state may be, by its name; None where all holds."""

    def ended(self, state: Hashable) -> bool:
        """Whether everybody has done what there was to do."""


@dataclass(frozen=True)
class Report:
    """What exploring found."""

    states: int
    steps: int
    ended: int
    wrong: str | None = None
    way: tuple[str, ...] = ()
    """The steps that lead to what is wrong."""
    state: Hashable = None

    def __str__(self) -> str:
        """The way to what is wrong, a step a line."""
        found = f"{self.wrong or 'all holds'}: {self.states:,} states, {self.steps:,} steps"
        return "\n".join([found, *self.way, str(self.state or "")])


def explore(model: Model) -> Report:
    """All states of a model, or those up to the first that is wrong."""
    states = [model.start()]
    numbers = {states[0]: 0}
    parents, names = array("l", [-1]), [""]
    before: list[list[int]] = [[]]
    ended: list[int] = []
    steps = 0

    def report(wrong: str | None = None, number: int = -1) -> Report:
        way = tuple(_way(number, parents, names))
        state = states[number] if wrong else None
        return Report(len(states), steps, len(ended), wrong, way, state)

    for number, state in enumerate(states):  # grows while it is gone through
        wrong = model.wrong(state)
        if wrong is not None:
            return report(wrong, number)
        if model.ended(state):
            ended.append(number)
        for name, following in model.steps(state):
            steps += 1
            found = numbers.setdefault(following, len(states))
            if found == len(states):
                states.append(following)
                parents.append(number)
                names.append(name)
                before.append([])
            before[found].append(number)
    stuck = _first_that_never_ends(before, ended)
    return report() if stuck is None else report(STUCK, stuck)


def _way(number: int, parents: array, names: list[str]) -> Iterator[str]:
    if number > 0:
        yield from _way(parents[number], parents, names)
        yield names[number]


def _first_that_never_ends(before: list[list[int]], ended: list[int]) -> int | None:
    ends = bytearray(len(before))
    todo = list(ended)
    for number in todo:
        ends[number] = True
    while todo:
        for number in before[todo.pop()]:
            if not ends[number]:
                ends[number] = True
                todo.append(number)
    first = ends.find(0)
    return None if first < 0 else first


def put(items: tuple, at: int, item: object) -> tuple:
    """A tuple with another item at a place, in order: processes of one kind are alike."""
    return tuple(sorted((*items[:at], item, *items[at + 1 :])))
