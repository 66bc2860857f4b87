"""What stands on S3 as one JSON object on one line: manifests, log entries, replays, versions. Pure."""

from typing import TypeVar

import msgspec

from datacore.errors import UsageError

Document = TypeVar("Document")


def read_document(what: str, key: str, data: bytes, kind: type[Document]) -> Document:
    """Decode a document of this kind. Raises UsageError naming `what`, and the key, where it is damaged."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError as error:
        raise UsageError(
            f"{what} {key} is damaged: {error}",
            "it was edited or truncated; restore it from the bucket's earlier versions",
        ) from error
