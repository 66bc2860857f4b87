"""Partition filters: what they mean, and that Glue's expression never loses a partition."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from itertools import product
from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from moto.glue.utils import PartitionFilter

from metastore.filters import FilterError, PartitionKey, matcher, parse, to_expression
from metastore.filters.matching import DEFAULT_PARTITION
from metastore.filters.tree import (
    All,
    AnyOf,
    Between,
    Comparison,
    Condition,
    Like,
    Membership,
)

KEYS = (PartitionKey("dt", "date"), PartitionKey("hour", "string"), PartitionKey("n", "int"))


def holds(text: str, *values: str, keys: Sequence[PartitionKey] = KEYS) -> bool:
    return matcher(parse(text), keys)(values)


def holds_for_hour(text: str, hour: str) -> bool:
    return holds(text, "2026-01-02", hour, "5")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('dt = "2026-01-02"', True),
        ("dt = '2026-01-02'", True),
        ("dt = 2026-01-02", True),
        ("dt = date '2026-01-02'", True),
        ("DATE '2026-01-02' = DT", True),
        ('dt = "2026-1-2"', True),
        ('"2026-01-01" < dt', True),
        ("'2026-01-02' < dt", False),
        ('dt >= "2026-01-02" and (hour) in ("05","06")', True),
        ('(hour) not in ("05", "06")', False),
        ('((hour)) in ("05")', True),
        ("not hour in ('05')", False),
        ("not (hour = '05' and n = 5)", False),
        ("not (hour = '05' and n = 6)", True),
        ("hour != '05' or n <> 6", True),
        ("hour between '04' and '06' and n between 1 and 5", True),
        ("n not between 1 and 4", True),
        ("((n < 5) or (n >= 5 and (hour = '05' or (hour = 'x'))))", True),
        ("5 >= n", True),
        ("n = 05", True),
        ("n = '5'", True),
        ("hour = 5", False),
        ("n in (1, 2, 5)", True),
        ("n = -5", False),
        ('hour like "0.*"', True),
        ('hour like ".*5"', True),
        ('hour like "0."', True),
        ("hour like '0%'", True),
        ("hour like '_5%'", True),
        ('hour not like "0.*"', False),
        ("`hour` = '05'", True),
        ("hour='05'AND n=5", True),
    ],
)
def test_filter_holds_for_2026_01_02_hour_05_n_5(text: str, expected: bool) -> None:
    assert holds(text, "2026-01-02", "05", "5") is expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('hour = "it\'s"', "it's"),
        ("hour = 'it''s'", "it's"),
        ("hour = 'a \"b\" c'", 'a "b" c'),
        (r'hour = "a\b"', r"a\b"),
        ('hour = "a\\"', "a\\"),
        (r'hour in ("a\", "b\")', "b\\"),
        (r'hour = "a\"b"', 'a"b'),
        ('hour = ""', ""),
        ('hour = "(and) or, not"', "(and) or, not"),
        ('hour = "größe 中 🎈"', "größe 中 🎈"),
        ('hour = " 05 "', " 05 "),
        ('hour = "a\nb"', "a\nb"),
    ],
)
def test_quoted_value_is_read_as_spark_or_hive_wrote_it(text: str, value: str) -> None:
    assert holds_for_hour(text, value)
    assert not holds_for_hour(text, value + "x")


def test_default_partition_is_null_but_for_its_own_name() -> None:
    for text in ("hour <> '05'", "hour not in ('05')", "hour like '.*'", "hour >= ''", "n < 9"):
        assert not holds(text, "2026-01-02", DEFAULT_PARTITION, DEFAULT_PARTITION), text
    assert holds(f"hour = '{DEFAULT_PARTITION}'", "2026-01-02", DEFAULT_PARTITION, "5")
    assert holds(f"n in (1, '{DEFAULT_PARTITION}')", "2026-01-02", "05", DEFAULT_PARTITION)


def test_value_that_its_type_cannot_hold_is_null() -> None:
    assert not holds("n <> 1", "2026-01-02", "05", "x")
    assert not holds("dt > '2000-01-01'", "yesterday", "05", "5")


def test_startswith_of_spark_takes_its_value_literally() -> None:
    assert holds_for_hour('hour like "a+b(.*"', "a+b(c")
    assert holds_for_hour('hour like "50%.*"', "50% off")
    assert not holds_for_hour('hour like "50%.*"', "500")
    assert not holds_for_hour('hour like "a_.*"', "ab")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "ends too early"),
        ("dt", "ends too early"),
        ("dt =", "ends too early"),
        ("dt = and", "a value expected"),
        ("dt = '2026-01-02' hour = '05'", "`and` or `or` expected"),
        ("(dt = '2026-01-02'", "not closed"),
        ("dt = '2026-01-02')", "not opened"),
        ("dt == '2026-01-02'", "a value expected"),
        ("dt = 'open", "cannot read"),
        ("in (1)", "a column expected"),
        ("n in ()", "a value expected"),
        ("n is null", "a comparison expected"),
        ("n = 1; drop", "cannot read"),
    ],
)
def test_filter_that_makes_no_sense_says_where(text: str, said: str) -> None:
    with pytest.raises(FilterError, match=said):
        parse(text)


def test_literal_of_the_wrong_type_names_column_type_and_value() -> None:
    with pytest.raises(FilterError, match="n is int, and 'x' is not"):
        matcher(parse("n = 'x'"), KEYS)
    with pytest.raises(FilterError, match="dt is date, and '2026-02-30' is not"):
        matcher(parse("dt = '2026-02-30'"), KEYS)


def test_column_that_is_no_partition_key_is_named_with_those_that_are() -> None:
    with pytest.raises(FilterError, match=r"amount is not a partition column \(they are: dt, hour"):
        matcher(parse("amount = 1"), KEYS)


def test_thousand_nested_terms_parse() -> None:
    text = "(" * 2000 + "n = 0" + "".join(f" or n = {i})" for i in range(2000))
    assert holds(text, "2026-01-02", "05", "1999")


def test_alternation_without_end_is_refused() -> None:
    text = "n = 1 and (n = 2 or (" * 500 + "n = 3" + "))" * 500
    with pytest.raises(FilterError, match="levels deep"):
        parse(text)


@given(st.text(max_size=200))
def test_arbitrary_text_is_a_filter_or_a_filter_error(text: str) -> None:
    with suppress(FilterError):
        condition = parse(text)
        matcher(condition, KEYS)(["2026-01-02", "05", "5"])
        to_expression(condition, KEYS)


WORDS = [
    "dt",
    "hour",
    "n",
    "(",
    ")",
    "and",
    "or",
    "not",
    "in",
    "between",
    "like",
    "date",
    "=",
    "<>",
    "<",
    ",",
]


@given(st.lists(st.sampled_from([*WORDS, "'05'", "5", "2026-01-02", "'\\'", '"']), max_size=30))
def test_arbitrary_tokens_are_a_filter_or_a_filter_error(words: list[str]) -> None:
    with suppress(FilterError):
        matcher(parse(" ".join(words)), KEYS)


# Glue's expression

DAYS = ["2025-12-31", "2026-01-01", "2026-01-02", "2026-01-10"]
HOURS = ["00", "05", "12", "it's", "a_c", "abc", "50%", "", "é"]
NUMBERS = ["-3", "0", "5", "12"]
EVERY_PARTITION = list(product(DAYS, HOURS, NUMBERS))
"""Few values, each also a literal, so that every boundary is met."""

days, hours, numbers = st.sampled_from(DAYS), st.sampled_from(HOURS), st.sampled_from(NUMBERS)
operators = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
LITERALS = {"dt": days, "hour": hours, "n": numbers}


@st.composite
def leaves(draw: st.DrawFn) -> Condition:
    column = draw(st.sampled_from(["dt", "hour", "n"]))
    literal = LITERALS[column]
    negated = draw(st.booleans())
    kind = draw(st.sampled_from(["compare", "in", "between", "like"]))
    if kind == "compare":
        return Comparison(column, draw(operators), draw(literal))
    if kind == "in":
        values = draw(st.lists(literal, min_size=1, max_size=5))
        return Membership(column, tuple(values), negated)
    if kind == "between":
        return Between(column, draw(literal), draw(literal), negated)
    prefix = draw(hours)
    return Like(
        "hour", draw(st.sampled_from([prefix + ".*", ".*" + prefix, "0%", prefix])), negated
    )


conditions = st.recursive(
    leaves(),
    lambda inner: st.builds(
        lambda node, parts: node(tuple(parts)),
        st.sampled_from([All, AnyOf]),
        st.lists(inner, min_size=2, max_size=4),
    ),
    max_leaves=12,
)


def as_spark_writes(condition: Condition) -> str:
    def quoted(value: str) -> str:
        return f'"{value}"' if '"' not in value else f"'{value}'"

    match condition:
        case All(parts):
            return "(" + " and ".join(as_spark_writes(part) for part in parts) + ")"
        case AnyOf(parts):
            return "(" + " or ".join(as_spark_writes(part) for part in parts) + ")"
        case Comparison(column, operator, value):
            return f"{column} {operator} {quoted(value)}"
        case Membership(column, values, negated):
            return f"({column}) {'not ' * negated}in ({', '.join(map(quoted, values))})"
        case Between(column, low, high, negated):
            return f"{column} {'not ' * negated}between {quoted(low)} and {quoted(high)}"
        case Like(column, pattern, negated):
            return f"{column} {'not ' * negated}like {quoted(pattern)}"


def glue_holds(expression: str, values: Sequence[str]) -> bool:
    """moto's evaluator of Glue expressions, which knows nothing of ours."""
    table = SimpleNamespace(
        versions={"1": {"PartitionKeys": [{"Name": k.name, "Type": k.type} for k in KEYS]}}
    )
    partition = SimpleNamespace(partition_input={"Values": list(values)})
    return bool(PartitionFilter(expression, table)(partition))


def matching(condition: Condition) -> list[tuple[str, str, str]]:
    test = matcher(condition, KEYS)
    return [values for values in EVERY_PARTITION if test(values)]


def lost(condition: Condition, expression: str | None) -> list[tuple[str, str, str]]:
    """Partitions that the filter wants and the expression does not let through."""
    if expression is None:
        return []
    return [values for values in matching(condition) if not glue_holds(expression, values)]


@given(conditions)
def test_parsed_filter_means_what_it_was_written_from(condition: Condition) -> None:
    assert matching(parse(as_spark_writes(condition))) == matching(condition)


@given(conditions)
def test_negated_filter_matches_exactly_the_others(condition: Condition) -> None:
    others = matching(parse(f"not {as_spark_writes(condition)}"))
    assert sorted(others + matching(condition)) == sorted(EVERY_PARTITION)


@given(conditions)
@example(Like("hour", "a_c.*", negated=True))
def test_glue_expression_never_loses_a_partition(condition: Condition) -> None:
    assert lost(condition, to_expression(condition, KEYS)) == []


@given(conditions, st.integers(20, 200))
def test_shortened_glue_expression_never_loses_a_partition(
    condition: Condition, limit: int
) -> None:
    expression = to_expression(condition, KEYS, limit)
    assert expression is None or len(expression) <= limit
    assert lost(condition, expression) == []


@given(leaves())
def test_glue_judges_a_single_comparison_exactly(condition: Condition) -> None:
    """But for a pattern, whose literal % and _ Glue may read as wild."""
    expression = to_expression(condition, KEYS)
    if expression is not None and not isinstance(condition, Like):
        let_through = [values for values in EVERY_PARTITION if glue_holds(expression, values)]
        assert let_through == matching(condition)


def test_plain_filter_becomes_the_same_in_glue() -> None:
    text = 'dt >= "2026-01-02" and (hour) in ("05", "06")'
    assert to_expression(parse(text), KEYS) == "dt >= '2026-01-02' AND hour IN ('05', '06')"


def test_list_that_is_too_long_becomes_its_range() -> None:
    values = ", ".join(f"'{date.fromordinal(730000 + day)}'" for day in range(400))
    expression = to_expression(parse(f"hour = '05' and dt in ({values})"), KEYS)
    assert expression == "hour = '05' AND dt >= '1999-09-03' AND dt <= '2000-10-06'"


def test_reserved_column_name_is_judged_here_and_not_by_glue() -> None:
    keys = (PartitionKey("order", "string"), PartitionKey("hour", "string"))
    condition = parse("order = 'x' and hour = '05'")
    assert to_expression(condition, keys) == "hour = '05'"
    assert matcher(condition, keys)(["x", "05"])


def test_or_with_one_side_unknown_to_glue_is_judged_here_as_a_whole() -> None:
    keys = (PartitionKey("at", "timestamp"), PartitionKey("hour", "string"))
    condition = parse("at = '2026-01-02 03:00:00' or hour = '05'")
    assert to_expression(condition, keys) is None
    assert matcher(condition, keys)(["2026-01-02 03:00:00", "x"])
