"""Every call of the protocol, answered or refused by name, with an error its caller understands.

Thrift's generated code turns an exception that a call does not declare into “Internal error”. So
each failure becomes the nearest exception that the call does declare, with the fact in its text.
"""

import inspect
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from hmsclient.genthrift.hive_metastore import ThriftHiveMetastore, ttypes
from thrift.Thrift import TApplicationException, TException

from metastore.files import FilesFailed, UnsafeLocation
from metastore.filters import FilterError
from metastore.glue import AlreadyExists, GlueError, NotFound
from metastore.meter import Meter

log = structlog.get_logger("metastore")

PROTOCOL = frozenset(
    name for name, _ in inspect.getmembers(ThriftHiveMetastore.Iface, inspect.isfunction)
)
"""The names of all calls, Hive's and fb303's."""

_WRITES = (
    "add_", "alter_", "append_", "create_", "delete_", "drop_", "exchange_", "rename_",
    "set_aggr_", "update_", "grant_", "revoke_", "put_", "cache_", "clear_", "remove_",
)  # fmt: skip

_NEAREST: dict[type[Exception], tuple[type[Exception], ...]] = {
    ttypes.NoSuchObjectException: (
        ttypes.UnknownTableException,
        ttypes.UnknownDBException,
        ttypes.InvalidObjectException,
    ),
    ttypes.AlreadyExistsException: (
        ttypes.InvalidObjectException,
        ttypes.InvalidOperationException,
    ),
    ttypes.InvalidObjectException: (ttypes.InvalidOperationException,),
    ttypes.InvalidOperationException: (ttypes.InvalidObjectException,),
}
"""What stands in for an exception that a call does not declare; then MetaException, then any."""


def is_write(call: str) -> bool:
    """Whether a call can change the catalog or files."""
    return call.startswith(_WRITES)


def declared_errors(call: str) -> tuple[type[Exception], ...]:
    """The exceptions that a call declares in the protocol's definition."""
    result = getattr(ThriftHiveMetastore, f"{call}_result", None)
    fields = [field for field in getattr(result, "thrift_spec", None) or () if field]
    classes = [field[3][0] for field in fields if field[0] > 0 and isinstance(field[3], list)]
    return tuple(cls for cls in classes if isinstance(cls, type) and issubclass(cls, TException))


def to_protocol(error: Exception) -> Exception:
    """The protocol's exception for any failure, whether or not the call declares it."""
    match error:
        case TException():
            return error
        case NotFound():
            return _with_message(ttypes.NoSuchObjectException, str(error))
        case AlreadyExists():
            return _with_message(ttypes.AlreadyExistsException, str(error))
        case GlueError() | FilterError() | FilesFailed() | UnsafeLocation():
            return _with_message(ttypes.MetaException, str(error))
        case _:
            return _with_message(ttypes.MetaException, f"{type(error).__name__}: {error}")


def to_declared(error: Exception, declared: Sequence[type[Exception]]) -> Exception:
    """The nearest exception to `error` among `declared`, with the same message."""
    if isinstance(error, TApplicationException) or type(error) in declared:
        return error
    message = _message(error)
    for candidate in (*_NEAREST.get(type(error), ()), ttypes.MetaException, *declared):
        if candidate in declared:
            return _with_message(candidate, message)
    return _with_message(TApplicationException, message)


def _with_message(cls: type[Exception], message: str) -> Exception:
    if cls is TApplicationException:
        return TApplicationException(TApplicationException.INTERNAL_ERROR, message)
    made: Exception = cls(message=message)  # type: ignore[call-arg] # generated: one field, `message`
    return made


class Answers:
    """The handler that Thrift's generated processor calls, one attribute a call.

    `rooms` are objects whose methods are calls; the first that has a call answers it.
    """

    def __init__(
        self, rooms: Sequence[object], read_only: bool = False, meter: Meter | None = None
    ) -> None:
        self._rooms = rooms
        self._read_only = read_only
        self._meter = meter or Meter()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_") or name not in PROTOCOL:
            raise AttributeError(name)
        guarded = self._guarded(name)
        self.__dict__[name] = guarded
        return guarded

    def supported(self) -> frozenset[str]:
        """The calls that are answered."""
        return frozenset(name for name in PROTOCOL if self._find(name))

    def _find(self, name: str) -> Callable[..., Any] | None:
        for room in self._rooms:
            method: Callable[..., Any] | None = getattr(room, name, None)
            if method:
                return method
        return None

    def _guarded(self, name: str) -> Callable[..., Any]:
        method, declared = self._find(name), declared_errors(name)
        refusal, refused = "", ""
        if method is None:
            refusal = f"{name} is not supported by the metastore on Glue"
            refused = "unsupported"
        elif self._read_only and is_write(name):
            refusal = f"{name}: this metastore is read-only"
            refused = "read_only"

        def answer(*arguments: Any) -> Any:
            started = time.perf_counter()
            error: Exception | None = None
            try:
                if refusal or method is None:
                    raise ttypes.MetaException(refusal)
                return method(*arguments)
            except Exception as failure:
                error = to_declared(to_protocol(failure), declared)
                if not isinstance(failure, _EXPECTED):
                    log.exception("call broke", call=name)
                raise error from failure
            finally:
                seconds = time.perf_counter() - started
                outcome = refused or (type(error).__name__ if error else "ok")
                self._meter.called(name, outcome, seconds)
                _report(name, arguments, seconds, error)

        answer.__name__ = name
        return answer


_EXPECTED = (TException, GlueError, FilterError, FilesFailed, UnsafeLocation)


def _report(name: str, arguments: tuple[Any, ...], seconds: float, error: Exception | None) -> None:
    """One line a call: reads at debug level, writes at info, failures but “not found” as warnings."""
    level = "info" if is_write(name) else "debug"
    if error and not isinstance(error, ttypes.NoSuchObjectException):
        level = "warning"
    failed = {"error": type(error).__name__, "message": _message(error)[:500]} if error else {}
    getattr(log, level)(
        "call", call=name, about=_about(arguments), ms=round(seconds * 1000, 1), **failed
    )


def _about(arguments: tuple[Any, ...]) -> str:
    """`lake.orders`: what a call is about, from its names or from its first structure's."""
    if not arguments:
        return ""
    first = arguments[0]
    if isinstance(first, str):
        names = [argument for argument in arguments[:2] if isinstance(argument, str)]
    else:
        fields = ("dbName", "tableName", "tblName", "name", "functionName")
        names = [str(value) for field in fields if (value := getattr(first, field, None))]
    return ".".join(name[:80] for name in names)


def _message(error: Exception) -> str:
    return getattr(error, "message", None) or str(error)
