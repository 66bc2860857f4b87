"""YAML with line numbers: a document as plain values, and the line of every value in it.

Comes in: the bytes of a YAML file. Goes out: a `Document`, or problems with their lines: syntax,
duplicate keys, anchors. Never decides what a key means.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from datacore.contracts.problems import ContractError, Problem

Location = tuple[str | int, ...]
"""Keys and list indices from the document's root to a value."""


class _Loader(yaml.SafeLoader):
    """YAML's safe subset in which a date is text, as ODCS types it."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True)
class Document:
    """One YAML file: `value` as plain Python, `lines` of every location, counted from 1."""

    file: Path
    value: Any
    lines: dict[Location, int]

    def line(self, location: Location) -> int:
        """The line of `location`, or of the nearest value around it."""
        return self.lines[self.nearest(location)]

    def nearest(self, location: Location) -> Location:
        """The longest part of `location` that is in the document."""
        while location not in self.lines:
            location = location[:-1]
        return location

    def at(self, location: Location) -> Any:
        """The value at `location`, or None where there is none."""
        value = self.value
        for step in location:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def field(self, location: Location) -> str:
        """`location` in words; an item of a list goes by its `name` or `property` if it has one."""
        words = ""
        for depth, step in enumerate(location, start=1):
            if isinstance(step, str):
                words += f".{step}" if words else step
                continue
            item = self.at(location[:depth])
            name = item.get("name") or item.get("property") if isinstance(item, dict) else None
            words += f"[{name if isinstance(name, str) else step}]"
        return words

    def problem(self, location: Location, fact: str, next_step: str) -> Problem:
        """A problem at `location`, with its line, field and value."""
        found = self.at(location)
        value = None if found is None or isinstance(found, dict | list) else repr(found)
        return Problem(self.file, self.line(location), self.field(location), fact, value, next_step)


def read_document(file: Path) -> Document:
    """Read one YAML mapping. Raises ContractError for a file that is not one."""

    def refuse(line: int, fact: str, next_step: str) -> ContractError:
        return ContractError([Problem(file, line, "", fact, None, next_step)])

    try:
        text = file.read_bytes().decode()
    except OSError as error:
        raise refuse(1, f"cannot be read: {error.strerror}", "check its permissions") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise refuse(line, "is not UTF-8", "save the file as UTF-8") from error
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            raise refuse(1, "holds no data contract", "start from a file beside it")
        lines: dict[Location, int] = {}
        problems: list[Problem] = []
        seen: set[int] = set()

        def build(node: yaml.Node, location: Location) -> Any:
            line = node.start_mark.line + 1
            lines.setdefault(location, line)
            if id(node) in seen:
                fact = "an alias (*) repeats this part of the file"
                problems.append(
                    Problem(file, line, "", fact, None, "write it out where it is used")
                )
                return None
            seen.add(id(node))
            if isinstance(node, yaml.SequenceNode):
                return [build(item, (*location, i)) for i, item in enumerate(node.value)]
            if isinstance(node, yaml.MappingNode):
                return {key: build(value, (*location, key)) for key, value in pairs(node, location)}
            return loader.construct_object(node)

        def pairs(node: yaml.MappingNode, location: Location) -> Iterator[tuple[str, yaml.Node]]:
            first: dict[str, int] = {}
            for key_node, value in node.value:
                key, line = str(key_node.value), key_node.start_mark.line + 1
                if key in first:
                    fact = f"the key {key!r} stands here and in line {first[key]}"
                    problems.append(Problem(file, line, "", fact, None, "remove one of them"))
                    continue
                first[key] = line
                lines[*location, key] = line
                yield key, value

        value = build(root, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise refuse(
            line, f"is not YAML: {error.problem}", "check indentation and quotes"
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        fact = f"is not YAML: {str(error).splitlines()[0]}"
        raise refuse(1, fact, "check for control characters and depth") from error
    if problems:
        raise ContractError(problems)
    return Document(file, value, lines)
