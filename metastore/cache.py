"""A short memory of what Glue answered, which never outlives a write of one's own.

Comes in: answers for a key (a database, a table). Goes out: the answer, for at most `seconds`.
A write forgets its key before and after it happens, and an answer that was on its way meanwhile is
never kept: so once a write has returned, no reader is served what was before it. Writes by others
are seen after `seconds` at most. What a load raises is not remembered.
"""

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(frozen=True)
class _Entry(Generic[Value]):
    value: Value
    expires: float


class Reading(Generic[Key, Value]):
    """One question to Glue under way. What is written meanwhile is not kept from its answer."""

    def __init__(self, cache: "Cache[Key, Value]") -> None:
        self._cache = cache
        self.spoiled: set[Key] = set()

    def keep(self, key: Key, value: Value) -> None:
        """Remember an answer, unless its key was written since the question was put."""
        self._cache._keep(self, key, value)


class Cache(Generic[Key, Value]):
    """Thread-safe. `seconds` 0 remembers nothing. The clock is monotonic, in seconds."""

    def __init__(
        self,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        looked: Callable[[bool], None] = lambda hit: None,
    ) -> None:
        """`looked` is told of each `get` whether the answer was remembered."""
        self._seconds = seconds
        self._clock = clock
        self._looked = looked
        self._lock = threading.Lock()
        self._entries: dict[Key, _Entry[Value]] = {}
        self._readings: set[Reading[Key, Value]] = set()
        self._sweep_at = 0.0

    def peek(self, key: Key) -> Value | None:
        """The answer that is remembered and fresh, or None."""
        with self._lock:
            entry = self._entries.get(key)
            return entry.value if entry and entry.expires > self._clock() else None

    def get(self, key: Key, load: Callable[[], Value]) -> Value:
        """The answer, remembered or loaded. What `load` raises passes through."""
        remembered = self.peek(key)
        self._looked(remembered is not None)
        if remembered is not None:
            return remembered
        with self.reading() as reading:
            value = load()
            reading.keep(key, value)
        return value

    @contextmanager
    def reading(self) -> Iterator[Reading[Key, Value]]:
        """Around a question whose answer is to be kept, for one key or many."""
        reading = Reading(self)
        with self._lock:
            self._readings.add(reading)
        try:
            yield reading
        finally:
            with self._lock:
                self._readings.discard(reading)

    @contextmanager
    def writing(self, *keys: Key) -> Iterator[None]:
        """Around a write of `keys`: they are forgotten before and after, failed or not."""
        self.forget(*keys)
        try:
            yield
        finally:
            self.forget(*keys)

    def forget(self, *keys: Key) -> None:
        """Forget `keys`, and what is being read of them."""
        with self._lock:
            for key in keys:
                self._entries.pop(key, None)
                for reading in self._readings:
                    reading.spoiled.add(key)

    def clear(self) -> None:
        """Forget everything that is not being read now."""
        with self._lock:
            self._entries.clear()

    def _keep(self, reading: Reading[Key, Value], key: Key, value: Value) -> None:
        now = self._clock()
        with self._lock:
            if self._seconds <= 0 or key in reading.spoiled:
                return
            self._entries[key] = _Entry(value, now + self._seconds)
            if now >= self._sweep_at:
                self._sweep_at = now + 10 * self._seconds
                self._entries = {k: e for k, e in self._entries.items() if e.expires > now}
