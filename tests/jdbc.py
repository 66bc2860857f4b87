"""SQL on the sandbox's Thrift server through Hive's JDBC driver, as beeline runs it."""

import csv
import io
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
