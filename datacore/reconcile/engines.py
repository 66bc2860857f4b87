"""Spark and Redshift, each as a function that answers one query.

Comes in: addresses. Goes out: rows, or an error in the platform's words: UsageError for a table that
dbt has not built yet, ServiceUnreachable for everything that trying again can mend.
"""

from collections.abc import Callable
from typing import Any

from datacore.errors import DatacoreError, ServiceUnreachable, UsageError, shorten
from datacore.settings import Address, Settings

LOOPBACK = ("127.0.0.1", "localhost", "::1")
REFUSED_AT_THE_DOOR = ("28", "3D")
"""SQLSTATE classes: invalid authorization, and a database that is not there."""

Rows = list[tuple[Any, ...]]
Ask = Callable[[str], Rows]
"""Runs one query; its rows in the order of the columns asked for."""
Refusal = Callable[[Exception], DatacoreError]


def spark(address: Address) -> Ask:
    """Ask Spark's Thrift server. Raises ServiceUnreachable."""
    from pyhive import exc, hive
    from thrift.transport.TTransport import TTransportException

    def away(error: Exception) -> DatacoreError:
        return ServiceUnreachable(
            f"Spark Thrift at {address} does not answer: {error}",
            "start it (`datacore sandbox up`) or set DATACORE_THRIFT",
        )

    def refused(error: Exception) -> DatacoreError:
        return query_failed("Spark", error.args[0].status.errorMessage)

    try:
        connection = hive.connect(host=address.host, port=address.port, username="datacore")
    except (TTransportException, OSError) as error:
        raise away(error) from error
    return _asker(
        connection,
        {exc.OperationalError: refused, TTransportException: away, OSError: away},
    )


def redshift(settings: Settings) -> Ask:
    """Ask Redshift, over verified TLS unless it is on this machine.

    Raises ServiceUnreachable, and UsageError where user, password or database are refused.
    """
    import redshift_connector
    from redshift_connector.error import Error, ProgrammingError

    def away(error: Exception) -> DatacoreError:
        facts = _facts(error)
        if facts.get("C", "")[:2] in REFUSED_AT_THE_DOOR:
            return UsageError(
                f"Redshift at {settings.redshift} refused: {facts['M']}",
                "check DATACORE_REDSHIFT_USER, _PASSWORD and _DATABASE",
            )
        return ServiceUnreachable(
            f"Redshift at {settings.redshift} does not answer: {facts.get('M', error)}",
            "start it (`datacore sandbox up`) or set DATACORE_REDSHIFT",
        )

    def refused(error: Exception) -> DatacoreError:
        return query_failed("Redshift", _facts(error).get("M", str(error)))

    try:
        connection = redshift_connector.connect(
            host=settings.redshift.host,
            port=settings.redshift.port,
            database=settings.redshift_database,
            user=settings.redshift_user,
            password=settings.redshift_password,
            ssl=settings.redshift.host not in LOOPBACK,
        )
    except (Error, OSError) as error:
        raise away(error) from error
    return _asker(connection, {ProgrammingError: refused, Error: away, OSError: away})


def _facts(error: Exception) -> dict[str, str]:
    """The fields of a PostgreSQL error (`C` its SQLSTATE, `M` its text); none of another error."""
    return error.args[0] if error.args and isinstance(error.args[0], dict) else {}


def _asker(connection: Any, failures: dict[type[Exception], Refusal]) -> Ask:
    """Queries on a DB-API connection; the first failure that an error is one of names it."""

    def ask(query: str) -> Rows:
        try:
            with connection.cursor() as cursor:
                cursor.execute(query)
                return [tuple(row) for row in cursor.fetchall()]
        except tuple(failures) as error:
            named = next(name for kind, name in failures.items() if isinstance(error, kind))
            raise named(error) from error

    return ask


def query_failed(engine: str, message: str) -> DatacoreError:
    """The error for a query that was refused, by the engine's own first line."""
    fact = next(iter(message.splitlines()), message)
    if "NOT_FOUND" in fact or "does not exist" in fact:
        return UsageError(
            f"{engine} lacks what dbt builds: {shorten(fact, 300)}",
            "run `datacore land`, then `dbt build` for both projects",
        )
    return ServiceUnreachable(f"{engine} refused a query: {shorten(fact, 300)}", "see its log")
