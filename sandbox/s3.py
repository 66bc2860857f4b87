"""moto's S3 made to keep what S3 promises of one key while several ask for it at once.

Comes in: moto's class. Goes out: the same, but one request of a key after the other. moto looks whether
a key is free, then writes it, then its metadata: of two writers with `If-None-Match` both may be
told that they were first, and a reader may find an object without its metadata. Requests of
different keys still run side by side.
"""

import threading
from contextlib import AbstractContextManager
from typing import Any

from moto.s3 import responses

LOCKS = tuple(threading.RLock() for _ in range(256))
"""Each key has one of them; keys that share one wait for each other without need."""

_answer = responses.S3Response._key_response


def lock_of(bucket: str, key: str) -> AbstractContextManager[bool]:
    """What a request of a key holds while it is answered."""
    return LOCKS[hash((bucket, key)) % len(LOCKS)]


def answer_in_turn(self: responses.S3Response, request: Any, full_url: str) -> Any:
    """Answer a request of a key while no other of the same key is answered."""
    with lock_of(self.bucket_name, self.parse_key_name()):
        return _answer(self, request, full_url)


def correct() -> None:
    """Put this in the place of moto's."""
    setattr(responses.S3Response, "_key_response", answer_in_turn)  # noqa: B010 — mypy lets no method be replaced
