"""Hive types: the raw tables' types, read from text and written back in one spelling.

Comes in: `struct<a: bigint, b:array<string>>`. Goes out: a `HiveType` whose `str` is the spelling
that Glue stores. Never guesses: a type that the raw tables cannot hold raises `ValueError`.
"""

import re
from dataclasses import dataclass

SCALARS = ("string", "boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "date")
"""Types without parameters that a JSON value can be read as by Spark, Athena, Trino and Spectrum."""

MAX_DECIMAL_DIGITS = 38
MAX_DEPTH = 50

_TOKEN = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*|\d+|[<>(),:])")


@dataclass(frozen=True)
class HiveType:
    """A type: its base word, and what it is made of.

    `fields` names a struct's parts, in step with `parts`; an array has one part, a map two.
    """

    base: str
    parts: tuple["HiveType", ...] = ()
    fields: tuple[str, ...] = ()
    digits: tuple[int, int] | None = None
    """Precision and scale of a decimal."""

    def __str__(self) -> str:
        if self.digits:
            return f"decimal({self.digits[0]},{self.digits[1]})"
        if self.fields:
            named = zip(self.fields, self.parts, strict=True)
            return f"struct<{','.join(f'{name}:{part}' for name, part in named)}>"
        if self.parts:
            return f"{self.base}<{','.join(map(str, self.parts))}>"
        return self.base


def parse_hive_type(text: str) -> HiveType:
    """Read a Hive type. Raises ValueError that says what is wrong with it."""
    tokens, end = [], 0
    while text[end:].strip():
        match = _TOKEN.match(text, end)
        if not match:
            raise ValueError(f"{text[end:].strip()[0]!r} does not belong in a Hive type")
        tokens.append(match[1])
        end = match.end()
    parser = _Parser(tokens)
    parsed = parser.type(depth=0)
    if parser.tokens:
        raise ValueError(f"{parser.tokens[0]!r} stands after the type's end")
    return parsed


class _Parser:
    """Recursive descent over the tokens, which it takes from the front."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens

    def take(self, *expected: str) -> str:
        if not self.tokens:
            raise ValueError(
                f"the type ends where {' or '.join(expected) or 'a word'} was expected"
            )
        token = self.tokens.pop(0)
        if expected and token not in expected:
            raise ValueError(f"{token!r} stands where {' or '.join(expected)} was expected")
        return token

    def type(self, depth: int) -> HiveType:
        if depth > MAX_DEPTH:
            raise ValueError(f"the type is nested more than {MAX_DEPTH} deep")
        base = self.take().lower()
        if base in SCALARS:
            return HiveType(base)
        if base == "decimal":
            return HiveType(base, digits=self.digits())
        if base == "array":
            self.take("<")
            parts = (self.type(depth + 1),)
            self.take(">")
            return HiveType(base, parts)
        if base == "map":
            self.take("<")
            key = self.type(depth + 1)
            if key.base != "string":
                raise ValueError(f"a JSON map's keys are string, not {key}")
            self.take(",")
            value = self.type(depth + 1)
            self.take(">")
            return HiveType(base, (key, value))
        if base == "struct":
            return self.struct(depth)
        if base == "timestamp":
            raise ValueError(
                "a raw table keeps a time as it came: string (ISO 8601) or bigint (epoch)"
            )
        raise ValueError(f"{base!r} is unknown")

    def digits(self) -> tuple[int, int]:
        self.take("(")
        precision = self.number()
        scale = 0
        if self.take(",", ")") == ",":
            scale = self.number()
            self.take(")")
        if not 1 <= precision <= MAX_DECIMAL_DIGITS or scale > precision:
            raise ValueError(
                f"decimal({precision},{scale}) is outside decimal(1..38, 0..precision)"
            )
        return precision, scale

    def number(self) -> int:
        token = self.take()
        if not token.isdigit():
            raise ValueError(f"{token!r} stands where a number was expected")
        return int(token)

    def struct(self, depth: int) -> HiveType:
        names: list[str] = []
        parts: list[HiveType] = []
        self.take("<")
        while True:
            name = self.take()
            if not name.isidentifier():
                raise ValueError(f"{name!r} stands where a field's name was expected")
            if name.lower() in (known.lower() for known in names):
                raise ValueError(f"the struct has the field {name!r} twice")
            self.take(":")
            names.append(name)
            parts.append(self.type(depth + 1))
            if self.take(",", ">") == ">":
                return HiveType("struct", tuple(parts), tuple(names))
