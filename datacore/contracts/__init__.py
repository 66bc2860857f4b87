"""Contracts: what a product team promises about one data type.

Comes in: one Open Data Contract Standard 3.1 file a data type. Goes out: frozen `Contract`s, which
routing, the raw tables and dbt's sources are made from.
"""

from datacore.contracts.model import Column, Contract, Match
from datacore.contracts.read import load_contracts

__all__ = ["Column", "Contract", "Match", "load_contracts"]
