"""Contracts: what a product team promises about one data type.

Comes in: one Open Data Contract Standard 3.1 file a data type. Goes out: frozen `Contract`s, which
routing, the raw tables and dbt's sources are made from.
"""

from datacore.contracts.canonical import contract_hash, from_json, to_json
from datacore.contracts.model import Column, Contract, Match
from datacore.contracts.problems import ContractError
from datacore.contracts.read import load_contracts

__all__ = [
    "Column",
    "Contract",
    "ContractError",
    "Match",
    "contract_hash",
    "from_json",
    "load_contracts",
    "to_json",
]
