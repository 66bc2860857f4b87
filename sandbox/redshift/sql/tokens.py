"""A statement as words, and a cursor that walks over them.

Comes in: SQL text. Goes out: words with their places in the text, so that what is not rewritten
stays as it was typed. Never looks at what the words mean.
"""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, NoReturn

from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

from sandbox.redshift.errors import RedshiftError

Name = tuple[str, ...]
"""A dotted name, lower case: Redshift folds quoted identifiers too."""


class Kind(Enum):
    NAME = "name"
    QUOTED = "quoted identifier"
    STRING = "string"
    NUMBER = "number"
    SYMBOL = "symbol"


@dataclass(frozen=True, slots=True)
class Word:
    """One token: `text` without its quotes, `upper` for keywords and symbols, else empty."""

    kind: Kind
    text: str
    upper: str
    start: int
    end: int


class Untokenizable(RedshiftError):
    """The text is not made of SQL tokens; PostgreSQL says what is wrong with it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, "42601")


class _Dialect(Redshift):
    class Tokenizer(Redshift.Tokenizer):
        COMMANDS: ClassVar[set[TokenType]] = set()
        """Empty: else all that follows SHOW, VACUUM or UNLOAD is one opaque token."""


_DIALECT = _Dialect()

_STRINGS = {
    TokenType.STRING,
    TokenType.HEREDOC_STRING,
    TokenType.BYTE_STRING,
    TokenType.RAW_STRING,
    TokenType.NATIONAL_STRING,
    TokenType.UNICODE_STRING,
    TokenType.HEX_STRING,
    TokenType.BIT_STRING,
}


@functools.lru_cache(256)
def words(sql: str) -> tuple[Word, ...]:
    """The words of `sql`, without comments. Raises Untokenizable."""
    try:
        tokens = _DIALECT.tokenize(sql)
    except (SqlglotError, ValueError) as error:
        raise Untokenizable(str(error)) from error
    found: list[Word] = []
    for token in tokens:
        start, end = token.start, token.end + 1
        source = sql[start:end]
        if token.token_type == TokenType.IDENTIFIER:
            found.append(Word(Kind.QUOTED, token.text, "", start, end))
        elif token.token_type in _STRINGS:
            found.append(Word(Kind.STRING, token.text, "", start, end))
        elif token.token_type == TokenType.NUMBER:
            found.append(Word(Kind.NUMBER, source, "", start, end))
        else:
            # the tokenizer joins ORDER BY, PRIMARY KEY and the like
            for part in re.finditer(r"\S+", source):
                text = part.group()
                kind = Kind.NAME if text[0].isalpha() or text[0] in "_#" else Kind.SYMBOL
                place = start + part.start()
                found.append(Word(kind, text, text.upper(), place, place + len(text)))
    return tuple(found)


def statements(sql: str) -> list[str]:
    """`sql` cut at its semicolons, without empty pieces. Raises Untokenizable."""
    pieces, start = [], 0
    for word in words(sql):
        if word.upper == ";":
            pieces.append(sql[start : word.start])
            start = word.end
    pieces.append(sql[start:])
    return [piece for piece in pieces if words(piece)]


def quoted(name: Sequence[str]) -> str:
    """A dotted name as PostgreSQL takes it whatever it holds."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in name)


def literal(text: object) -> str:
    """A value as a literal that means the same with standard_conforming_strings on and off."""
    if text is None:
        return "null"
    body = str(text).replace("'", "''")
    if "\\" in body:
        return " E'" + body.replace("\\", "\\\\") + "'"
    return f"'{body}'"


def text_of(sql: str, part: Sequence[Word]) -> str:
    """The source text from the first word of `part` to its last."""
    return sql[part[0].start : part[-1].end] if part else ""


def split_at_commas(part: Sequence[Word]) -> list[list[Word]]:
    """`part` cut at the commas that are in no parentheses."""
    pieces: list[list[Word]] = [[]]
    depth = 0
    for word in part:
        depth += {"(": 1, ")": -1}.get(word.upper, 0)
        if word.upper == "," and depth == 0:
            pieces.append([])
        else:
            pieces[-1].append(word)
    return [piece for piece in pieces if piece]


class Cursor:
    """Reads words from left to right; what is missing raises Redshift's syntax error."""

    def __init__(self, sql: str, part: Sequence[Word] | None = None) -> None:
        self.sql = sql
        self.words = words(sql) if part is None else part
        self.position = 0

    @property
    def done(self) -> bool:
        """Whether no word is left."""
        return self.position >= len(self.words)

    def peek(self, ahead: int = 0) -> str:
        """The upper-case text of a coming keyword or symbol; empty for others and at the end."""
        place = self.position + ahead
        return self.words[place].upper if place < len(self.words) else ""

    def at(self, *expected: str) -> bool:
        """Whether exactly these keywords or symbols come next."""
        return all(self.peek(i) == text for i, text in enumerate(expected))

    def accept(self, *expected: str) -> bool:
        """Step over these keywords if they come next."""
        if not self.at(*expected):
            return False
        self.position += len(expected)
        return True

    def expect(self, *expected: str) -> None:
        """Step over these keywords. Raises RedshiftError if others come."""
        if not self.accept(*expected):
            self.fail()

    def take(self) -> Word:
        """The next word, whatever it is. Raises RedshiftError at the end."""
        if self.done:
            self.fail()
        self.position += 1
        return self.words[self.position - 1]

    def name(self) -> Name:
        """A dotted name. Raises RedshiftError if none comes."""
        parts = [self._name_part()]
        while self.accept("."):
            parts.append(self._name_part())
        return tuple(parts)

    def string(self) -> str:
        """A string literal's value. Raises RedshiftError if none comes."""
        if self.done or self.words[self.position].kind is not Kind.STRING:
            self.fail()
        return self.take().text

    def group(self) -> Sequence[Word]:
        """The words between a pair of parentheses; steps over them all."""
        self.expect("(")
        start, depth = self.position, 1
        while depth:
            depth += {"(": 1, ")": -1}.get(self.take().upper, 0)
        return self.words[start : self.position - 1]

    def names_in_group(self) -> tuple[str, ...]:
        """`(a, b, c)` as names, lower case."""
        return tuple(Cursor(self.sql, piece).name()[-1] for piece in split_at_commas(self.group()))

    def rest(self) -> str:
        """The source text that is left."""
        return text_of(self.sql, self.words[self.position :])

    def fail(self) -> NoReturn:
        """Raise Redshift's syntax error at the next word."""
        if self.done:
            raise RedshiftError("syntax error at end of input", "42601")
        word = self.words[self.position]
        raise RedshiftError(f'syntax error at or near "{word.text}"', "42601")

    def _name_part(self) -> str:
        if self.done or self.words[self.position].kind not in (Kind.NAME, Kind.QUOTED):
            self.fail()
        return self.take().text.lower()
