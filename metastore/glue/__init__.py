"""Glue through boto3: its pages, its batch sizes, its faults. Knows nothing of Hive."""

from metastore.glue.client import CREATE_BATCH, Glue
from metastore.glue.faults import (
    AlreadyExists,
    Changed,
    GlueError,
    InvalidRequest,
    NotFound,
    Refused,
    Unreachable,
    UnsupportedByEndpoint,
)

__all__ = [
    "CREATE_BATCH",
    "AlreadyExists",
    "Changed",
    "Glue",
    "GlueError",
    "InvalidRequest",
    "NotFound",
    "Refused",
    "Unreachable",
    "UnsupportedByEndpoint",
]
