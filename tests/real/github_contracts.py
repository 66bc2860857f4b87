"""Contracts of the 28 types of GitHub events, written from what they have in common.

Comes in: a directory. Goes out: a contract file a type, of both topics.
"""

import re
from pathlib import Path
from typing import Any

import yaml

EVENTS = [
    "CommitCommentEvent",
    "CreateEvent",
    "DeleteEvent",
    "ForkEvent",
    "GollumEvent",
    "IssueCommentEvent",
    "IssuesEvent",
    "MemberEvent",
    "PublicEvent",
    "PullRequestEvent",
    "PullRequestReviewCommentEvent",
    "PushEvent",
    "ReleaseEvent",
    "WatchEvent",
]
"""The field `type` of the topic `github`."""

MINIMIZED = [
    "ccomment",
    "create",
    "del",
    "fork",
    "golem",
    "icomment",
    "issue",
    "member",
    "pr",
    "prcomment",
    "public",
    "push",
    "release",
    "watch",
]
"""The field `type` of the topic `github_minimized`."""

JSON_TEXT = {"logicalType": "object", "physicalType": "string"}
KEY = {"logicalType": "string", "required": True, "primaryKey": True}
STRING = {"logicalType": "string", "required": True}
LONG = {"logicalType": "integer", "physicalType": "bigint"}


def named(**properties: dict[str, Any]) -> list[dict[str, Any]]:
    """ODCS's list of properties."""
    return [{"name": name, **one} for name, one in properties.items()]


COMMIT = named(
    sha=STRING, message=STRING, distinct={"logicalType": "boolean"}, author=JSON_TEXT
)  # fmt: skip
PUSH = {
    "logicalType": "object",
    "required": True,
    "properties": named(
        push_id=LONG,
        size=LONG,
        distinct_size=LONG,
        ref=STRING,
        commits={
            "logicalType": "array",
            "items": {"logicalType": "object", "properties": COMMIT},
        },
    ),
}
ACTOR = {"logicalType": "object", "properties": named(id=LONG, login=STRING)}
REPO = {"logicalType": "object", "properties": named(id=LONG, name=STRING)}


def data_type(event: str) -> str:
    """`PushEvent` to `push_event`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", event).lower()


def minimized_type(event: str) -> str:
    """`push` to `minimized_push`."""
    return f"minimized_{event}"


def write_contracts(directory: Path) -> None:
    """Write all 28 files."""
    for event in EVENTS:
        payload = PUSH if event == "PushEvent" else JSON_TEXT
        fields = named(
            id=KEY,
            type=STRING,
            created_at={"logicalType": "timestamp", "required": True},
            actor=ACTOR,
            repo=REPO,
            org=JSON_TEXT,
            payload=payload,
            public={"logicalType": "boolean"},
        )
        _write(directory, data_type(event), "github", event, "created_at", fields)
    for event in MINIMIZED:
        text = {"logicalType": "string"}
        fields = named(
            id=KEY, type=STRING, repo=STRING, actor=STRING, commits=LONG, action=text, age=text
        )
        _write(directory, minimized_type(event), "github_minimized", event, "dt", fields)


def _write(
    directory: Path, name: str, topic: str, event: str, time: str, fields: list[dict[str, Any]]
) -> None:
    contract = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": f"urn:datacore:github:{name}",
        "name": name,
        "version": "1.0.0",
        "status": "active",
        "domain": "github",
        "team": {"name": "github"},
        "customProperties": [
            {"property": "topic", "value": topic},
            {"property": "match", "value": {"field": "type", "equals": event}},
            {"property": "eventTime", "value": time},
        ],
        "schema": [
            {
                "name": name,
                "logicalType": "object",
                "description": f"One record per {event} of the topic {topic}.",
                "properties": fields,
            }
        ],
    }
    text = yaml.safe_dump(contract, sort_keys=False)
    (directory / f"{name}.odcs.yaml").write_text(text)
