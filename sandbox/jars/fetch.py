"""Fetches locked jars into the cache: in parallel, resumed after a break, checked before use.

Comes in: `Jar`s and a repository's address. Goes out: files in the cache, named by content, so
that a file that has its final name is always whole. Never trusts what it did not check.
"""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import requests
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from datacore.errors import DatacoreError, ServiceUnreachable, UsageError
from sandbox.jars.lock import Jar

PARALLEL = 8
CHUNK = 256 * 1024
TIMEOUT = (10, 30)
"""Seconds to connect, and between two reads."""
ATTEMPTS = 3

MIRROR_HINT = "set DATACORE_MAVEN_REPOSITORY to a mirror if this network has one"


def cache_directory(environ: Mapping[str, str] = os.environ) -> Path:
    """DATACORE_JARS_DIR, else `datacore/jars` below XDG_CACHE_HOME or ~/.cache."""
    if named := environ.get("DATACORE_JARS_DIR"):
        return Path(named)
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "datacore" / "jars"


def repository_address(environ: Mapping[str, str] = os.environ) -> str:
    """DATACORE_MAVEN_REPOSITORY, else Maven Central, without a slash at its end."""
    if named := environ.get("DATACORE_MAVEN_REPOSITORY"):
        return named.rstrip("/")
    from jgo.constants import MAVEN_CENTRAL_URL

    return str(MAVEN_CENTRAL_URL).rstrip("/")


@dataclass(frozen=True)
class Cache:
    """The directory that holds jars as `<first 16 hex digits of sha256>/<file name>`."""

    directory: Path

    def path(self, jar: Jar) -> Path:
        """Where `jar` is, or will be."""
        return self.directory / jar.sha256[:16] / jar.file_name

    def holds(self, jar: Jar) -> bool:
        """True if the file is there with the locked content."""
        path = self.path(jar)
        return path.is_file() and path.stat().st_size == jar.size and _sha256(path) == jar.sha256


@dataclass(frozen=True)
class Fetcher:
    """Downloads jars from one repository into one cache."""

    cache: Cache
    repository: str
    session: requests.Session = field(default_factory=requests.Session)
    """requests honours the system's proxies and REQUESTS_CA_BUNDLE."""
    stop: Event = field(default_factory=Event)

    def fetch(self, jar: Jar, advance: Callable[[int], None]) -> None:
        """Download `jar`, going on where an earlier try stopped; `advance` is told the bytes.

        Raises ServiceUnreachable (no network, broken off) or UsageError (no such jar, wrong
        content, no room), each naming the coordinate.
        """
        target = self.cache.path(jar)
        part = target.with_suffix(".part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._download(jar, part, advance)
            if part.stat().st_size != jar.size or _sha256(part) != jar.sha256:
                part.unlink()
                raise UsageError(
                    f"{jar.coordinate}: what {self.repository} sent is not the locked content",
                    "a mirror may have altered it; the lock is sandbox/jars.lock",
                )
            part.replace(target)
        except OSError as error:
            raise UsageError(
                f"{jar.coordinate}: cannot write {target}: {error.strerror or error}",
                "make room, or set DATACORE_JARS_DIR to another folder",
            ) from error

    def _download(self, jar: Jar, part: Path, advance: Callable[[int], None]) -> None:
        """Fill `part`. A broken connection is tried again from where it stopped."""
        advance(part.stat().st_size if part.exists() else 0)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._request_rest(jar, part, advance)
            except requests.RequestException as error:
                if attempt == ATTEMPTS or self.stop.is_set():
                    raise ServiceUnreachable(
                        f"{jar.coordinate}: {self.repository} did not answer: {_reason(error)}",
                        f"run it again, it goes on where it stopped; {MIRROR_HINT}",
                    ) from error
            else:
                return

    def _request_rest(self, jar: Jar, part: Path, advance: Callable[[int], None]) -> None:
        have = part.stat().st_size if part.exists() else 0
        if have >= jar.size:
            return
        headers = {"Range": f"bytes={have}-"} if have else {}
        url = f"{self.repository}/{jar.path}"
        with self.session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            if response.status_code in (404, 410):
                raise UsageError(f"{jar.coordinate}: not found at {url}", MIRROR_HINT)
            if response.status_code in (401, 403):
                raise UsageError(
                    f"{jar.coordinate}: {self.repository} refuses it ({response.status_code})",
                    MIRROR_HINT,
                )
            response.raise_for_status()
            resumed = response.status_code == requests.codes.partial_content
            if have and not resumed:
                advance(-have)
            with part.open("ab" if resumed else "wb") as file:
                for chunk in response.iter_content(CHUNK):
                    if self.stop.is_set():
                        raise requests.ConnectionError("stopped")
                    file.write(chunk)
                    advance(len(chunk))


def fetch_jars(jars: Sequence[Jar], cache: Cache, repository: str, console: Console) -> int:
    """Bring the cache up to the lock; the number of jars that had to be fetched.

    The first failure ends the rest, whose parts stay for the next run. Raises as `Fetcher.fetch`.
    """
    missing = [jar for jar in jars if not cache.holds(jar)]
    if not missing:
        return 0
    fetcher = Fetcher(cache, repository)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=console) as progress, ThreadPoolExecutor(PARALLEL) as pool:
        task = progress.add_task(f"{len(missing)} jars", total=sum(jar.size for jar in missing))

        def fetch(jar: Jar) -> None:
            if fetcher.stop.is_set():
                return
            try:
                fetcher.fetch(jar, lambda count: progress.advance(task, count))
            except DatacoreError:
                fetcher.stop.set()
                raise

        futures = [pool.submit(fetch, jar) for jar in missing]
        try:
            for future in futures:
                future.result()
        except BaseException:
            fetcher.stop.set()
            raise
    return len(missing)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _reason(error: requests.RequestException) -> str:
    """The innermost cause in one line: requests wraps it several times."""
    cause: BaseException = error
    while cause.__cause__ or cause.__context__:
        cause = cause.__cause__ or cause.__context__ or cause
    return " ".join(str(cause).split()) or type(cause).__name__
