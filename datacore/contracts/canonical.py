"""The canonical form of contracts: the same contracts always give the same bytes.

Comes in: contracts. Goes out: JSON, its sha256, and contracts again. The lander keeps the bytes
beside what it wrote under them, so that a recovery routes as the first attempt did. Nothing here
reads or writes files.
"""

import hashlib
from collections.abc import Iterable
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec

from datacore.contracts.model import Contract


def to_json(contracts: Iterable[Contract]) -> bytes:
    """The contracts as one JSON array, sorted by name, keys sorted, UTF-8, no spaces.

    Of a contract's file only the name is kept, so that every checkout gives the same bytes.
    """
    ordered = sorted(contracts, key=attrgetter("name"))
    return msgspec.json.encode(ordered, enc_hook=_file_name, order="deterministic")


def from_json(data: bytes) -> tuple[Contract, ...]:
    """The contracts that `to_json` wrote; `to_json` of them gives the same bytes again.

    Raises msgspec.DecodeError for bytes that `to_json` never wrote.
    """
    return msgspec.json.decode(data, type=tuple[Contract, ...], dec_hook=_path)


def contract_hash(contracts: Iterable[Contract]) -> str:
    """sha256 of the canonical form, as 64 hexadecimal digits."""
    return hashlib.sha256(to_json(contracts)).hexdigest()


def _file_name(value: Any) -> str:
    if isinstance(value, Path):
        return value.name
    raise NotImplementedError(f"no canonical form of {type(value).__name__}")


def _path(wanted: type, value: Any) -> Any:
    if wanted is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(f"no {wanted} from {value!r}")
