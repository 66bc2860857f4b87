r"""A filter's text to tokens.

Quotes have two readings. Spark never escapes: it picks the quote that the value does not contain,
so `"a\"` is the value `a\`. Hive's grammar skips a character after a backslash, so `"a\"b"` is one
value. The first reading is tried first; the second where the first does not parse
(`metastore.filters.parse`). A doubled quote (`'it''s'`) is one quote, as in SQL.
"""

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from datacore.errors import shorten
from metastore.filters.tree import FilterError

Kind: TypeAlias = Literal["text", "number", "date", "sign", "word"]

_TEXT_RAW = r"""(?P<text>"(?:[^"]|"")*"|'(?:[^']|'')*')"""
_TEXT_ESCAPED = r"""(?P<text>"(?:[^"\\]|\\.|"")*"|'(?:[^'\\]|\\.|'')*')"""
_REST = r"""
    |(?P<date>\d{4}-\d{1,2}-\d{1,2})(?![\w-])
    |(?P<number>[+-]?\d+(?:\.\d+)?)(?![\w.-])
    |(?P<sign><>|!=|>=|<=|=|>|<|\(|\)|,)
    |`(?P<quoted>[^`]+)`
    |(?P<word>\w+)
"""
_RAW = re.compile(rf"\s*(?:{_TEXT_RAW}{_REST})", re.VERBOSE | re.DOTALL)
_ESCAPED = re.compile(rf"\s*(?:{_TEXT_ESCAPED}{_REST})", re.VERBOSE | re.DOTALL)


@dataclass(frozen=True)
class Token:
    """`text` is the value itself: unquoted, words in lower case. `column` marks a `backticked` word."""

    kind: Kind
    text: str
    column: bool = False


def tokenise(text: str, escapes: bool) -> list[Token]:
    """Tokens of `text`; `escapes` chooses the reading of backslashes. Raises FilterError."""
    pattern = _ESCAPED if escapes else _RAW
    tokens: list[Token] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        found = pattern.match(text, position)
        if not found:
            raise FilterError(f"cannot read {shorten(text[position:end], 40)!r}")
        position = found.end()
        tokens.append(_token(found, escapes))
    return tokens


def _token(found: re.Match[str], escapes: bool) -> Token:
    kind = found.lastgroup
    value = found.group(kind or 0)
    match kind:
        case "text":
            quote, inner = value[0], value[1:-1].replace(value[0] * 2, value[0])
            return Token("text", inner.replace("\\" + quote, quote) if escapes else inner)
        case "number" | "date" | "sign":
            return Token(kind, value)
        case "quoted":
            return Token("word", value.lower(), column=True)
        case _:
            return Token("word", value.lower())
