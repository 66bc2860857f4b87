"""SQL on the sandbox's Thrift server through PyHive."""

from collections.abc import Callable
from typing import Any

from tests.jdbc import rows

Query = Callable[[str], list[tuple[Any, ...]]]


def run(connection: Any, statement: str) -> list[tuple[Any, ...]]:
    """The rows of a statement; none where it makes none."""
    with connection.cursor() as cursor:
        return rows(cursor, statement)
