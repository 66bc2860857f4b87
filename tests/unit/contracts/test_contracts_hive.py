"""Hive types are read whatever their spelling, and written in one."""

import pytest

from datacore.contracts.hive import parse_hive_type


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("STRING", "string"),
        ("decimal(10)", "decimal(10,0)"),
        ("decimal( 38 , 38 )", "decimal(38,38)"),
        ("array< map<string, struct<a:int, b : decimal(3,1)>> >", "array<map<string,struct<a:int,b:decimal(3,1)>>>"),
    ],
)  # fmt: skip
def test_a_type_has_one_spelling(text: str, written: str) -> None:
    assert str(parse_hive_type(text)) == written
    assert str(parse_hive_type(written)) == written


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "ends where"),
        ("varchar(10)", "'varchar' is unknown"),
        ("timestamp", "as it came"),
        ("decimal", "ends where"),
        ("decimal(39,0)", "outside"),
        ("decimal(3,4)", "outside"),
        ("decimal(a)", "number was expected"),
        ("array<string", "ends where"),
        ("array<string>>", "after the type's end"),
        ("map<int,string>", "keys are string"),
        ("struct<>", "field's name"),
        ("struct<a:int,A:int>", "twice"),
        ("struct<a int>", "stands where :"),
        ("string;", "does not belong"),
        ("array<" * 60 + "int" + ">" * 60, "nested"),
    ],
)
def test_what_is_no_type_is_refused_with_the_reason(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_hive_type(text)
