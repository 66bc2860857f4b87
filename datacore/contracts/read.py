"""Reads contracts: a directory of ODCS 3.1 files to checked, frozen `Contract`s.

Comes in: `<data type>.odcs.yaml` files. Goes out: contracts in the order of their names, or one
`ContractError` with everything that is wrong in all of them. Never writes, never calls a service.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from open_data_contract_standard.model import OpenDataContractStandard, SchemaObject, Team

from datacore.contracts.columns import Field, fields_in, read_columns
from datacore.contracts.lines import Location, read_document
from datacore.contracts.model import Contract, Match
from datacore.contracts.problems import ContractError, Problem, shown
from datacore.contracts.standard import Findings, did_you_mean, read_standard
from datacore.errors import UsageError

SUFFIX = ".odcs.yaml"

KAFKA_TIME = "$kafka"
"""`eventTime` of records that carry no time: Kafka's timestamp of the record is taken."""

UNCLAIMED = "unclaimed"
"""The data type of records that no contract claims; no contract may have its name."""

_SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_TOPIC = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}")
_ROUTING = ("topic", "match", "eventTime")


def load_contracts(directory: Path) -> tuple[Contract, ...]:
    """Read and check every `*.odcs.yaml` of `directory`, sorted by name.

    Raises ContractError (a UsageError) that holds all problems of all files, UsageError where the
    directory is absent or holds no contract.
    """
    if not directory.is_dir():
        raise UsageError(
            f"{shown(directory)}: not a directory of contracts",
            "give --contracts or DATACORE_CONTRACTS",
        )
    contracts: list[Contract] = []
    problems: list[Problem] = []
    for file in sorted(directory.iterdir()):
        if file.suffix not in (".yaml", ".yml"):
            continue
        try:
            contracts.append(read_contract(file))
        except ContractError as error:
            problems += error.problems
    if not contracts and not problems:
        raise UsageError(
            f"{shown(directory)}: holds no contract",
            f"add a file <data type>{SUFFIX}; see docs/contracts.md",
        )
    problems += _clashes(contracts)
    if problems:
        raise ContractError(problems)
    return tuple(contracts)


def read_contract(file: Path) -> Contract:
    """Read and check one file by itself. Raises ContractError with all its problems."""
    if not file.name.endswith(SUFFIX):
        next_step = f"name it {file.name.split('.')[0]}{SUFFIX}, or move it elsewhere"
        raise ContractError(
            [Problem(file, 1, "", f"a contract's file ends in {SUFFIX}", None, next_step)]
        )
    findings = Findings(read_document(file))
    standard = read_standard(findings)
    contract = _Reader(standard, file, findings).contract()
    if findings.problems:
        raise ContractError(findings.problems)
    return contract


class _Reader:
    """What Datacore asks of one contract beyond the standard."""

    def __init__(self, standard: OpenDataContractStandard, file: Path, findings: Findings) -> None:
        self.standard = standard
        self.file = file
        self.stem = file.name.removesuffix(SUFFIX)
        self.findings = findings
        self.schema, self.at = self._schema()
        self.fields = fields_in(self.schema.properties or (), self.at)
        self.by_path = {field.path: field for field in self.fields}
        self.routing = self._routing()

    def contract(self) -> Contract:
        """The contract; worthless where the findings hold a problem."""
        name = self._name()
        if not re.fullmatch(r"v3\.1\.\d+", self.standard.apiVersion or ""):
            self._wrong("apiVersion", self.standard.apiVersion, "write apiVersion: v3.1.0")
        if self.standard.kind != "DataContract":
            self._wrong("kind", self.standard.kind, "write kind: DataContract")
        for field in ("id", "status"):
            if not getattr(self.standard, field):
                self._wrong(field, None, "the standard requires it")
        event_time, unit = self._event_time()
        return Contract(
            name=name,
            domain=self._snake(
                "domain", self.standard.domain, "name the domain, such as marketplace"
            ),
            version=self.standard.version or self._wrong("version", None, "write version: 1.0.0"),
            topic=self._topic(),
            match=self._match(),
            event_time=event_time,
            event_time_unit=unit,
            event_id=self._event_id(),
            columns=read_columns(self.schema.properties or (), self.at, self.findings),
            description=self._description(),
            owner=self._owner(),
            file=self.file,
        )

    def _wrong(self, field: str, value: object, next_step: str) -> str:
        fact = "is not what Datacore reads" if value else "is missing"
        self.findings.add((field,), fact, next_step)
        return ""

    def _snake(self, field: str, value: str | None, next_step: str) -> str:
        if not value:
            return self._wrong(field, None, next_step)
        if not _SNAKE.fullmatch(value):
            self.findings.add((field,), "is not lower_snake", next_step)
        return value

    def _name(self) -> str:
        next_step = f"write name: {self.stem}"
        name = self._snake("name", self.standard.name, next_step)
        if name and name != self.stem:
            self.findings.add(
                ("name",), f"differs from the file's name {self.file.name}", next_step
            )
        if name == UNCLAIMED:
            self.findings.add(("name",), "is the name of what no contract claims", "choose another")
        return name

    def _schema(self) -> tuple[SchemaObject, Location]:
        objects = self.standard.schema_ or []
        if len(objects) != 1:
            self.findings.add(
                ("schema",),
                f"has {len(objects)} objects; a data type is exactly one",
                "write one object with the contract's name",
            )
        if not objects:
            return SchemaObject(), ("schema", 0, "properties")
        if objects[0].name != self.stem:
            fact = f"differs from the file's name {self.file.name}"
            self.findings.add(("schema", 0, "name"), fact, f"write name: {self.stem}")
        if not objects[0].properties:
            self.findings.add(
                ("schema", 0, "properties"), "is missing", "declare the record's fields"
            )
        return objects[0], ("schema", 0, "properties")

    def _description(self) -> str:
        purpose = self.standard.description.purpose if self.standard.description else None
        text = self.schema.description or purpose
        if not text:
            self.findings.add(("schema", 0, "description"), "is missing", "say what one record is")
        return " ".join((text or "").split())

    def _owner(self) -> str:
        team = self.standard.team
        if not isinstance(team, Team) or not team.name:
            self.findings.add(("team", "name"), "is missing", "write team: {name: …}")
            return ""
        return team.name

    def _event_id(self) -> tuple[str, ...]:
        keys = [field for field in self.fields if field.declared.primaryKey]
        misread = any(place[-1] == "primaryKey" for place in self.findings.places)
        if not keys and self.fields and not misread:
            self.findings.add(
                self.at,
                "has no primaryKey",
                "set primaryKey: true on the field that identifies an event",
            )
        for key in keys:
            if key.declared.logicalType in ("object", "array"):
                at = (*key.location, "primaryKey")
                self.findings.add(at, "cannot be an object or array", "set it on fields within")
            if key.declared.required is False:
                at = (*key.location, "required")
                self.findings.add(at, "is false on a primaryKey", "write required: true")
        keys.sort(key=lambda field: field.declared.primaryKeyPosition or 0)
        return tuple(key.path for key in keys)

    def _routing(self) -> dict[str, tuple[Any, Location]]:
        """The custom properties by name, each with where its value stands."""
        found: dict[str, tuple[Any, Location]] = {}
        for index, one in enumerate(self.standard.customProperties or []):
            at = ("customProperties", index)
            name = one.property or ""
            if name in found:
                self.findings.add((*at, "property"), "stands here twice", "keep one of them")
            elif name not in _ROUTING and (guess := did_you_mean(name, _ROUTING)):
                self.findings.add((*at, "property"), "is not known", guess)
            found.setdefault(name, (one.value, (*at, "value")))
        return found

    def _custom(self, name: str, next_step: str) -> tuple[str, Location]:
        """A custom property that must be a string."""
        value, at = self.routing.get(name, (None, ("customProperties",)))
        if isinstance(value, str) and value:
            return value, at
        if name in self.routing:
            self.findings.add(at, f"{name} is not a string", next_step)
        else:
            self.findings.problems.append(
                self.findings.document.problem(at, f"has no {name}", next_step)
            )
        return "", at

    def _topic(self) -> str:
        topic, at = self._custom("topic", "name the Kafka topic of the records")
        if topic and not _TOPIC.fullmatch(topic):
            self.findings.add(at, "is not a Kafka topic's name", "use letters, digits, . _ and -")
        return topic

    def _match(self) -> Match | None:
        if "match" not in self.routing:
            return None
        value, at = self.routing["match"]
        form = isinstance(value, dict) and set(value) == {"field", "equals"}
        if not form or not all(isinstance(part, str) and part for part in value.values()):
            self.findings.add(
                at, "is not {field, equals} with two strings", "write {field: type, equals: …}"
            )
            return None
        field = self._declared(value["field"], (*at, "field"))
        if field and field.declared.logicalType != "string":
            self.findings.add((*at, "field"), "is not a string field", "match on a string field")
        return Match(value["field"], value["equals"])

    def _event_time(self) -> tuple[str | None, str | None]:
        """Path and unit of the event's time.

        A field called `dt` or `hour` can be no column, yet may be the event's time: ISO 8601 text.
        """
        hint = f"name the field of the event's time, or {KAFKA_TIME} where records have none"
        path, at = self._custom("eventTime", hint)
        if path in ("", KAFKA_TIME):
            return None, None
        if path in ("dt", "hour"):
            return path, None
        field = self._declared(path, at)
        if field and field.declared.logicalType != "timestamp":
            self.findings.add(
                at, "names a field that is no timestamp", "give it logicalType: timestamp"
            )
        return path, field.time_unit if field else None

    def _declared(self, path: str, at: Location) -> Field | None:
        field = self.by_path.get(path)
        if field is None:
            guess = did_you_mean(path, self.by_path) or "declare it under properties"
            self.findings.add(at, "names no declared property", guess)
        return field


def _clashes(contracts: Iterable[Contract]) -> list[Problem]:
    """Claims of one topic that overlap: each record must belong to one contract.

    Two matches on different fields overlap, since one record can hold both.
    """
    problems = []
    claims: dict[tuple[str, Match | None], Contract] = {}
    match_fields: dict[str, Contract] = {}
    for contract in contracts:
        match, topic = contract.match, contract.topic
        other = claims.setdefault((topic, match), contract)
        if other is not contract:
            what = f"records with {match.field} = {match.value}" if match else "every other record"
            fact = f"claims {what} of the topic {topic!r}, and so does {other.name}"
            problems.append(_clash(contract, other, fact))
            continue
        if match is None:
            continue
        other = match_fields.setdefault(topic, contract)
        if other.match and other.match.field != match.field:
            fact = f"matches the topic {topic!r} by {match.field}, but {other.name} by {other.match.field}"
            problems.append(_clash(contract, other, fact))
    return problems


def _clash(contract: Contract, other: Contract, fact: str) -> Problem:
    """A problem at the claim of `contract`, which `other` contradicts."""
    document = read_document(contract.file)
    names = [one.get("property") for one in document.value["customProperties"]]
    at = ("customProperties", names.index("match" if contract.match else "topic"), "value")
    next_step = f"let each record belong to one contract (the other is {shown(other.file)})"
    return document.problem(at, fact, next_step)
