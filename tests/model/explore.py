"""Visits every state that a model can reach, and says by which steps a broken one came about.

Comes in: a model's start, its steps and its check. Goes out: how many states there are, or `Broken`.
A step is anything that happens at once: one request that is carried out, a crash, a read. Between
two steps of a process any others may happen, so every pause and every race is among the states.
"""

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

State = TypeVar("State", bound=Hashable)


class Broken(Exception):
    """A state breaks a promise; `trail` are the steps that led there."""

    def __init__(self, promise: str, trail: list[str]) -> None:
        super().__init__(f"{promise}, by: {'; '.join(trail)}")
        self.promise = promise
        self.trail = trail


def explore(
    start: State,
    steps: Callable[[State], Iterable[tuple[str, State]]],
    check: Callable[[State, bool], str | None],
) -> int:
    """The number of reachable states.

    `check` gives the promise that a state breaks, if any; it is told whether the state is a last one,
    from which no step leads on. Raises Broken for the first that breaks one.
    """
    came: dict[State, tuple[str, State] | None] = {start: None}
    waiting = [start]
    while waiting:
        state = waiting.pop()
        last = True
        for name, after in steps(state):
            last = False
            if after not in came:
                came[after] = (name, state)
                waiting.append(after)
        promise = check(state, last)
        if promise is not None:
            raise Broken(promise, _trail(came, state))
    return len(came)


def _trail(came: dict[State, tuple[str, State] | None], state: State) -> list[str]:
    names: list[str] = []
    while (step := came[state]) is not None:
        name, state = step
        names.append(name)
    return names[::-1]
