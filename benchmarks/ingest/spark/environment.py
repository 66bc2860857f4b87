"""The environment of the peer: pyspark at the version measured, its jars by a lock of its own.

Comes in: nothing. Goes out: a Python that has pyspark, and jars in the sandbox's cache. Another
pyspark than the sandbox's, so that the peer is what a company would run, not what we happen to.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from datacore.settings import ROOT
from sandbox.jars.fetch import Cache, cache_directory, fetch_jars, repository_address
from sandbox.jars.lock import format_lock, read_lock
from sandbox.jars.resolve import coordinates, measure, read_requests

PYSPARK = "4.1.1"
HERE = Path(__file__).resolve().parent
LOCK = HERE / "jars.lock"
HOME = ROOT / ".cache" / "benchmark-spark"


def python() -> Path:
    """The environment's Python, made if it is not there."""
    found = HOME / "bin" / "python"
    stamp = HOME / f"pyspark-{PYSPARK}"
    if not stamp.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", HOME], check=True)
        quiet = ["--quiet", "--disable-pip-version-check"]
        subprocess.run([found, "-m", "pip", "install", *quiet, f"pyspark=={PYSPARK}"], check=True)
        stamp.touch()
    return found


def spark_home() -> Path:
    """pyspark's own directory, made if it is not there."""
    python()
    (home,) = HOME.glob("lib/python3*/site-packages/pyspark")
    return home


def jars(console: Console) -> list[Path]:
    """The locked jars, fetched if the cache lacks them."""
    locked, cache = read_lock(LOCK), Cache(cache_directory())
    fetch_jars(locked, cache, repository_address(), console)
    return [cache.path(jar) for jar in locked]


def lock() -> None:
    """Write jars.lock anew from jars.toml."""
    python()
    has = {path.stem.rpartition("-")[0] for path in (spark_home() / "jars").glob("*.jar")}
    (request,) = read_requests(HERE / "jars.toml")
    repository = repository_address()
    with TemporaryDirectory() as work:
        wanted = coordinates(request, repository, Path(work))
    kept = [one for one in wanted if one in request.alone or one.split(":")[1] not in has]
    LOCK.write_text(format_lock([measure(request.use, one, repository) for one in kept]))


if __name__ == "__main__":
    if sys.argv[1:] != ["lock"]:
        sys.exit("usage: python -m benchmarks.ingest.spark.environment lock")
    lock()
