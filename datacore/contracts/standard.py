"""The standard's own rules: a document checked against ODCS 3.1's types, unknown keys included.

Comes in: a `Document`. Goes out: the standard's model of it, and `Findings` with a problem for
every value that the standard does not allow. What Datacore asks beyond the standard is in `read`.
"""

import copy
import difflib
import typing
from collections.abc import Iterable
from typing import Any

import pydantic
from open_data_contract_standard.model import OpenDataContractStandard

from datacore.contracts.lines import Document, Location
from datacore.contracts.problems import Problem

_NEXT_STEP = {
    "bool_type": "write true or false",
    "string_type": "put it in quotes",
    "int_type": "write a whole number",
    "list_type": "write a list, each item after a dash",
}


class Findings:
    """The problems of one document, at most one a place."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []
        self.places: set[Location] = set()

    def add(self, location: Location, fact: str, next_step: str) -> None:
        """Note a problem, unless one is known for this place or for what holds it."""
        if any(location[:depth] in self.places for depth in range(1, len(location) + 1)):
            return
        self.places.add(location)
        self.problems.append(self.document.problem(location, fact, next_step))


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """`did you mean 'required'?` where one of `known` is close to `word`, else None."""
    close = difflib.get_close_matches(word.lower(), {name.lower(): name for name in known}, n=1)
    names = [name for name in known if close and name.lower() == close[0]]
    return f"did you mean {names[0]!r}?" if names else None


def read_standard(findings: Findings) -> OpenDataContractStandard:
    """The document as ODCS's model, without the values that `findings` now names.

    Values are not converted: `required: "true"` is a problem, as it is in the standard.
    """
    value = findings.document.value
    for error in _errors(value):
        location = _location(value, error["loc"])
        if location is None:
            continue
        if error["type"] == "extra_forbidden":
            hint = did_you_mean(str(location[-1]), _fields_of(location[:-1]))
            next_step = hint or "remove it, or put it under customProperties"
            findings.add(location, "is not a field of ODCS 3.1", next_step)
        else:
            fact = error["msg"][:1].lower() + error["msg"][1:]
            next_step = _NEXT_STEP.get(error["type"], "see the standard for its form")
            findings.add(location, fact.replace("input should", "should"), next_step)
    return _valid_part(value)


def _errors(value: Any) -> list[Any]:
    try:
        OpenDataContractStandard.model_validate(value, strict=True, extra="forbid")
    except pydantic.ValidationError as error:
        return error.errors(include_url=False)
    return []


def _valid_part(value: Any) -> OpenDataContractStandard:
    """The model of what is valid in `value`; unknown keys are left out."""
    part = copy.deepcopy(value)
    while True:
        try:
            return OpenDataContractStandard.model_validate(part, strict=True, extra="ignore")
        except pydantic.ValidationError as error:
            for one in error.errors(include_url=False):
                _drop(part, _location(part, one["loc"]) or (one["loc"][0],))


def _location(value: Any, steps: tuple[int | str, ...]) -> Location | None:
    """pydantic's place as a place of the document.

    Where the standard allows several forms pydantic reports on each and puts the form's name among
    the steps (`team`, `list[TeamMember]`); None for a form that the document did not choose.
    """
    location: Location = ()
    for step in steps:
        is_list = isinstance(value, list)
        if step in (range(len(value)) if is_list else value if isinstance(value, dict) else ()):
            value = value[step]
            location = (*location, step)
        elif isinstance(value, dict | list) and str(step).startswith("list[") != is_list:
            return None
    return location


def _fields_of(location: Location) -> list[str]:
    """The names that the standard knows at `location`."""
    models = [OpenDataContractStandard]
    for step in location:
        if isinstance(step, str):
            models = [
                inner
                for model in models
                for name, field in model.model_fields.items()
                if (field.alias or name) == step
                for inner in _models_in(field.annotation)
            ]
    return [field.alias or name for model in models for name, field in model.model_fields.items()]


def _models_in(annotation: Any) -> list[Any]:
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return [annotation]
    return [model for part in typing.get_args(annotation) for model in _models_in(part)]


def _drop(value: Any, place: Location) -> None:
    """Remove what is at `place`. An item of a list becomes empty, so that the others keep their place;
    where empty is wrong too, the list goes."""
    holder = value
    for step in place[:-1]:
        try:
            holder = holder[step]
        except (KeyError, IndexError, TypeError):
            return
    last = place[-1]
    if isinstance(holder, dict):
        holder.pop(last, None)
    elif isinstance(holder, list) and isinstance(last, int):
        if holder[last] == {}:
            _drop(value, place[:-1])
        else:
            holder[last] = {}
