"""Records of the marketplace, small enough to count by hand, and the way that they land."""

import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.conftest import Sandbox

FIRST, SECOND = "2025-03-01", "2025-03-02"
"""Days that no other test writes to."""


def event(number: int, data_type: str, day: str, **fields: Any) -> dict[str, Any]:
    """A record of the marketplace at 05:00 of a day."""
    occurred_at = f"{day}T05:00:00.{number:03}Z"
    event_id = str(uuid.UUID(int=number))
    return {"event_id": event_id, "type": data_type, "occurred_at": occurred_at, **fields}


def search(number: int, day: str, **fields: Any) -> dict[str, Any]:
    known = {"search_id": f"s{number}", "user_id": "u1", "query": "日本", "category": "nursing"}
    return event(number, "search", day, **{**known, "results": 3, **fields})


def view(number: int, day: str, **fields: Any) -> dict[str, Any]:
    known = {"job_id": "j1", "user_id": "u1", "category": "nursing", "duration_ms": 40}
    return event(
        number, "job_view", day, **{**known, "source": "search", "device": "phone", **fields}
    )


def posting(number: int, day: str, action: str) -> dict[str, Any]:
    known = {"job_id": "j1", "employer_id": "e1", "title": "Krankenpfleger", "category": "nursing"}
    return event(number, "job_posting", day, action=action, remote=False, **known)


def application(number: int, day: str) -> dict[str, Any]:
    known = {"application_id": "a1", "job_id": "j1", "user_id": "u1", "category": "nursing"}
    return event(number, "job_application", day, **known)


def exposure(number: int, day: str) -> dict[str, Any]:
    known = {"experiment_id": "ranking", "variant": "control", "user_id": "u1"}
    return {**event(number, "", day, **known), "type": None}


def land(sandbox: "Sandbox", folder: Path, topic: str, events: list[dict[str, Any]]) -> None:
    """Bring events the way that log lines go: file, Kafka, S3, Glue."""
    log = folder / f"{topic}-{uuid.uuid4().hex}.log"
    log.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in events))
    sandbox.run("tail", log, "--topic", topic, "--host", log.stem, "--once")
    sandbox.run("land", "--topic", topic, "--until-caught-up")
