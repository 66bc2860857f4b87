"""moto's Glue made to compare versions, on which all who change a table without losing another's change rely.

Comes in: moto's class. Goes out: the same, but UpdateTable with a `VersionId` that is not the table's newest is
refused as Glue refuses it, and with `SkipArchive` the version that is replaced is not kept. moto
takes any version, and keeps them all.
https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateTable.html
"""

import threading

from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.glue import responses

LOCK = threading.Lock()
"""Comparing and writing are one step."""

_update = responses.GlueResponse.update_table


def update_if_unchanged(self: responses.GlueResponse) -> ActionResult:
    """UpdateTable. Refused with ConcurrentModificationException where the version is another."""
    asked = self.parameters
    with LOCK:
        table = self.glue_backend.get_table(asked["DatabaseName"], asked["TableInput"]["Name"])
        now = table.as_dict()["VersionId"]
        if asked.get("VersionId", now) != now:
            raise JsonRESTError(
                "ConcurrentModificationException",
                f"Update table failed due to concurrent modifications: version {now} is the newest.",
            )
        answer = _update(self)
        if asked.get("SkipArchive"):
            table.delete_version(now)
        return answer


def correct() -> None:
    """Put this in the place of moto's."""
    setattr(responses.GlueResponse, "update_table", update_if_unchanged)  # noqa: B010 — mypy lets no method be replaced
