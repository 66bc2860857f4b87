"""How a `like` pattern is read: a pattern in, a sequence of pieces out.

Hive's metastore reads `.*` as any run and `.` as any one character (JDO's `matches`), and that is
what Spark sends for `startswith`, with the value in it as it is. A pattern with `%` and without
`.*` is read as SQL's: `%` any run, `_` any one character. Every other character is itself.
"""

import re
from enum import Enum
from typing import TypeAlias


class Wild(Enum):
    """What a pattern holds besides characters."""

    RUN = "any characters, or none"
    ONE = "any one character"


Piece: TypeAlias = str | Wild


def pieces(pattern: str) -> list[Piece]:
    """The pattern's characters, runs and any-one-character marks, in order."""
    if "%" in pattern and ".*" not in pattern:
        marks: dict[str, Wild] = {"%": Wild.RUN, "_": Wild.ONE}
        return [marks.get(character, character) for character in pattern]
    found: list[Piece] = []
    for part in re.findall(r"\.\*|.", pattern, re.DOTALL):
        found.append(Wild.RUN if part == ".*" else Wild.ONE if part == "." else part)
    return found


def to_regex(pattern: str) -> re.Pattern[str]:
    """A regular expression to be used with `fullmatch`."""
    spelt = {Wild.RUN: ".*", Wild.ONE: "."}
    body = "".join(spelt[p] if isinstance(p, Wild) else re.escape(p) for p in pieces(pattern))
    return re.compile(re.sub(r"(?:\.\*)+", ".*", body), re.DOTALL)


def to_sql(pattern: str) -> tuple[str, bool]:
    """Glue's `like` pattern and whether it says exactly the same.

    It is wider where the pattern holds a literal `%` or `_`: whether Glue has an escape for them
    is not documented.
    """
    spelt = {Wild.RUN: "%", Wild.ONE: "_"}
    parts = pieces(pattern)
    text = "".join(spelt[p] if isinstance(p, Wild) else p for p in parts)
    return text, not any(p in ("%", "_") for p in parts)
