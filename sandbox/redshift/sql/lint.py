"""Refuses what PostgreSQL has and Redshift has not, so that it fails here and not in production.

Comes in: the words of a user's statement. Goes out: nothing, or a RedshiftError that names the
construct. The catalog queries of drivers and dbt are not linted (sql/planner.py).
"""

from collections.abc import Sequence

from sandbox.redshift.errors import RedshiftError
from sandbox.redshift.sql.tokens import Kind, Word

FUNCTIONS = {
    "ARRAY_AGG",
    "GEN_RANDOM_UUID",
    "GENERATE_SERIES",
    "JSON_BUILD_OBJECT",
    "JSONB_BUILD_OBJECT",
    "MAKE_DATE",
    "MAKE_INTERVAL",
    "REGEXP_MATCHES",
    "REGEXP_SPLIT_TO_TABLE",
    "ROW_TO_JSON",
    "STRING_AGG",
    "TO_JSONB",
    "UNNEST",
}
TYPES = {
    "BIGSERIAL",
    "BYTEA",
    "CITEXT",
    "HSTORE",
    "INET",
    "JSON",
    "JSONB",
    "MONEY",
    "SERIAL",
    "TSVECTOR",
    "UUID",
}
OPERATORS = {"->", "->>", "#>", "#>>", "@>", "<@"}


def refuse_postgresql_only(words: Sequence[Word]) -> None:
    """Raise RedshiftError for the first construct that Redshift lacks."""
    for position in range(len(words)):
        construct = _postgresql_only(words, position)
        if construct:
            raise RedshiftError(
                f"{construct} is not supported on Redshift",
                hint="PostgreSQL has it, so this check of the local stand-in refuses it here",
            )


def _postgresql_only(words: Sequence[Word], position: int) -> str | None:
    def upper(offset: int) -> str:
        place = position + offset
        return words[place].upper if 0 <= place < len(words) else ""

    word = upper(0)
    after_dot = upper(-1) == "."
    construct = None
    if words[position].kind is Kind.SYMBOL:
        construct = word if word in OPERATORS else None
    elif word in FUNCTIONS and upper(1) == "(" and not after_dot:
        construct = f"{word.lower()}()"
    elif word in TYPES and (upper(-1) == "::" or (upper(-1) == "AS" and upper(1) == ")")):
        construct = f"type {word.lower()}"
    elif word == "FILTER" and upper(1) == "(" and upper(-1) == ")":
        construct = "FILTER (WHERE …)"
    elif word == "RETURNING" and position and not after_dot:
        construct = "RETURNING"
    elif word == "LATERAL" and upper(1) == "(":
        construct = "LATERAL"
    elif word == "DISTINCT" and upper(1) == "ON" and upper(2) == "(":
        construct = "DISTINCT ON"
    elif word == "CONFLICT" and upper(-1) == "ON" and upper(1) in ("(", "DO", "ON"):
        construct = "ON CONFLICT"
    return construct
