"""dbt's functional tests of an adapter, on a sandbox: dbt-spark's own, and dbt-tests-adapter's on Parquet.

dbt-spark's suite is in its source distribution, of the version and the hash that uv.lock has.
`python tests/adapter/run_suite.py [pytest's arguments]`
"""

import os
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

from datacore.settings import ROOT

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from tests.conftest import running_sandbox  # noqa: E402 — found by the line above

CACHE = ROOT / ".cache" / "dbt-suite"


def suite() -> Path:
    """The unpacked source distribution, fetched if it is not there."""
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    (locked,) = (package for package in packages if package["name"] == "dbt-spark")
    found = CACHE / f"dbt_spark-{locked['version']}"
    if not found.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        wanted = CACHE / "requirements.txt"
        wanted.write_text(f"dbt-spark=={locked['version']} --hash={locked['sdist']['hash']}\n")
        environment = CACHE / "pip"
        subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
        pip = [
            environment / "bin" / "python",
            "-m",
            "pip",
            "--disable-pip-version-check",
            "--quiet",
        ]
        only = ["--no-deps", "--no-binary", ":all:", "--require-hashes", "--dest", CACHE]
        subprocess.run([*pip, "download", *only, "-r", wanted], check=True)
        with TemporaryDirectory(dir=CACHE) as work:
            with tarfile.open(CACHE / f"{found.name}.tar.gz") as archive:
                archive.extractall(work, filter="data")
            (Path(work) / found.name).rename(found)
    return found


def main(arguments: list[str]) -> int:
    """Run both suites; pytest's exit code."""
    folder = suite()
    with TemporaryDirectory() as work, running_sandbox(Path(work) / "sandbox") as sandbox:
        variables = {**os.environ, **sandbox.env, "PYTHONPATH": str(HERE)}
        variables["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
        command = [
            *(sys.executable, "-m", "pytest", "--noconftest", "-p", "lake_profile"),
            *("-c", "/dev/null", "--rootdir", work, "-p", "no:cacheprovider"),
            *("-n", "2", "--dist", "loadscope", "--timeout", "900", "-W", "ignore", "-rfEX"),
            *(arguments or [str(folder / "tests" / "functional"), str(HERE)]),
        ]
        return subprocess.run(command, cwd=folder, env=variables, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
