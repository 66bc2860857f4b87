"""Errors that a person sees: one line that states the fact, one hint that says what to do next.

Comes in: whatever a room found wrong. Goes out: a `DatacoreError` with an exit code, which
`datacore.cli` prints without a traceback. Nothing here prints or exits by itself.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What `datacore` tells its caller. Documented in docs/commands.md."""

    DONE = 0
    DIFFERENCE = 1
    """A check ran and found a difference."""
    USAGE = 2
    """Bad usage, configuration, contract or input."""
    UNREACHABLE = 3
    """A service cannot be reached or refused for now; trying again can help."""
    LOCKED = 4
    """Another run holds the lock."""


class DatacoreError(Exception):
    """A failure that its user can act on.

    `message` names the file, line, field and value where there are such; `hint` is the next step.
    """

    exit_code: ExitCode = ExitCode.USAGE

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class DifferenceFound(DatacoreError):
    """A check compared two sides and they differ."""

    exit_code = ExitCode.DIFFERENCE


class UsageError(DatacoreError):
    """An argument, a setting, a contract or an input file is wrong."""

    exit_code = ExitCode.USAGE


class ServiceUnreachable(DatacoreError):
    """A service did not answer, or answered that it cannot serve now."""

    exit_code = ExitCode.UNREACHABLE


class Locked(DatacoreError):
    """Another run holds the lock."""

    exit_code = ExitCode.LOCKED


def shorten(value: object, limit: int = 80) -> str:
    """`value` as text for an error message, cut to `limit` characters with its full length named."""
    text = value if isinstance(value, str) else repr(value)
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text)} characters)"
