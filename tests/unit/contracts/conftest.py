"""A small valid contract to break, one mistake a test."""

from collections.abc import Callable
from pathlib import Path

import pytest

from datacore.contracts import ContractError, load_contracts
from datacore.contracts.problems import Problem

VALID = """\
apiVersion: v3.1.0
kind: DataContract
id: urn:test:click
name: click
version: 1.0.0
status: active
domain: web
team: {name: web-team}
customProperties:
  - property: topic
    value: clicks
  - property: match
    value: {field: kind, equals: click}
  - property: eventTime
    value: clicked_at
schema:
  - name: click
    description: One record per click.
    properties:
      - name: id
        logicalType: string
        required: true
        primaryKey: true
      - name: kind
        logicalType: string
      - name: clicked_at
        logicalType: timestamp
        required: true
      - name: page
        logicalType: object
        properties:
          - name: url
            logicalType: string
          - name: seen_at
            logicalType: timestamp
            logicalTypeOptions: {format: epoch_ms}
      - name: tags
        logicalType: array
        items: {logicalType: integer}
"""


@pytest.fixture
def valid() -> str:
    return VALID


@pytest.fixture
def problems_of(tmp_path: Path) -> Callable[..., tuple[Problem, ...]]:
    """Everything that is wrong with the files given as name=text."""

    def problems(**texts: str) -> tuple[Problem, ...]:
        for name, text in texts.items():
            (tmp_path / f"{name}.odcs.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(ContractError) as caught:
            load_contracts(tmp_path)
        return caught.value.problems

    return problems
