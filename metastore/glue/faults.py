"""What can go wrong in Glue, as types, and what is worth trying again.

Codes: https://docs.aws.amazon.com/glue/latest/webapi/CommonErrors.html and each call's page.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
)


class GlueError(Exception):
    """A call to Glue failed. `code` is Glue's own word for it."""

    def __init__(self, operation: str, code: str, message: str) -> None:
        super().__init__(f"Glue {operation}: {code}: {message}")
        self.operation = operation
        self.code = code
        self.said = message


class NotFound(GlueError):
    """No such database, table, partition or function."""


class AlreadyExists(GlueError):
    """The name is taken."""


class Changed(GlueError):
    """Somebody else wrote first (compare-and-set on the version failed)."""


class InvalidRequest(GlueError):
    """Glue does not accept the request: the expression, a name, a length."""


class Refused(GlueError):
    """No credentials, or no permission."""


class Busy(GlueError):
    """Throttled, or a call that certainly was not executed. Safe to repeat."""


class Faulty(GlueError):
    """Glue failed inside, or no answer came: the call may have been executed."""


class Unreachable(GlueError):
    """No connection to the endpoint."""


class UnsupportedByEndpoint(GlueError):
    """The endpoint is not Glue in this respect (a stand-in without this call)."""


THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "ResourceNotReadyException",
        "SlowDown",
    }
)
FAULTS = frozenset(
    {
        "InternalServiceException",
        "InternalFailure",
        "InternalServerException",
        "OperationTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
    }
)
_BY_CODE: dict[str, type[GlueError]] = {
    "EntityNotFoundException": NotFound,
    "AlreadyExistsException": AlreadyExists,
    "ConcurrentModificationException": Changed,
    "VersionMismatchException": Changed,
    "InvalidInputException": InvalidRequest,
    "InvalidStateException": InvalidRequest,
    "ValidationException": InvalidRequest,
    "AccessDeniedException": Refused,
    "AccessDenied": Refused,
    "UnrecognizedClientException": Refused,
    "InvalidSignatureException": Refused,
    "ExpiredTokenException": Refused,
    **dict.fromkeys(THROTTLED, Busy),
    **dict.fromkeys(FAULTS, Faulty),
}


def explain(operation: str, error: ClientError | BotoCoreError, endpoint: str) -> GlueError:
    """botocore's error as one of this module's."""
    if isinstance(error, ClientError):
        return _explain_answer(operation, error)
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return Refused(operation, "NoCredentials", f"{endpoint}: {error}")
    if isinstance(error, EndpointConnectionError | ConnectTimeoutError):
        return Unreachable(operation, "Unreachable", f"no connection to {endpoint}: {error}")
    return Faulty(operation, type(error).__name__, f"{endpoint}: {error}")


def _explain_answer(operation: str, error: ClientError) -> GlueError:
    answer: dict[str, Any] = dict(error.response)
    code = str(answer.get("Error", {}).get("Code", ""))
    message = str(answer.get("Error", {}).get("Message", ""))
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _BY_CODE:
        return _BY_CODE[code](operation, code, message)
    if code in ("500", "501", "404", "UnknownOperationException"):
        # an answer without one of Glue's own codes: this is how moto and others say "not built"
        return UnsupportedByEndpoint(operation, code, "the endpoint does not answer this call")
    if status >= 500:
        return Faulty(operation, code, message)
    return GlueError(operation, code, message)


@dataclass(frozen=True)
class Backoff:
    """Waiting between attempts: exponential with full jitter, at most `attempts` of them.

    https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """

    attempts: int = 10
    unreachable_attempts: int = 3
    base: float = 0.1
    """Seconds that the first wait is at most."""
    cap: float = 5.0
    """Seconds that any wait is at most."""
    patience: float = 60.0
    """Seconds after which no other attempt is begun: a client is waiting for its answer."""
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random

    def wait(self, attempt: int) -> None:
        """Wait after the attempt with this number, counted from 0."""
        self.pause(self.chance() * min(self.cap, self.base * 2**attempt))

    def run(
        self,
        call: Callable[[], Any],
        repeatable: bool,
        again: Callable[[GlueError], None] = lambda error: None,
    ) -> Any:
        """`call`'s result, tried again while Glue is busy, unreachable, or, for calls that are
        `repeatable` without harm, faulty. Raises the last GlueError. `again` is told of each
        error after which another attempt follows.
        """
        attempt, started = 0, self.clock()
        while True:
            try:
                return call()
            except (Busy, Unreachable, Faulty) as error:
                if isinstance(error, Faulty) and not repeatable:
                    raise
                limit = (
                    self.unreachable_attempts if isinstance(error, Unreachable) else self.attempts
                )
                attempt += 1
                if attempt >= limit or self.clock() - started > self.patience:
                    raise
                self.wait(attempt - 1)
                again(error)
