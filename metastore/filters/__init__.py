"""Partition filters: a client's text in, a Glue expression and an exact test out.

A filter arrives as Spark writes it (`dt = "2026-01-02" and (hour) in ("05", "06")`). It becomes a
tree (`parse`), a Glue expression that may let too much through but never too little
(`expression`), and a test that is exact (`matching`). So Glue's dialect and its 2,048 characters
decide how much is fetched, never what is answered.
"""

from metastore.filters.expression import EXPRESSION_LIMIT, to_expression
from metastore.filters.matching import PartitionKey, matcher
from metastore.filters.parse import parse
from metastore.filters.tree import Condition, FilterError

__all__ = [
    "EXPRESSION_LIMIT",
    "Condition",
    "FilterError",
    "PartitionKey",
    "matcher",
    "parse",
    "to_expression",
]
