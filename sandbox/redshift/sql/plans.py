"""What can become of a statement: data only, made by `planner`, carried out by `execution`."""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.redshift.sql.tokens import Name


@dataclass(frozen=True)
class Pass:
    """PostgreSQL runs `sql`; the client sees `tag` where PostgreSQL's own would be wrong.

    `binds` marks a view that depends on its tables, which external ones do not allow; `reads` is
    False for a statement that is known to read no table.
    """

    sql: str
    tag: str | None = None
    binds: bool = False
    reads: bool = True


@dataclass(frozen=True)
class Truncate:
    """TRUNCATE, which commits the transaction that it is in."""

    sql: str


@dataclass(frozen=True)
class Copy:
    """COPY from S3. `columns` empty: all of the table's. `options` by upper-case name."""

    table: Name
    columns: tuple[str, ...]
    source: str
    options: Mapping[str, str]


@dataclass(frozen=True)
class Unload:
    """UNLOAD of `query` (already rewritten) to S3."""

    query: str
    destination: str
    options: Mapping[str, str]
    partition_by: tuple[str, ...]


@dataclass(frozen=True)
class CreateExternalSchema:
    """An external schema over a Glue database."""

    schema: str
    database: str
    iam_role: str
    if_not_exists: bool
    create_database: bool


Plan = Pass | Truncate | Copy | Unload | CreateExternalSchema
"""Every plan that `planner.plan` can return."""

NOTHING = "do $$ begin end $$"
"""A statement without effect or result, for what is only a hint on Redshift."""
