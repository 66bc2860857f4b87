"""A filter as a Glue expression: wide enough to lose nothing, short enough for Glue.

Goes out: at most 2,048 characters that every wanted partition satisfies, or None where nothing
useful fits. What it lets through too much, `matching` takes out again. A list that is too long
becomes its range; a part of an `and` that does not fit is left away. Format:
https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html
"""

from collections.abc import Sequence

from metastore.filters.matching import (
    DEFAULT_PARTITION,
    INTEGERS,
    TEXTS,
    PartitionKey,
    find_key,
    typed,
)
from metastore.filters.patterns import to_sql
from metastore.filters.tree import (
    All,
    AnyOf,
    Between,
    Comparison,
    Condition,
    Leaf,
    Like,
    Membership,
)

EXPRESSION_LIMIT = 2048

# Glue parses expressions with JSqlParser, which takes these words as its own (the list is Trino's).
_RESERVED = frozenset({
    "all", "and", "any", "as", "asc", "begin", "between", "by", "case", "create", "delete",
    "desc", "distinct", "do", "drop", "else", "end", "escape", "exists", "from", "full",
    "group", "having", "in", "index", "inner", "insert", "intersect", "into", "is", "join",
    "key", "left", "like", "limit", "natural", "not", "null", "offset", "on", "open", "or",
    "order", "outer", "primary", "replace", "right", "select", "set", "some", "table", "then",
    "top", "truncate", "union", "update", "using", "values", "when", "where", "with",
})  # fmt: skip


def to_expression(
    condition: Condition, keys: Sequence[PartitionKey], limit: int = EXPRESSION_LIMIT
) -> str | None:
    """A Glue expression that holds wherever `condition` holds, or None. Raises FilterError."""
    match condition:
        case All(parts):
            rendered = {to_expression(part, keys, limit) for part in parts} - {None}
            return _join_what_fits([text for text in rendered if text is not None], limit)
        case AnyOf(parts):
            return _join_all([to_expression(part, keys, limit) for part in parts], limit)
        case _:
            text = _leaf(condition, keys, limit)
            return text if text is not None and len(text) <= limit else None


def _join_what_fits(parts: list[str], limit: int) -> str | None:
    chosen: list[str] = []
    used = -len(" AND ")
    for part in sorted(parts, key=lambda text: (len(text), text)):
        if used + len(" AND ") + len(part) <= limit:
            chosen.append(part)
            used += len(" AND ") + len(part)
    return " AND ".join(chosen) or None


def _join_all(parts: list[str | None], limit: int) -> str | None:
    if any(part is None for part in parts):
        return None
    joined = "(" + " OR ".join(f"({part})" for part in parts) + ")"
    return joined if len(joined) <= limit else None


def _leaf(leaf: Leaf, keys: Sequence[PartitionKey], limit: int) -> str | None:
    key = keys[find_key(leaf.column, keys)]
    if key.name in _RESERVED or not key.name.isidentifier() or not key.name.isascii():
        return None
    match leaf:
        case Comparison(_, operator, value):
            literal = _literal(value, key)
            return literal and f"{key.name} {operator} {literal}"
        case Membership():
            return _membership(leaf, key, limit)
        case Between(_, low, high, negated):
            least, most = _literal(low, key), _literal(high, key)
            if least is None or most is None:
                return None
            if negated:
                return f"({key.name} < {least} OR {key.name} > {most})"
            return f"{key.name} >= {least} AND {key.name} <= {most}"
        case Like(_, pattern, negated):
            text, exact = to_sql(pattern)
            literal = _literal(text, key) if key.kind in TEXTS and (exact or not negated) else None
            return literal and f"{key.name} {'NOT ' if negated else ''}LIKE {literal}"


def _membership(leaf: Membership, key: PartitionKey, limit: int) -> str | None:
    literals = [_literal(value, key) for value in dict.fromkeys(leaf.values)]
    if None in literals:
        return None
    listed = ", ".join(str(literal) for literal in literals)
    text = f"{key.name} {'NOT ' if leaf.negated else ''}IN ({listed})"
    if len(text) <= limit or leaf.negated:
        return text
    ordered = sorted(leaf.values, key=lambda value: typed(value, key))
    return _leaf(Between(leaf.column, ordered[0], ordered[-1]), [key], limit)


def _literal(value: str, key: PartitionKey) -> str | None:
    """The value as Glue reads it for the key's type, or None where that is not certain."""
    if value == DEFAULT_PARTITION:
        return f"'{value}'" if key.kind in TEXTS else None
    if key.kind in INTEGERS:
        return str(typed(value, key))
    if key.kind == "date":
        return f"'{typed(value, key).isoformat()}'"
    if key.kind in ("string", "varchar") and value.isprintable() and "\\" not in value:
        return "'" + value.replace("'", "''") + "'"
    return None
