"""SQL on the sandbox's Thrift server through Hive's JDBC driver, as beeline runs it."""

import csv
import io
import re
import subprocess
from pathlib import Path
from typing import Any

import pyspark

from sandbox.java import find_java


def beeline(sandbox: Any, sql: str) -> list[dict[str, str]]:
    """The rows of one statement, as beeline prints them."""
    jars = Path(pyspark.__file__).parent / "jars"
    done = subprocess.run(
        [
            str(find_java()),
            *("-cp", f"{jars}/*", "org.apache.hive.beeline.BeeLine"),
            *("-u", f"jdbc:hive2://{sandbox.env['DATACORE_THRIFT']}", "-n", "datacore"),
            *("--outputformat=csv2", "--silent=true", "-e", f"{sql};"),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


def rows(cursor: Any, statement: str) -> list[tuple[Any, ...]]:
    """A statement's rows; none for one that has none, on which PyHive fails with Spark 3.5."""
    cursor.execute(statement)
    if re.match(r"\s*(alter|create|drop|insert|analyze|truncate|set|refresh)\b", statement.lower()):
        return []
    return list(cursor.fetchall())
