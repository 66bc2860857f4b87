"""SQL on the sandbox's Thrift server through PyHive."""

from collections.abc import Callable
from typing import Any

from pyhive import hive

from tests.jdbc import rows

Query = Callable[[str], list[tuple[Any, ...]]]


def connect(sandbox: Any) -> Any:
    """A connection to the sandbox's Thrift server, as an analyst opens one."""
    host, port = sandbox.env["DATACORE_THRIFT"].split(":")
    return hive.connect(host=host, port=int(port), username="datacore")


def run(connection: Any, statement: str) -> list[tuple[Any, ...]]:
    """The rows of a statement; none where it makes none."""
    with connection.cursor() as cursor:
        return rows(cursor, statement)
