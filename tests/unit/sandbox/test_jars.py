"""The jar lock and the fetching of jars, against a repository of one's own."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from datacore.errors import ServiceUnreachable, UsageError
from sandbox.jars.fetch import Cache, cache_directory, fetch_jars, repository_address
from sandbox.jars.lock import LOCK_FILE, Jar, format_lock, parse_lock, read_lock

CONTENT = bytes(range(256)) * 4096


def locked(coordinate: str, content: bytes = CONTENT) -> Jar:
    return Jar("test", coordinate, len(content), hashlib.sha256(content).hexdigest())


ONE = locked("org.example:one:1.0")


def test_what_is_no_jar_is_named_with_its_packaging() -> None:
    archive = locked("org.example:one:tar.gz:1.0")
    assert archive.path == "org/example/one/1.0/one-1.0.tar.gz"
    assert parse_lock(format_lock([archive, ONE]), "jars.lock") == (ONE, archive)


@dataclass
class Repository:
    """What a Maven repository holds, what it was asked, and how it misbehaves."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and Range header."""
    break_after: int | None = None
    """Bytes after which the next answers break off."""
    ranges: bool = True


@pytest.fixture
def repository() -> Iterator[Repository]:
    served = Repository()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, wanted = self.path.removeprefix("/maven/"), self.headers.get("Range")
            served.asked.append((path, wanted))
            if path not in served.files:
                self.send_error(404)
                return
            content, first = served.files[path], 0
            if wanted and served.ranges:
                first = int(wanted.removeprefix("bytes=").rstrip("-"))
            self.send_response(206 if first else 200)
            rest = content[first:]
            self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            self.wfile.write(rest[: served.break_after])

        def log_message(self, *arguments: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    served.address = f"http://127.0.0.1:{server.server_port}/maven"
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "jars")


def fetch(jars: list[Jar], cache: Cache, repository: Repository) -> int:
    return fetch_jars(jars, cache, repository.address, Console(file=StringIO()))


def test_a_fetched_jar_is_in_the_cache_and_not_fetched_again(
    repository: Repository, cache: Cache
) -> None:
    two = locked("org.example.deep:two:2.1", b"two")
    repository.files = {ONE.path: CONTENT, "org/example/deep/two/2.1/two-2.1.jar": b"two"}
    assert fetch([ONE, two], cache, repository) == 2
    assert cache.path(ONE).read_bytes() == CONTENT
    assert cache.path(two).name == "two-2.1.jar"
    assert fetch([ONE, two], cache, repository) == 0
    assert len(repository.asked) == 2


def test_a_broken_off_download_goes_on_where_it_stopped(
    repository: Repository, cache: Cache
) -> None:
    repository.files = {ONE.path: CONTENT}
    repository.break_after = 300_000
    with pytest.raises(ServiceUnreachable, match=r"org\.example:one:1\.0: .* did not answer"):
        fetch([ONE], cache, repository)
    stopped_at = cache.path(ONE).with_suffix(".part").stat().st_size
    assert 0 < stopped_at < len(CONTENT)
    repository.break_after = None
    repository.asked.clear()
    assert fetch([ONE], cache, repository) == 1
    assert repository.asked == [(ONE.path, f"bytes={stopped_at}-")]
    assert cache.path(ONE).read_bytes() == CONTENT


def test_a_repository_without_ranges_sends_the_whole_again(
    repository: Repository, cache: Cache
) -> None:
    repository.files, repository.ranges = {ONE.path: CONTENT}, False
    part = cache.path(ONE).with_suffix(".part")
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT[:1000])
    assert fetch([ONE], cache, repository) == 1
    assert cache.path(ONE).read_bytes() == CONTENT


@pytest.mark.parametrize("sent", [CONTENT[:-1] + b"!", CONTENT + b"more"])
def test_other_content_than_the_locked_is_refused_and_not_kept(
    repository: Repository, cache: Cache, sent: bytes
) -> None:
    repository.files = {ONE.path: sent}
    with pytest.raises(UsageError, match=r"org\.example:one:1\.0: .* not the locked content"):
        fetch([ONE], cache, repository)
    assert [path for path in cache.directory.rglob("*") if path.is_file()] == []


def test_a_jar_that_was_changed_in_the_cache_is_fetched_anew(
    repository: Repository, cache: Cache
) -> None:
    repository.files = {ONE.path: CONTENT}
    fetch([ONE], cache, repository)
    cache.path(ONE).write_bytes(CONTENT[:-1] + b"!")
    assert fetch([ONE], cache, repository) == 1
    assert cache.path(ONE).read_bytes() == CONTENT


def test_a_jar_that_the_repository_lacks_is_named(repository: Repository, cache: Cache) -> None:
    with pytest.raises(UsageError, match=r"org\.example:one:1\.0: not found at http") as caught:
        fetch([ONE], cache, repository)
    assert "DATACORE_MAVEN_REPOSITORY" in caught.value.hint


def test_a_repository_that_is_not_there_is_named_with_the_jar(cache: Cache) -> None:
    nobody = Repository("http://127.0.0.1:1")
    with pytest.raises(ServiceUnreachable, match=r"org\.example:one:1\.0: .* did not answer"):
        fetch([ONE], cache, nobody)


def test_a_cache_that_cannot_be_written_is_named(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "jars").write_text("a file where the folder should be")
    with pytest.raises(UsageError, match=r"org\.example:one:1\.0: cannot write") as caught:
        fetch([ONE], Cache(tmp_path / "jars"), repository)
    assert "DATACORE_JARS_DIR" in caught.value.hint


def test_addresses_can_be_moved_by_variables() -> None:
    environ = {"DATACORE_MAVEN_REPOSITORY": "https://mirror.example/maven/"}
    assert repository_address(environ) == "https://mirror.example/maven"
    assert repository_address({}).startswith("https://")
    assert cache_directory({"XDG_CACHE_HOME": "/c"}) == Path("/c/datacore/jars")
    assert cache_directory({"DATACORE_JARS_DIR": "/j", "XDG_CACHE_HOME": "/c"}) == Path("/j")


def test_the_lock_reads_back_as_it_was_written() -> None:
    jars = (ONE, locked("org.example:two:2.0", b"two"))
    assert parse_lock(format_lock(reversed(jars)), "jars.lock") == jars


def test_the_projects_own_lock_is_in_its_canonical_form() -> None:
    assert format_lock(read_lock()) == LOCK_FILE.read_text()
    assert {jar.use for jar in read_lock()} == {"kafka", "s3a"}


@pytest.mark.parametrize(
    ("line", "fact"),
    [
        ("kafka org.example:one:1.0 12", "jars.lock:2: 3 fields"),
        (f"kafka org.example:one 12 {'0' * 64}", "jars.lock:2: coordinate 'org.example:one'"),
        (f"kafka a:b:c -1 {'0' * 64}", "jars.lock:2: bytes '-1'"),
        ("kafka a:b:c 12 abc", "jars.lock:2: sha256 'abc'"),
        (f"kafka a:../b:c 12 {'0' * 64}", "jars.lock:2: coordinate 'a:../b:c'"),
    ],
)
def test_a_wrong_line_of_the_lock_is_named(line: str, fact: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_lock(f"# a comment\n{line}\n", "jars.lock")
    assert fact in caught.value.message
