"""The one way into external schemas for sessions: what a statement needs, made up to date.

Comes in: statements of all sessions. Goes out: PostgreSQL's tables and the system views, equal to
Glue when the statement runs. Work is done one statement at a time, on a connection of its own, so
it shows in every transaction and in none of them can it be rolled back.
"""

import asyncio
from pathlib import Path

from sandbox.redshift.backend import Backend
from sandbox.redshift.errors import RedshiftError
from sandbox.redshift.external.catalog import ExternalCatalog
from sandbox.redshift.external.copies import ExternalCopies
from sandbox.redshift.external.definitions import create_database, database_exists
from sandbox.redshift.external.references import References, find_references, identifiers
from sandbox.redshift.sql.plans import CreateExternalSchema
from sandbox.redshift.sql.tokens import literal, quoted


class ExternalSchemas:
    """External schemas and what is known of them."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._lock = asyncio.Lock()
        self._catalog = ExternalCatalog(backend)
        self._copies = ExternalCopies(backend)
        self._names: set[str] = set()

    @classmethod
    async def open(cls, socket: Path, database: str) -> "ExternalSchemas":
        """With a connection of its own."""
        return cls(await Backend.as_administrator(socket, database))

    async def create(self, plan: CreateExternalSchema, owner: str) -> None:
        """Create the schema. Raises RedshiftError if it is there, or its Glue database is not."""
        loop = asyncio.get_running_loop()
        async with self._lock:
            name = literal(plan.schema)
            rows = await self._backend.query(f"select 1 from pg_namespace where nspname = {name}")
            if rows and plan.if_not_exists:
                return
            if rows:
                raise RedshiftError(f'Schema "{plan.schema}" already exists', "42P06")
            if plan.create_database:
                await loop.run_in_executor(None, create_database, plan.database)
            elif not await loop.run_in_executor(None, database_exists, plan.database):
                raise RedshiftError(
                    f'database "{plan.database}" does not exist in the data catalog',
                    "3D000",
                    hint="build the lake first, or add CREATE EXTERNAL DATABASE IF NOT EXISTS",
                )
            self._catalog.forget(plan.schema)
            self._copies.forget(plan.schema)
            await self._backend.query(
                f"create schema {quoted([plan.schema])} authorization {quoted([owner])};"
                f"insert into rs.external_schema values"
                f" ({name}, {literal(plan.database)}, {literal(plan.iam_role)})"
            )
            self._names.add(plan.schema)

    async def references(self, sql: str, session: Backend) -> References:
        """What `sql` needs, also through the views that `session` sees."""
        names = identifiers(sql)
        if not names or not self._names or session.status == b"E":
            return References()
        listed = ", ".join(literal(name) for name in sorted(names))
        rows = await session.query(f"select * from rs.text_behind(array[{listed}])")
        return find_references(sql, [str(body) for (body,) in rows], self._names)

    async def refresh(self, references: References) -> None:
        """Bring up to date what a statement needs. Raises RedshiftError."""
        if not references:
            return
        async with self._lock:
            rows = await self._backend.query("select name, database_name from rs.external_schema")
            databases = {str(schema): str(database) for schema, database in rows}
            for gone in self._names - set(databases):
                self._catalog.forget(gone)
                self._copies.forget(gone)
            if references.metadata:
                await self._catalog.refresh(databases)
            for schema, name in sorted(references.tables):
                if schema in databases:
                    direct = (schema, name) not in references.indirect
                    statement = references.sql if direct else ""
                    await self._copies.refresh(schema, databases[schema], name, statement)
