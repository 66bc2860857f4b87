"""Writes the jar lock anew: resolves jars.toml with Maven's rules, then measures every jar.

Comes in: `jars.toml` and a repository. Goes out: `Jar`s. Used by people who change a version;
nothing that runs the sandbox resolves anything.
"""

import hashlib
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import requests
from jgo.maven import Dependency, MavenContext

from datacore.errors import ServiceUnreachable, UsageError
from sandbox.jars.fetch import PARALLEL, TIMEOUT
from sandbox.jars.lock import LOCK_FILE, Jar
from sandbox.parts.thrift import spark_home

REQUEST_FILE = LOCK_FILE.with_name("jars.toml")


@dataclass(frozen=True)
class Request:
    """What one use asks for; the fields are explained in jars.toml."""

    use: str
    roots: tuple[str, ...]
    alone: tuple[str, ...] = ()
    leave_out: frozenset[str] = frozenset()
    spark_has: bool = False


def read_requests(path: Path = REQUEST_FILE) -> tuple[Request, ...]:
    """The requests of jars.toml. Raises UsageError that names the file."""
    try:
        document = tomllib.loads(path.read_text())
        return tuple(
            Request(
                use=use,
                roots=tuple(wish["roots"]),
                alone=tuple(wish.get("alone", ())),
                leave_out=frozenset(wish.get("leave_out", ())),
                spark_has=wish.get("spark_has", False),
            )
            for use, wish in document.items()
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise UsageError(f"{path.name}: {error}", "its first lines say what it holds") from error


def coordinates(request: Request, repository: str, work: Path) -> list[str]:
    """The coordinates of every jar that `request` comes to, POMs being read from `repository`.

    A root's own versions win over those that others ask for, as in a Maven build.
    """
    if not request.roots:
        return sorted(request.alone)
    context = MavenContext(repo_cache=work, remote_repos={"repository": repository})
    # the `!` keeps jgo from importing each root as a bill of materials, which the AWS SDK's
    # parent POMs do not survive
    roots = [context.create_dependency(f"{root}!") for root in request.roots]
    inputs, others = context.resolver.resolve(roots)
    found: list[Dependency] = [*inputs, *others]
    ours = spark_artifacts() if request.spark_has else frozenset()
    kept = [
        f"{one.groupId}:{one.artifactId}:{one.version}"
        for one in found
        if one.type == "jar"
        and one.scope not in ("test", "provided")
        and f"{one.groupId}:{one.artifactId}" not in request.leave_out
        and one.artifactId not in ours
    ]
    return sorted({*kept, *request.alone})


def spark_artifacts() -> frozenset[str]:
    """The artifacts that pyspark's own class path holds, by name without version."""
    names = (path.stem for path in (spark_home() / "jars").glob("*.jar"))
    return frozenset(name.rpartition("-")[0] for name in names)


def measure(use: str, coordinate: str, repository: str) -> Jar:
    """Download one jar to learn its size and sha256. Raises ServiceUnreachable or UsageError."""
    unmeasured = Jar(use, coordinate, 0, "")
    try:
        response = requests.get(f"{repository}/{unmeasured.path}", timeout=TIMEOUT)
        if response.status_code == requests.codes.not_found:
            raise UsageError(f"{coordinate}: not found at {repository}", "see sandbox/jars.toml")
        response.raise_for_status()
    except requests.RequestException as error:
        raise ServiceUnreachable(f"{coordinate}: {error}", "run it again") from error
    content = response.content
    return Jar(use, coordinate, len(content), hashlib.sha256(content).hexdigest())


def resolve_lock(wishes: tuple[Request, ...], repository: str) -> tuple[Jar, ...]:
    """Every jar of every request, measured. Raises as `measure` does."""
    with TemporaryDirectory() as work, ThreadPoolExecutor(PARALLEL) as pool:
        wanted = [
            (wish.use, coordinate)
            for wish in wishes
            for coordinate in coordinates(wish, repository, Path(work))
        ]
        return tuple(pool.map(lambda one: measure(one[0], one[1], repository), wanted))
