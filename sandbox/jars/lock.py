"""The jar lock: which jars, of which exact content, each use needs.

Comes in: the text of `jars.lock`. Goes out: `Jar`s, and the text again. Never touches the network.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from datacore.errors import UsageError, shorten

LOCK_FILE = Path(__file__).resolve().parent.parent / "jars.lock"

HEADER = """\
# Written by `datacore sandbox jars lock` from jars.toml; not edited by hand.
# use  group:artifact:version  bytes  sha256
"""

_COORDINATE = re.compile(r"[\w.-]+:[\w.-]+:(?:[\w.-]+:)?[\w.-]+")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, order=True)
class Jar:
    """One jar by its coordinate, with the size in bytes and sha256 of its file."""

    use: str
    """What it is for: a class path of its own (`kafka`, `s3a`)."""
    coordinate: str
    """`group:artifact:version`, or `group:artifact:packaging:version` for what is no jar."""
    size: int
    sha256: str

    @property
    def file_name(self) -> str:
        """`artifact-version.jar`, or with another packaging at its end."""
        _, artifact, *packaging, version = self.coordinate.split(":")
        return f"{artifact}-{version}.{packaging[0] if packaging else 'jar'}"

    @property
    def path(self) -> str:
        """Path below a repository's address, in Maven's layout."""
        group, artifact, *_, version = self.coordinate.split(":")
        return f"{group.replace('.', '/')}/{artifact}/{version}/{self.file_name}"


def parse_lock(text: str, source: str) -> tuple[Jar, ...]:
    """The jars of a lock's text. Raises UsageError that names `source`, line and field."""
    jars = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split()

        def wrong(what: str, number: int = number) -> UsageError:
            return UsageError(
                f"{source}:{number}: {what}", "run `datacore sandbox jars lock` to write it anew"
            )

        if len(fields) != 4:
            raise wrong(f"{len(fields)} fields instead of use, coordinate, bytes, sha256")
        use, coordinate, size, sha256 = fields
        if not _COORDINATE.fullmatch(coordinate):
            raise wrong(f"coordinate {shorten(coordinate)!r} is not group:artifact:version")
        if not size.isdigit():
            raise wrong(f"bytes {shorten(size)!r} is not a number")
        if not _SHA256.fullmatch(sha256):
            raise wrong(f"sha256 {shorten(sha256)!r} is not 64 hexadecimal digits")
        jars.append(Jar(use, coordinate, int(size), sha256))
    return tuple(jars)


def read_lock(path: Path = LOCK_FILE) -> tuple[Jar, ...]:
    """The jars of the lock file. Raises UsageError as `parse_lock` does."""
    return parse_lock(path.read_text(), path.name)


def format_lock(jars: Iterable[Jar]) -> str:
    """The lock's text, sorted, one jar a line."""
    lines = [f"{jar.use} {jar.coordinate} {jar.size} {jar.sha256}\n" for jar in sorted(jars)]
    return HEADER + "".join(lines)
