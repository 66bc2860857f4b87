"""Errors as a Redshift client sees them: message, SQLSTATE, detail; for loads also the row to log.

Comes in: what went wrong. Goes out: exceptions that `wire.error_response` can encode. Nothing here
talks to a server.
"""

from dataclasses import dataclass


class RedshiftError(Exception):
    """An ErrorResponse: `message` as Redshift words it, where that is known.

    `code` is the SQLSTATE (0A000 not supported, 42601 syntax, XX000 internal, …).
    """

    def __init__(self, message: str, code: str = "0A000", detail: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.detail = detail
        self.hint = hint


class BackendError(RedshiftError):
    """An ErrorResponse of PostgreSQL, kept as it came so that it can be passed on."""

    def __init__(self, body: bytes, fields: dict[str, str]) -> None:
        super().__init__(fields.get("M", ""), fields.get("C", "XX000"), fields.get("D", ""))
        self.body = body
        self.fatal = fields.get("V", fields.get("S")) in ("FATAL", "PANIC")


SCAN_ERROR = "Spectrum Scan Error"
"""Redshift's message for a Parquet file that does not fit; the reason is in the context."""


@dataclass(frozen=True)
class Rejection:
    """Where a load failed: one row of STL_LOAD_ERRORS / SYS_LOAD_ERROR_DETAIL."""

    filename: str = ""
    column: str = ""
    type: str = ""
    line: int | None = None
    value: str = ""


class LoadError(RedshiftError):
    """A failed COPY or UNLOAD, with the dashed DETAIL block that Redshift sends.

    `number` is Redshift's own error code (8001 S3, 15007 Spectrum scan, …), `context` what the
    block says under "context". `query` and `table` (oid) are filled in by the COPY that raises it.
    The row is kept although the transaction rolls back.
    """

    def __init__(
        self,
        message: str,
        number: int,
        context: str = "",
        rejection: Rejection | None = None,
        code: str = "XX000",
    ) -> None:
        rule = "-" * 47
        detail = (
            f"\n  {rule}\n  error:  {message}\n  code:      {number}\n"
            f"  context:   {context}\n  {rule}\n"
        )
        super().__init__(message, code, detail)
        self.number = number
        self.reason = context if message == SCAN_ERROR else message
        self.rejection = rejection or Rejection()
        self.query = 0
        self.table = 0
