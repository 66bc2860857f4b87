"""A part of the sandbox, declared: what to run, what it needs first, how to ask whether it works."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.ports import HOST
from sandbox.state import State


@dataclass(frozen=True)
class Site:
    """Where a sandbox stands: its directory, its ports and the variables that lead to it."""

    state: State
    ports: Mapping[str, int]
    variables: Mapping[str, str]

    def address(self, name: str) -> str:
        """`host:port` of a named port."""
        return f"{HOST}:{self.ports[name]}"


@dataclass(frozen=True)
class Part:
    """One process of the sandbox (with whatever children it starts)."""

    name: str
    title: str
    """What it is, for people: `Kafka 4.3 (KRaft)`."""
    port: int
    command: tuple[str, ...]
    ask: Callable[[], object]
    """Ask it something in its own protocol, within a few seconds; raises whatever goes wrong."""
    environment: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    """Parts that must answer before this one starts."""
    before: tuple[tuple[str, ...], ...] = ()
    """Commands to run to their end before `command`."""
    files: Mapping[Path, str] = field(default_factory=dict)
    """Files to write before anything runs, readable by their owner only."""
    furnish: Callable[[], object] | None = None
    """What has to be in it before others can use it (buckets, topics); run once it answers."""
    in_memory: bool = False
    """Its data end with its process, so that it cannot be started again."""
    patience: float = 120.0
    """Seconds that it may take to answer first; generous, for machines that do other things too."""
