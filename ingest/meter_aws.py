"""Counts the calls of an AWS client by botocore's own events.

Comes in: a client and a meter. Goes out: the meter learns of each call's outcome and each retry.
Nothing about a call is changed.
"""

from typing import Any, TypeVar

from ingest.meter import Meter

Client = TypeVar("Client")


def metered(client: Client, meter: Meter) -> Client:
    """The same client, with its calls counted."""

    def answered(parsed: dict[str, Any], model: Any, **_: Any) -> None:
        code = parsed.get("Error", {}).get("Code")
        meter.aws_call(model.service_model.service_name, model.name, str(code) if code else "ok")

    def failed(event_name: str, exception: BaseException, **_: Any) -> None:
        service, operation = event_name.split(".")[1:]
        meter.aws_call(service, operation, type(exception).__name__)

    def attempted(attempts: int, operation: Any, **_: Any) -> None:
        if attempts > 1:
            meter.aws_retry(operation.service_model.service_name, operation.name)

    events = client.meta.events  # type: ignore[attr-defined]  # every botocore client has it
    events.register("after-call", answered)
    events.register("after-call-error", failed)
    events.register("needs-retry", attempted)
    return client
