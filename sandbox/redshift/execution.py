"""Carries out the plans that PostgreSQL cannot: COPY, UNLOAD, TRUNCATE, external schemas.

Comes in: a plan and the session it belongs to. Goes out: a command tag and perhaps a notice. A
failed COPY is recorded on a connection of its own, so that its row outlives the rollback.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from sandbox.redshift.backend import Backend
from sandbox.redshift.errors import BackendError, LoadError, RedshiftError
from sandbox.redshift.external.service import ExternalSchemas
from sandbox.redshift.loads.copy import run_copy
from sandbox.redshift.loads.unload import run_unload
from sandbox.redshift.sql.plans import Copy, CreateExternalSchema, Pass, Plan, Truncate, Unload
from sandbox.redshift.sql.tokens import literal


@dataclass(frozen=True)
class Outcome:
    """What the client hears of a statement that succeeded."""

    tag: str
    notice: str = ""


class LoadErrors:
    """Writes STL_LOAD_ERRORS outside of the sessions' transactions."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._lock = asyncio.Lock()

    @classmethod
    async def open(cls, socket: Path, database: str) -> "LoadErrors":
        """With a connection of its own."""
        return cls(await Backend.as_administrator(socket, database))

    async def record(self, error: LoadError) -> None:
        """Keep `error` as a row."""
        rejection = error.rejection
        values = (
            error.query,
            error.table,
            rejection.filename,
            rejection.line,
            rejection.column,
            rejection.type,
            rejection.value,
            error.number,
            error.reason,
        )
        async with self._lock:
            await self._backend.query(
                "insert into rs.load_error (query, tbl, filename, line_number, colname, type,"
                " raw_field_value, err_code, err_reason)"
                f" values ({', '.join(literal(value) for value in values)})"
            )


@dataclass(frozen=True)
class Services:
    """What all sessions share."""

    external: ExternalSchemas
    load_errors: LoadErrors


async def execute(plan: Plan, backend: Backend, services: Services, user: str) -> Outcome:
    """Carry out `plan` for `user` on `backend`, and return what the client hears.

    Raises RedshiftError, after the transaction (if there is one) was put into its failed state.
    """
    try:
        return await _execute(plan, backend, services, user)
    except LoadError as error:
        if error.query:
            await services.load_errors.record(error)
        await fail_transaction(backend)
        raise
    except RedshiftError:
        await fail_transaction(backend)
        raise


async def _execute(plan: Plan, backend: Backend, services: Services, user: str) -> Outcome:
    if backend.status == b"E":
        raise RedshiftError(
            "current transaction is aborted, commands ignored until end of transaction block",
            "25P02",
        )
    match plan:
        case Copy():
            return Outcome("COPY", await run_copy(plan, backend))
        case Unload():
            await services.external.refresh(await services.external.references(plan.query, backend))
            return Outcome("UNLOAD", await run_unload(plan, backend))
        case Truncate():
            await backend.query(plan.sql)
            if backend.status == b"T":
                await backend.query("commit")
            return Outcome("TRUNCATE TABLE")
        case CreateExternalSchema():
            await services.external.create(plan, user)
            return Outcome("CREATE SCHEMA")
        case Pass():
            await backend.query(plan.sql)
            return Outcome(plan.tag or "")


async def fail_transaction(backend: Backend) -> None:
    """Put an open transaction into the state in which only ROLLBACK helps, as an error does."""
    if backend.status != b"T":
        return
    try:
        await backend.query("do $$ begin raise exception 'the statement failed'; end $$")
    except BackendError as error:
        if error.fatal:
            raise
