"""Tokens to a tree, by operator precedence and without recursion.

Spark nests `(((a or b) or c) or d)` as deep as a filter has terms, so depth of parentheses costs
nothing here; only alternation of `and` and `or` deepens the tree, and that is bounded.
"""

from collections.abc import Sequence
from typing import Literal, TypeAlias, cast

from datacore.errors import shorten
from metastore.filters.tokens import Token, tokenise
from metastore.filters.tree import (
    MIRRORED,
    All,
    AnyOf,
    Between,
    Comparison,
    Condition,
    FilterError,
    Leaf,
    Like,
    Membership,
    Operator,
    negate,
)

DEPTH_LIMIT = 100
"""Alternations of `and` and `or`. Real filters have two or three."""
LENGTH_LIMIT = 1_000_000
"""Characters. Spark folds long lists to ranges long before."""

_Connective: TypeAlias = Literal["(", "or", "and", "not"]
_BINDS: dict[_Connective, int] = {"(": 0, "or": 1, "and": 2, "not": 3}
_SIGNS: dict[str, Operator] = {
    "=": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
}  # fmt: skip
_RESERVED = frozenset({"and", "or", "not", "in", "between", "like"})


def parse(text: str) -> Condition:
    """The filter's tree. Raises FilterError that quotes the filter.

    Both readings of backslashes are tried (see `metastore.filters.tokens`), Spark's first.
    """
    if len(text) > LENGTH_LIMIT:
        raise FilterError(f"filter of {len(text)} characters; at most {LENGTH_LIMIT} are read")
    try:
        return _Parser(tokenise(text, escapes=False)).tree()
    except FilterError as as_spark_writes:
        try:
            return _Parser(tokenise(text, escapes=True)).tree()
        except FilterError:
            raise FilterError(f"filter {shorten(text, 200)}: {as_spark_writes}") from None


class _Parser:
    """One pass over the tokens with a stack of conditions and one of connectives."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = _columns_out_of_parentheses(tokens)
        self._next = 0
        self._conditions: list[tuple[Condition, int]] = []
        self._connectives: list[_Connective] = []

    def tree(self) -> Condition:
        while True:
            self._operand()
            while self._accept(")"):
                self._close()
            if self._next == len(self._tokens):
                break
            self._connect()
        while self._connectives:
            if self._connectives[-1] == "(":
                raise FilterError("a parenthesis is not closed")
            self._reduce()
        return self._conditions[0][0]

    def _operand(self) -> None:
        while True:
            if self._accept("("):
                self._connectives.append("(")
            elif self._accept("not"):
                self._connectives.append("not")
            else:
                self._conditions.append((self._leaf(), 1))
                return

    def _connect(self) -> None:
        word = self._take().text
        if word not in ("and", "or"):
            raise FilterError(f"`and` or `or` expected, not {shorten(word, 40)!r}")
        connective = cast(_Connective, word)
        while self._connectives and _BINDS[self._connectives[-1]] > _BINDS[connective]:
            self._reduce()
        self._connectives.append(connective)

    def _close(self) -> None:
        while self._connectives and self._connectives[-1] != "(":
            self._reduce()
        if not self._connectives:
            raise FilterError("a parenthesis is closed that was not opened")
        self._connectives.pop()

    def _reduce(self) -> None:
        """Apply the last connective, and all equal ones right before it, at once."""
        connective = self._connectives.pop()
        if connective == "not":
            condition, depth = self._conditions.pop()
            self._conditions.append((negate(condition), depth))
            return
        count = 2
        while self._connectives and self._connectives[-1] == connective:
            self._connectives.pop()
            count += 1
        taken = self._conditions[-count:]
        del self._conditions[-count:]
        node = All if connective == "and" else AnyOf
        parts: list[Condition] = []
        depth = 0
        for condition, levels in taken:
            if isinstance(condition, All | AnyOf) and isinstance(condition, node):
                parts.extend(condition.parts)
                depth = max(depth, levels)
            else:
                parts.append(condition)
                depth = max(depth, levels + 1)
        if depth > DEPTH_LIMIT:
            raise FilterError(f"`and` and `or` alternate more than {DEPTH_LIMIT} levels deep")
        self._conditions.append((node(tuple(parts)), depth))

    def _leaf(self) -> Leaf:
        token = self._peek()
        if token is not None and (token.kind != "word" or self._date_follows(token)):
            value = self._literal()
            operator = self._operator()
            return Comparison(self._column(), MIRRORED[operator], value)
        column = self._column()
        negated = self._accept("not")
        if self._accept("in"):
            return Membership(column, self._list(), negated)
        if self._accept("between"):
            low = self._literal()
            self._expect("and")
            return Between(column, low, self._literal(), negated)
        if self._accept("like"):
            return Like(column, self._literal(), negated)
        if negated:
            raise FilterError("`in`, `between` or `like` expected after `not`")
        return Comparison(column, self._operator(), self._literal())

    def _list(self) -> tuple[str, ...]:
        self._expect("(")
        values = [self._literal()]
        while self._accept(","):
            values.append(self._literal())
        self._expect(")")
        return tuple(values)

    def _column(self) -> str:
        token = self._take()
        if token.kind != "word" or (token.text in _RESERVED and not token.column):
            raise FilterError(f"a column expected, not {shorten(token.text, 40)!r}")
        return token.text

    def _operator(self) -> Operator:
        token = self._take()
        if token.kind != "sign" or token.text not in _SIGNS:
            raise FilterError(f"a comparison expected, not {shorten(token.text, 40)!r}")
        return _SIGNS[token.text]

    def _literal(self) -> str:
        token = self._take()
        if self._date_follows(token):
            return self._take().text
        if token.kind not in ("text", "number", "date"):
            raise FilterError(f"a value expected, not {shorten(token.text, 40)!r}")
        return token.text

    def _date_follows(self, token: Token) -> bool:
        """`date '2026-01-02'`: the word just seen or about to be taken, then a text."""
        if token.kind != "word" or token.text != "date" or token.column:
            return False
        at = self._next + 1 if self._peek() is token else self._next
        return at < len(self._tokens) and self._tokens[at].kind in ("text", "date")

    def _peek(self) -> Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _take(self) -> Token:
        token = self._peek()
        if token is None:
            raise FilterError("it ends too early")
        self._next += 1
        return token

    def _accept(self, text: str) -> bool:
        token = self._peek()
        if (
            token is None
            or token.kind not in ("sign", "word")
            or token.text != text
            or token.column
        ):
            return False
        self._next += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            token = self._peek()
            raise FilterError(
                f"{text!r} expected, not {shorten(token.text, 40) if token else 'the end'!r}"
            )


def _columns_out_of_parentheses(tokens: Sequence[Token]) -> list[Token]:
    """Spark writes `(hour) in (…)`: a column alone in parentheses loses them."""
    out: list[Token] = []
    for token in tokens:
        lone = len(out) > 1 and out[-1].kind == "word" and out[-2] == Token("sign", "(")
        if lone and token == Token("sign", ")"):
            out[-2:] = [out[-1]]
        else:
            out.append(token)
    return out
