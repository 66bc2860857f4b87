"""The same contracts give the same bytes, wherever they lie and in whatever order they come."""

import shutil
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from datacore.contracts import contract_hash, from_json, load_contracts, to_json
from datacore.settings import ROOT


def test_bytes_do_not_depend_on_place_or_order(tmp_path: Path) -> None:
    here = load_contracts(ROOT / "contracts")
    there = load_contracts(Path(shutil.copytree(ROOT / "contracts", tmp_path / "copy")))

    assert to_json(here) == to_json(reversed(there))
    assert contract_hash(here) == contract_hash(there)


def test_contracts_come_back_whole() -> None:
    contracts = load_contracts(ROOT / "contracts")

    back = from_json(to_json(contracts))

    assert back == tuple(replace(one, file=Path(one.file.name)) for one in contracts)
    assert to_json(back) == to_json(contracts)


def test_any_change_changes_the_hash() -> None:
    first, *others = load_contracts(ROOT / "contracts")

    assert contract_hash([first, *others]) != contract_hash([replace(first, topic="x"), *others])


@pytest.mark.parametrize("data", [b"", b"{}", b'[{"name":"a"}]', b"[1]"])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        from_json(data)
