"""What Glue is too small for, kept whole beside it.

Glue holds a column comment of at most 255 characters on one line and a description of at most
2,048; Hive holds any text. A longer text is shortened for Glue, with an ellipsis, and kept whole in
a parameter of the table or database under `datacore.metastore.`, which clients never see. The whole
text is shown as long as Glue still holds its shortening: an edit made in Glue wins.
https://docs.aws.amazon.com/glue/latest/webapi/API_Column.html
"""

from collections.abc import Mapping

COMMENT_LIMIT = 255
DESCRIPTION_LIMIT = 2048
RESERVED = "datacore.metastore."
"""Prefix of the parameters that this service keeps in Glue for itself."""


def one_line(text: str) -> str:
    """`text` as a column comment that Glue takes: printable, on one line, at most 255 characters."""
    return _cut("".join(c if c.isprintable() else " " for c in text), COMMENT_LIMIT)


def description(text: str) -> str:
    """`text` as a description that Glue takes: at most 2,048 characters."""
    return _cut(
        "".join(c if c.isprintable() or c in "\r\n\t" else " " for c in text), DESCRIPTION_LIMIT
    )


def _cut(text: str, limit: int) -> str:
    """At most `limit` UTF-16 code units, as Java counts; an ellipsis where something was cut."""
    if _units(text) <= limit:
        return text
    kept = text[: limit - 1]
    while _units(kept) > limit - 1:
        kept = kept[:-1]
    return kept + "…"


def _units(text: str) -> int:
    return len(text) + sum(ord(character) > 0xFFFF for character in text)


def visible(parameters: Mapping[str, str] | None) -> dict[str, str]:
    """Parameters as clients see them: without this service's own, and without nulls."""
    return {
        name: value
        for name, value in (parameters or {}).items()
        if value is not None and not name.startswith(RESERVED)
    }
