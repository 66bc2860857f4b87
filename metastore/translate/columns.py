"""Columns: names, types and comments, both ways.

Hive keeps column names in lower case and Spark keeps the spelling in a property of its own, so
names are written in lower case. Types pass through but for the few spellings that other writers
of Glue use and Hive's parser does not know.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hmsclient.genthrift.hive_metastore import ttypes

from metastore.translate.limits import RESERVED, one_line

_COMMENT = RESERVED + "comment."
_ALIASES = {
    "integer": "int",
    "long": "bigint",
    "short": "smallint",
    "byte": "tinyint",
    "numeric": "decimal",
}
_ALIAS = re.compile(
    r"(?<![\w`:])(?:integer|long|short|byte|numeric)(?![\w`:])|(?<=:)(?:integer|long|short|byte|numeric)(?![\w`:])"
)


def hive_type(glue_type: str) -> str:
    """A type of Glue in Hive's spelling. A struct's field names are left as they are."""
    return _ALIAS.sub(lambda found: _ALIASES[found[0]], glue_type)


def columns_to_hive(
    columns: Sequence[Mapping[str, Any]] | None, parameters: Mapping[str, str]
) -> list[Any]:
    """Glue's columns as `FieldSchema`s; `parameters` of the table hold the long comments whole."""
    return [
        ttypes.FieldSchema(
            column["Name"],
            hive_type(column.get("Type") or "string"),
            _whole_comment(column, parameters),
        )
        for column in columns or ()
    ]


def _whole_comment(column: Mapping[str, Any], parameters: Mapping[str, str]) -> str | None:
    comment: str | None = column.get("Comment")
    kept = parameters.get(_COMMENT + column["Name"].lower())
    return kept if kept is not None and one_line(kept) == comment else comment


def columns_to_glue(fields: Sequence[Any] | None) -> list[dict[str, Any]]:
    """`FieldSchema`s as Glue's columns, comments shortened to what Glue holds."""
    columns = []
    for field in fields or ():
        column = {"Name": field.name.lower(), "Type": field.type}
        if field.comment:
            column["Comment"] = one_line(field.comment)
        columns.append(column)
    return columns


def long_comments(fields: Sequence[Any]) -> dict[str, str]:
    """The parameters that keep those comments whole that Glue shortens."""
    return {
        _COMMENT + field.name.lower(): field.comment
        for field in fields
        if field.comment and one_line(field.comment) != field.comment
    }
