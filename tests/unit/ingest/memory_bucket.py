"""A bucket in memory that breaks where a test wants it to."""

import gzip
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ingest.land.bucket import Bucket


class Crash(Exception):
    """The process was killed here."""


@dataclass
class CrashAt:
    """Kills at the write of number `write` (from 0): before it happens, or right after."""

    write: int
    after: bool = False


class OneByOne:
    """Does what a pool of threads does, in one."""

    map = staticmethod(map)


class MemoryBucket(Bucket):
    """S3 for one test; `using` gives the same objects to another process."""

    def __init__(self, crash: CrashAt | None = None) -> None:
        super().__init__(None, "memory")  # type: ignore[arg-type]  # everything is overridden
        self._pool = OneByOne()  # type: ignore[assignment]
        self.objects: dict[str, tuple[bytes, dict[str, str]]] = {}
        self.crash = crash
        self.writes = 0

    def using(self, crash: CrashAt | None = None) -> "MemoryBucket":
        other = MemoryBucket(crash)
        other.objects = self.objects
        return other

    def put_new(self, key: str, data: bytes, metadata: Mapping[str, str] | None = None) -> bool:
        number, self.writes = self.writes, self.writes + 1
        if self.crash and number >= self.crash.write and not self.crash.after:
            raise Crash(key)
        new = key not in self.objects
        if new:
            self.objects[key] = (data, dict(metadata or {}))
        if self.crash and number >= self.crash.write:
            raise Crash(key)
        return new

    def put_bodies(self, bodies) -> bool:  # type: ignore[no-untyped-def]
        written = [self._put_body(key, body) for key, body in bodies.items()]
        return all(written)

    def checksum(self, key: str) -> str | None:
        held = self.objects.get(key)
        return held[1].get("sha256", "") if held else None

    def read(self, key: str) -> tuple[bytes, Mapping[str, str]] | None:
        return self.objects.get(key)

    def sizes(self, prefix: str) -> dict[str, int]:
        return {key: len(self.objects[key][0]) for key in self.keys(prefix)}

    def remove(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.objects.pop(key, None)

    def beginning(self, key: str, size: int) -> bytes | None:
        data = self.get(key)
        return None if data is None else data[:size]

    def keys(self, prefix: str, start_after: str = "") -> Iterator[str]:
        return iter([k for k in sorted(self.objects) if k.startswith(prefix) and k > start_after])

    def folders(self, prefix: str) -> list[str]:
        rest = (key.removeprefix(prefix) for key in self.objects if key.startswith(prefix))
        return sorted({path.split("/")[0] for path in rest if "/" in path})

    def lines(self) -> list[bytes]:
        """Every line of every raw and quarantine object."""
        return [
            line
            for key, (data, _) in self.objects.items()
            if key.endswith(".gz")
            for line in gzip.decompress(data).splitlines()
        ]
