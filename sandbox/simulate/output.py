"""The output directory: all of a simulation or nothing, and never somebody else's files.

Comes in: a directory to fill. Goes out: the simulation's files in it, `truth.json` last. Only files
that an earlier simulation's truth names are ever removed.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from datacore.errors import UsageError

TRUTH = "truth.json"
PARTIAL = ".simulating"
"""Where the files grow until they are complete; a broken run may leave it, the next clears it."""


def fill(directory: Path, force: bool, simulate: Callable[[Path], dict[str, Any]]) -> None:
    """Let `simulate` write below a directory and return the truth; then put both in place.

    Raises UsageError where `directory` holds anything already (with `force`: anything but an earlier
    simulation), or cannot be written, a full disk included.
    """
    old = _earlier_files(directory, force)
    partial = directory / PARTIAL
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            truth = simulate(partial)
            text = json.dumps(truth, indent=2, ensure_ascii=False) + "\n"
            (partial / TRUTH).write_text(text, encoding="utf-8")
            _remove(directory, old)
            for host in sorted(path for path in partial.iterdir() if path.is_dir()):
                host.rename(directory / host.name)
            (partial / TRUTH).rename(directory / TRUTH)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise UsageError(
            f"--out {directory}: cannot be written: {error.strerror}",
            "choose a directory with room that you may write to",
        ) from error


def _earlier_files(directory: Path, force: bool) -> list[str]:
    """The files of an earlier simulation that are to go; [] for a new or empty directory."""
    if not directory.exists():
        return []
    if not directory.is_dir():
        raise UsageError(f"--out {directory}: not a directory", "give a directory")
    found = {
        path.relative_to(directory).as_posix()
        for path in directory.rglob("*")
        if not path.is_dir() and PARTIAL not in path.parts
    }
    if not found:
        return []
    if not force:
        raise UsageError(
            f"--out {directory}: not empty",
            "give another directory, or --force to replace a simulation",
        )
    foreign = found - {TRUTH, *_named_by(directory / TRUTH)}
    if foreign:
        raise UsageError(
            f"--out {directory}: holds what no simulation wrote, such as {min(foreign)}",
            "give another directory",
        )
    return sorted(found)


def _named_by(truth: Path) -> list[str]:
    """The files that a simulation's truth names; [] where it is none."""
    try:
        topics = json.loads(truth.read_text(encoding="utf-8"))["topics"].values()
        return [str(name) for topic in topics for name in topic["files"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def _remove(directory: Path, files: list[str]) -> None:
    """Remove the files, the truth first: without it nothing says that the rest is whole."""
    for name in sorted(files, key=lambda name: name != TRUTH):
        (directory / name).unlink(missing_ok=True)
    for host in {(directory / name).parent for name in files} - {directory}:
        if not any(host.iterdir()):
            host.rmdir()
