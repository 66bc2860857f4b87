"""How a call to Glue is made: tried again where that helps, read to its last page, cut to batches.

Comes in: an operation of boto3's Glue client and its arguments. Goes out: Glue's answer.
Raises `GlueError`s.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from metastore.glue.faults import (
    FAULTS,
    THROTTLED,
    Backoff,
    Busy,
    Faulty,
    GlueError,
    Refused,
    Unreachable,
    explain,
)
from metastore.meter import Meter

_NO_ANSWER = (Busy, Faulty, Refused, Unreachable)
"""Errors after which Glue cannot be said to work for this service; any other is an answer."""
_REASONS: dict[type[GlueError], str] = {
    Busy: "throttled",
    Faulty: "faulty",
    Unreachable: "unreachable",
}


@dataclass(frozen=True)
class Failure:
    """One entry of a batch that Glue did not accept."""

    values: tuple[str, ...]
    code: str
    message: str

    def __str__(self) -> str:
        return f"partition {list(self.values)}: {self.code}: {self.message}"


class Caller:
    """Calls of one boto3 Glue client. Thread-safe, as boto3's clients are."""

    def __init__(
        self, client: Any, backoff: Backoff | None = None, meter: Meter | None = None
    ) -> None:
        self._client = client
        self._backoff = backoff or Backoff()
        self._meter = meter or Meter()

    @property
    def endpoint(self) -> str:
        """Where the calls go."""
        return str(self._client.meta.endpoint_url)

    def call(self, operation: str, repeatable: bool = True, **arguments: Any) -> dict[str, Any]:
        """The answer. `repeatable`: it does no harm to send it again when no answer came."""
        answer: dict[str, Any] = self._backoff.run(
            lambda: self.attempt(operation, **arguments),
            repeatable,
            again=lambda error: self._meter.glue_retry(operation, _REASONS[type(error)]),
        )
        return answer

    def attempt(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """The answer to one attempt, counted. Raises GlueError."""
        started, outcome, answered = time.perf_counter(), "broke", False
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(**arguments)
        except (ClientError, BotoCoreError) as error:
            explained = explain(operation, error, self.endpoint)
            outcome, answered = explained.code, not isinstance(explained, _NO_ANSWER)
            raise explained from error
        else:
            outcome, answered = "ok", True
            return answer
        finally:
            seconds = time.perf_counter() - started
            self._meter.glue_call(operation, outcome, seconds, answered)

    def pages(self, operation: str, result: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        """Every item under `result`, page by page as they are asked for."""
        token: dict[str, Any] = {}
        while True:
            answer = self.call(operation, **arguments, **token)
            yield from answer.get(result) or ()
            if not answer.get("NextToken"):
                return
            token = {"NextToken": answer["NextToken"]}

    def in_batches(
        self,
        operation: str,
        size: int,
        entries: Sequence[dict[str, Any]],
        send: Callable[[list[dict[str, Any]]], list[dict[str, Any]]],
    ) -> None:
        """`send` all entries by `operation`, at most `size` at a time.

        `send` returns those that Glue left unprocessed; they are sent again after a wait. Raises
        Busy where Glue never takes them.
        """
        for start in range(0, len(entries), size):
            remaining = list(entries[start : start + size])
            for attempt in range(self._backoff.attempts):
                remaining = send(remaining)
                if not remaining:
                    break
                self._backoff.wait(attempt)
                self._meter.glue_retry(operation, "entries")
            else:
                raise Busy("batch", "Throttled", f"{len(remaining)} entries were never processed")

    def write_in_batches(
        self,
        operation: str,
        size: int,
        entries: Sequence[dict[str, Any]],
        under: str,
        key: str,
        **arguments: Any,
    ) -> list[Failure]:
        """Write `entries`, each of them a list item of the argument `under`.

        `key` is the entry's field with the partition's values. Throttled entries are sent again;
        what Glue refuses is returned, and the rest is written all the same.
        """
        failures: list[Failure] = []

        def send(batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
            answer = self.call(operation, repeatable=False, **arguments, **{under: batch})
            again: set[tuple[str, ...]] = set()
            for error in answer.get("Errors") or ():
                values = tuple(error.get("PartitionValues") or error["PartitionValueList"])
                detail = error.get("ErrorDetail") or {}
                code = detail.get("ErrorCode", "")
                if code in THROTTLED or code in FAULTS:
                    again.add(values)
                else:
                    failures.append(Failure(values, code, detail.get("ErrorMessage", "")))
            return [entry for entry in batch if tuple(entry[key]) in again]

        self.in_batches(operation, size, entries, send)
        return failures
