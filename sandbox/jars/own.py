"""Jars of their own lock, for what is not part of the sandbox: another Spark, a Hive Metastore.

Comes in: a directory with jars.toml, of one request, and jars.lock. Goes out: the jars in the cache.
"""

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from sandbox.jars.fetch import Cache, cache_directory, fetch_jars, repository_address
from sandbox.jars.lock import format_lock, read_lock
from sandbox.jars.resolve import coordinates, measure, read_requests


@dataclass(frozen=True)
class OwnJars:
    """The jars that a directory names."""

    directory: Path

    def fetch(self, console: Console) -> list[Path]:
        """The locked jars, downloaded if the cache lacks them."""
        locked, cache = read_lock(self.directory / "jars.lock"), Cache(cache_directory())
        fetch_jars(locked, cache, repository_address(), console)
        return [cache.path(jar) for jar in locked]

    def lock(self, has: Container[str] = ()) -> None:
        """Write jars.lock anew, without the artifacts that are there already."""
        (request,) = read_requests(self.directory / "jars.toml")
        repository = repository_address()
        with TemporaryDirectory() as work:
            wanted = coordinates(request, repository, Path(work))
        kept = [one for one in wanted if one in request.alone or one.split(":")[1] not in has]
        text = format_lock([measure(request.use, one, repository) for one in kept])
        (self.directory / "jars.lock").write_text(text)
