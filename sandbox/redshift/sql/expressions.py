"""Redshift's expressions in PostgreSQL's words, through sqlglot, kept narrow.

Comes in: a query, INSERT, UPDATE, DELETE or MERGE. Goes out: its text, untouched where nothing in
it needs rewriting. Functions stay as they were written (sqlglot's own translation rounds DATEDIFF
and drops PIVOT in silence); most are SQL functions in `shims`. What cannot be honoured is refused.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import SqlglotError
from sqlglot.generators.postgres import PostgresGenerator
from sqlglot.parsers.redshift import RedshiftParser

from sandbox.redshift.errors import RedshiftError
from sandbox.redshift.sql.dateparts import DATE_PARTS
from sandbox.redshift.sql.tokens import Kind, Word, words

TRIGGERS = {
    "APPROXIMATE",
    "CONVERT",
    "DATE_ADD",
    "DATE_DIFF",
    "DATE_PART",
    "DATEADD",
    "DATEDIFF",
    "DATETIME",
    "DECODE",
    "EXCLUDE",
    "EXTRACT",
    "ISNULL",
    "LEN",
    "LISTAGG",
    "MINUS",
    "NVL",
    "NVL2",
    "PIVOT",
    "QUALIFY",
    "RATIO_TO_REPORT",
    "REGEXP_REPLACE",
    "SUPER",
    "SYSDATE",
    "TOP",
    "UNPIVOT",
    "VARBYTE",
}
"""Words that make a rewrite necessary; a query without them is passed as it was typed."""

CATALOG_TRIGGERS = TRIGGERS - {"CONVERT", "DATE_PART", "EXTRACT", "REGEXP_REPLACE"}
"""The same for catalog queries, which are PostgreSQL's own language on Redshift too."""

_TYPED_FUNCTIONS = {
    "AVG",
    "CASE",
    "CAST",
    "COALESCE",
    "COUNT",
    "DENSE_RANK",
    "FIRST_VALUE",
    "LAG",
    "LAST_VALUE",
    "LEAD",
    "MAX",
    "MIN",
    "NTILE",
    "RANK",
    "ROW_NUMBER",
    "SUM",
}


class _Source(Redshift):
    """Redshift's grammar with functions as they were written."""

    class Parser(RedshiftParser):
        FUNCTIONS: ClassVar[dict[str, Any]] = {
            k: v for k, v in RedshiftParser.FUNCTIONS.items() if k in _TYPED_FUNCTIONS
        }
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            k: v
            for k, v in RedshiftParser.FUNCTION_PARSERS.items()
            if k not in ("DECODE", "STRING_AGG", "LISTAGG")
        }


class _Target(Postgres):
    """PostgreSQL, with backslashes in literals that mean themselves in every session."""

    class Generator(PostgresGenerator):
        def literal_sql(self, expression: exp.Literal) -> str:
            text = super().literal_sql(expression)
            if expression.is_string and "\\" in text:
                return "E" + text.replace("\\", "\\\\")
            return text


def rewrite_query(sql: str, catalog: bool = False) -> str:
    """`sql` for PostgreSQL; `catalog` for queries of drivers on the system tables.

    Raises RedshiftError for what cannot be parsed or honoured.
    """
    tokens = words(sql)
    if not _needs_rewrite(tokens, CATALOG_TRIGGERS if catalog else TRIGGERS):
        return sql
    try:
        tree = sqlglot.parse_one(_without_approximate(sql, tokens), read=_Source)
        if isinstance(tree, exp.Command):
            return sql
        return _rewrite(tree).sql(dialect=_Target)
    except (SqlglotError, RecursionError) as error:
        first_line = (str(error).splitlines() or ["too deep"])[0]
        raise RedshiftError(f"the stand-in cannot parse this: {first_line}", "42601") from error


def _needs_rewrite(tokens: Sequence[Word], triggers: set[str]) -> bool:
    for position, word in enumerate(tokens):
        if word.upper in triggers:
            return True
        if word.kind is Kind.QUOTED and word.text != word.text.lower():
            return True
        if word.upper == "MAX" and [w.upper for w in tokens[position - 1 : position + 2]] == [
            "(",
            "MAX",
            ")",
        ]:
            return True
    return False


def _without_approximate(sql: str, tokens: Sequence[Word]) -> str:
    for word, following in reversed(list(pairwise(tokens))):
        if word.upper == "APPROXIMATE" and following.upper in ("COUNT", "PERCENTILE_DISC"):
            sql = sql[: word.start] + sql[following.start :]
    return sql


def _rewrite(tree: exp.Expr) -> exp.Expr:
    # from the leaves up: sqlglot's transform() does not enter what it has replaced
    for node in reversed(list(tree.walk())):
        new = _rewrite_node(node)
        if new is node:
            continue
        if node is tree:
            tree = new
        else:
            node.replace(new)
    return tree


def _rewrite_node(node: Any) -> exp.Expr:
    result: exp.Expr = node
    if isinstance(node, exp.Pivot):
        raise RedshiftError("PIVOT and UNPIVOT are not supported by the local stand-in")
    if isinstance(node, exp.Column):
        if not node.table and not node.this.args.get("quoted") and node.name.lower() == "sysdate":
            result = _call("rs.sysdate")
    elif isinstance(node, exp.CurrentTimestamp):
        if node.args.get("sysdate"):
            result = _call("rs.sysdate")
    elif isinstance(node, exp.Identifier):
        if node.args.get("quoted"):
            node.set("this", node.this.lower())
    elif isinstance(node, exp.DataType):
        result = _type(node)
    elif isinstance(node, exp.Extract):
        part = node.this.name.lower()
        node.set("this", exp.Var(this=DATE_PARTS.get(part, part)))
    elif isinstance(node, exp.WithinGroup):
        if _is_call(node.this, "listagg"):
            result = _listagg(node.this, node.expression)
    elif isinstance(node, exp.Window):
        if _is_call(node.this, "ratio_to_report"):
            result = _ratio_to_report(node)
    elif isinstance(node, exp.Anonymous):
        result = _function(node)
    return result


def _is_call(node: Any, name: str) -> bool:
    return isinstance(node, exp.Anonymous) and str(node.name).lower() == name


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _date_part(node: exp.Expr) -> exp.Expr:
    part = node.name.lower()
    return exp.Literal.string(DATE_PARTS.get(part, part))


def _type(node: exp.DataType) -> exp.Expr:
    kind = node.this
    size = node.expressions[0].name.upper() if node.expressions else ""
    if kind == exp.DataType.Type.VARCHAR and size == "MAX":
        return exp.DataType.build("varchar(65535)", dialect="postgres")
    if kind == exp.DataType.Type.SUPER:
        return exp.DataType.build("jsonb", dialect="postgres")
    return node


def _function(node: exp.Anonymous) -> exp.Expr:
    name = str(node.name).lower()
    arguments = node.expressions
    count = len(arguments)
    result: exp.Expr = node
    if name in ("dateadd", "date_add") and count == 3:
        result = _call("dateadd", _date_part(arguments[0]), *arguments[1:])
    elif name in ("datediff", "date_diff") and count == 3:
        result = _call("datediff", _date_part(arguments[0]), *arguments[1:])
    elif name in ("date_part", "date_trunc") and count == 2:
        result = _call(name, _date_part(arguments[0]), arguments[1])
    elif name in ("nvl", "isnull") and arguments:
        result = exp.Coalesce(this=arguments[0], expressions=arguments[1:])
    elif name == "nvl2" and count == 3:
        present = exp.Not(this=exp.Is(this=arguments[0], expression=exp.Null()))
        result = exp.Case(ifs=[exp.If(this=present, true=arguments[1])], default=arguments[2])
    elif name == "decode" and count >= 3:
        result = _decode(arguments[0], arguments[1:])
    elif name == "listagg" and not isinstance(node.parent, exp.WithinGroup):
        result = _listagg(node, None)
    elif name == "regexp_replace" and count == 3:
        # PostgreSQL replaces the first match only unless told otherwise
        result = _call(name, *arguments, exp.Literal.string("g"))
    elif name == "len":
        result = _call("length", *arguments)
    return result


def _decode(value: exp.Expr, pairs: Sequence[exp.Expr]) -> exp.Expr:
    """DECODE as a CASE; two NULLs are equal to it."""
    branches = []
    for wanted, result in zip(pairs[0::2], pairs[1::2], strict=False):
        same = exp.NullSafeEQ if isinstance(wanted, exp.Null) else exp.EQ
        branches.append(exp.If(this=same(this=value.copy(), expression=wanted), true=result))
    return exp.Case(ifs=branches, default=pairs[-1] if len(pairs) % 2 else None)


def _listagg(node: exp.Anonymous, order: exp.Expr | None) -> exp.Expr:
    arguments = node.expressions
    distinct = bool(arguments) and isinstance(arguments[0], exp.Distinct)
    if distinct:
        arguments = arguments[0].expressions
    if not arguments:
        raise RedshiftError("function listagg() does not exist", "42883")
    separator = arguments[1] if len(arguments) > 1 else exp.Literal.string("")
    parts = "DISTINCT " if distinct else ""
    parts += exp.cast(arguments[0].copy(), "text").sql(dialect=_Target)
    parts += f", {separator.sql(dialect=_Target)}"
    if order is not None:
        parts += f" {order.sql(dialect=_Target)}"
    return exp.Var(this=f"string_agg({parts})")


def _ratio_to_report(node: exp.Window) -> exp.Expr:
    value = node.this.expressions[0]
    total = node.copy()
    total.set("this", exp.Sum(this=value.copy()))
    share = exp.Div(
        this=exp.cast(value.copy(), "double precision"),
        expression=_call("nullif", total, exp.Literal.number(0)),
    )
    return exp.Paren(this=share)
