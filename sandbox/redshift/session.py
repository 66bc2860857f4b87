"""One client's session: its messages to PostgreSQL and back, statement by statement.

Comes in: a client that is connected and admitted. Goes out: the protocol's answers. Statements are
planned here and refused here; what PostgreSQL cannot do goes to `execution`.
"""

import asyncio
import logging
import struct
from dataclasses import dataclass

from sandbox.redshift import wire
from sandbox.redshift.backend import Backend
from sandbox.redshift.errors import RedshiftError
from sandbox.redshift.execution import Services, execute, fail_transaction
from sandbox.redshift.external.references import References
from sandbox.redshift.handshake import Opened
from sandbox.redshift.sql.planner import plan
from sandbox.redshift.sql.plans import Pass, Plan
from sandbox.redshift.sql.tokens import Untokenizable, statements

log = logging.getLogger(__name__)

WRITE_AHEAD = 1 << 16
"""Bytes for the client that are gathered before they are sent."""

REPLIES = {b"P": b"1", b"B": b"2", b"C": b"3", b"D": b"Tn", b"E": b"CIs"}
"""By message of the extended protocol: the kinds that end its reply."""


@dataclass
class Prepared:
    """A prepared statement. `fresh`: what it reads was brought up to date since it was parsed."""

    plan: Plan
    references: References
    fresh: bool = True


class Session:
    """A client and its connection to PostgreSQL."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        opened: Opened,
        services: Services,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._backend: Backend = opened.backend
        self._user = opened.user
        self._services = services
        self._statements: dict[str, Prepared] = {}
        self._portals: dict[str, Prepared] = {}
        self._gathered = bytearray()
        self._failed = False

    async def serve(self) -> None:
        """Answer until the client says goodbye. Raises ConnectionError if it only goes away."""
        while True:
            kind, body = await wire.read_message(self._reader)
            if kind == b"X":
                return
            if kind == b"S":
                self._failed = False
                await self._synchronise()
            elif kind == b"H":
                await self._flush()
            elif self._failed:
                continue
            elif kind == b"Q":
                await self._simple(body[:-1].decode())
                await self._synchronise()
                self._failed = False
            elif kind in REPLIES:
                await self._guarded(kind, body)
            else:
                self._reply_error(RedshiftError(f"unexpected message {kind!r}", "08P01"))
                self._failed = True

    # the simple protocol

    async def _simple(self, text: str) -> None:
        try:
            pieces = statements(text)
        except Untokenizable:
            pieces = [text]
        if not pieces:
            self._reply(wire.EMPTY_QUERY)
        try:
            for piece in pieces:
                await self._run(plan(piece), piece)
        except RedshiftError as error:
            await fail_transaction(self._backend)
            self._reply_error(error)
        except _Reported:
            return

    async def _run(self, planned: Plan, text: str) -> None:
        if not isinstance(planned, Pass):
            await self._execute(planned)
            return
        await self._bring_up_to_date(planned, text)
        self._backend.send(wire.query(planned.sql))
        failed = False
        while True:
            kind, whole = await self._backend.read()
            if kind == b"Z":
                break
            failed = failed or kind == b"E"
            await self._pass_on(kind, whole, planned.tag)
        if failed:
            raise _Reported

    # the extended protocol

    async def _guarded(self, kind: bytes, body: bytes) -> None:
        """One message; after an error the client's messages are skipped until its Sync."""
        try:
            await self._extended(kind, body)
        except RedshiftError as error:
            await fail_transaction(self._backend)
            self._reply_error(error)
            self._failed = True
        except _Reported:
            self._failed = True

    async def _extended(self, kind: bytes, body: bytes) -> None:
        if kind == b"P":
            await self._parse(body)
        elif kind == b"B":
            portal, rest = body.split(b"\0", 1)
            name = rest.split(b"\0", 1)[0].decode()
            prepared = self._statements.get(name)
            if prepared is not None:
                self._portals[portal.decode()] = prepared
                if not prepared.fresh:
                    await self._services.external.refresh(prepared.references)
                prepared.fresh = False
            await self._forward(kind, body, prepared, wire.BIND_COMPLETE)
        elif kind == b"E":
            prepared = self._portals.get(body.split(b"\0", 1)[0].decode())
            if prepared is not None and not isinstance(prepared.plan, Pass):
                await self._execute(prepared.plan)
            else:
                await self._forward(kind, body, prepared, b"")
        else:
            named = self._statements if body[:1] == b"S" else self._portals
            name = body[1:-1].decode()
            prepared = named.pop(name, None) if kind == b"C" else named.get(name)
            described = wire.NO_PARAMETERS + wire.NO_DATA if body[:1] == b"S" else wire.NO_DATA
            own = wire.CLOSE_COMPLETE if kind == b"C" else described
            await self._forward(kind, body, prepared, own)

    async def _parse(self, body: bytes) -> None:
        name, text, rest = body.split(b"\0", 2)
        sql = text.decode()
        (typed_parameters,) = struct.unpack_from("!h", rest)
        planned = plan(sql, max(typed_parameters, "$1" in sql))
        references = References()
        if isinstance(planned, Pass):
            references = await self._bring_up_to_date(planned, sql)
            rewritten = name + b"\0" + wire.cstring(planned.sql) + rest
            await self._forward(b"P", rewritten, None, b"")
        else:
            self._reply(wire.PARSE_COMPLETE)
        self._statements[name.decode()] = Prepared(planned, references)

    async def _forward(
        self, kind: bytes, body: bytes, prepared: Prepared | None, own: bytes
    ) -> None:
        """Ask PostgreSQL and pass its answer on; `own` answers for a plan that it never saw."""
        if prepared is not None and not isinstance(prepared.plan, Pass):
            self._reply(own)
            return
        tag = (
            prepared.plan.tag if prepared is not None and isinstance(prepared.plan, Pass) else None
        )
        self._backend.send(wire.message(kind, body) + wire.FLUSH)
        while True:
            answer, whole = await self._backend.read()
            await self._pass_on(answer, whole, tag)
            if answer == b"E":
                raise _Reported
            if answer in REPLIES[kind]:
                return

    # both

    async def _execute(self, planned: Plan) -> None:
        outcome = await execute(planned, self._backend, self._services, self._user)
        if outcome.notice:
            self._reply(wire.notice(outcome.notice))
        self._reply(wire.command_complete(outcome.tag))

    async def _bring_up_to_date(self, planned: Pass, sql: str) -> References:
        """External tables that `sql` reads, and the views of Glue, as they are now."""
        if not planned.reads:
            return References()
        references = await self._services.external.references(sql, self._backend)
        if planned.binds and references.tables - references.indirect:
            raise RedshiftError(
                "External tables are not supported in views",
                hint="add WITH NO SCHEMA BINDING (in dbt: bind: false)",
            )
        await self._services.external.refresh(references)
        return references

    async def _synchronise(self) -> None:
        """ReadyForQuery, after PostgreSQL has ended an implicit transaction."""
        self._backend.send(wire.SYNC)
        while True:
            kind, whole = await self._backend.read()
            await self._pass_on(kind, whole, None)
            if kind == b"Z":
                break
        await self._flush()

    async def _pass_on(self, kind: bytes, whole: bytes, tag: str | None) -> None:
        if kind == b"C" and tag:
            whole = wire.command_complete(tag)
        elif kind == b"E":
            whole = wire.message(b"E", wire.in_redshift_words(whole[5:]))
        self._gathered += whole
        if len(self._gathered) > WRITE_AHEAD:
            await self._flush()

    def _reply(self, data: bytes) -> None:
        self._gathered += data

    def _reply_error(self, error: RedshiftError) -> None:
        self._reply(wire.error_response(error))

    async def _flush(self) -> None:
        if self._gathered:
            self._writer.write(bytes(self._gathered))
            self._gathered.clear()
        await self._writer.drain()


class _Reported(Exception):
    """The client has got PostgreSQL's error already."""
