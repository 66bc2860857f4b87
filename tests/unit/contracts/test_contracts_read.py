"""A contract is read as it is meant; each mistake is named with file, line, field and next step."""

import contextlib
import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft201909Validator

from datacore.contracts import ContractError, Match, load_contracts
from datacore.contracts.lines import read_document
from datacore.contracts.problems import Problem
from datacore.errors import ExitCode, UsageError
from datacore.settings import ROOT

ProblemsOf = Callable[..., tuple[Problem, ...]]

MISTAKES = [
    # name, text replaced, its replacement, line, field, part of the fact or next step
    ("api_version", "v3.1.0", "v2.2.2", 1, "apiVersion", "v3.1.0"),
    ("kind", "kind: DataContract", "kind: Contract", 2, "kind", "DataContract"),
    ("no_id", "id: urn:test:click\n", "", 1, "id", "missing"),
    ("no_status", "status: active\n", "", 1, "status", "missing"),
    ("other_name", "name: click\nversion", "name: clack\nversion", 4, "name", "file's name"),
    ("camel_name", "name: click\nversion", "name: Click\nversion", 4, "name", "lower_snake"),
    ("number_as_version", "version: 1.0.0", "version: 1.0", 5, "version", "quotes"),
    ("no_version", "version: 1.0.0\n", "", 1, "version", "missing"),
    ("no_domain", "domain: web\n", "", 1, "domain", "missing"),
    ("domain_case", "domain: web", "domain: Web Site", 7, "domain", "lower_snake"),
    ("no_team", "team: {name: web-team}\n", "", 1, "team.name", "missing"),
    ("unknown_key", "status: active", "status: active\nstatsu: x", 7, "statsu", "did you mean 'status'"),
    ("unknown_deep_key", "        required: true\n        primaryKey", "        requird: true\n        primaryKey", 22, "schema[click].properties[id].requird", "did you mean 'required'"),
    ("unknown_team_key", "{name: web-team}", "{name: web-team, nmae: x}", 8, "team.nmae", "did you mean 'name'"),
    ("text_for_bool", "primaryKey: true", 'primaryKey: "true"', 23, "schema[click].properties[id].primaryKey", "true or false"),
    ("schema_name", "  - name: click\n    desc", "  - name: clock\n    desc", 17, "schema[clock].name", "differs"),
    ("no_description", "    description: One record per click.\n", "", 17, "schema[click].description", "missing"),
    ("no_schema", "schema:\n", "schema: []\ntags:\n", 16, "schema", "0 objects"),
    ("bad_column", "name: tags", "name: my-tags", 37, "schema[click].properties[my-tags].name", "letters"),
    ("nameless", "name: kind", "description: x", 24, "schema[click].properties[1].name", "missing"),
    ("repeated_column", "name: tags", "name: KIND", 37, "schema[click].properties[KIND].name", "repeats 'kind'"),
    ("dt", "name: tags", "name: dt", 37, "schema[click].properties[dt].name", "every raw table"),
    ("hour", "name: tags", "name: Hour", 37, "schema[click].properties[Hour].name", "every raw table"),
    ("corrupt", "name: tags", "name: _corrupt_record", 37, "schema[click].properties[_corrupt_record].name", "every raw table"),
    ("repeated_field", "name: seen_at", "name: URL", 34, "schema[click].properties[page].properties[URL].name", "repeats 'url'"),
    ("logical_type", "logicalType: array", "logicalType: aray", 38, "schema[click].properties[tags].logicalType", "did you mean 'array'"),
    ("no_logical_type", "        logicalType: array\n", "", 37, "schema[click].properties[tags].logicalType", "missing"),
    ("hive_type", "items: {logicalType: integer}", "physicalType: array<integer>", 39, "schema[click].properties[tags].physicalType", "'integer' is unknown"),
    ("hive_timestamp", "logicalType: timestamp\n        required", "logicalType: timestamp\n        physicalType: timestamp\n        required", 28, "schema[click].properties[clicked_at].physicalType", "as it came"),
    ("incompatible", "items: {logicalType: integer}", "physicalType: bigint", 39, "schema[click].properties[tags].physicalType", "cannot hold"),
    ("differs_from_items", "items: {logicalType: integer}", "items: {logicalType: integer}\n        physicalType: array<string>", 40, "schema[click].properties[tags].physicalType", "array<bigint>"),
    ("epoch_without_unit", "logicalType: timestamp\n        required", "logicalType: timestamp\n        physicalType: bigint\n        required", 28, "schema[click].properties[clicked_at].physicalType", "epoch_ms"),
    ("time_format", "format: epoch_ms", "format: dd.MM.yyyy", 36, "schema[click].properties[page].properties[seen_at].logicalTypeOptions.format", "ISO 8601"),
    ("no_items", "        items: {logicalType: integer}\n", "", 37, "schema[click].properties[tags].items", "add items"),
    ("items_of_string", "logicalType: string\n      - name: clicked", "logicalType: string\n        items: {logicalType: string}\n      - name: clicked", 26, "schema[click].properties[kind].items", "array"),
    ("no_key", "        primaryKey: true\n", "", 19, "schema[click].properties", "primaryKey"),
    ("key_object", "logicalType: array", "primaryKey: true\n        logicalType: array", 38, "schema[click].properties[tags].primaryKey", "within"),
    ("optional_key", "required: true\n        primaryKey", "required: false\n        primaryKey", 22, "schema[click].properties[id].required", "required: true"),
    ("no_topic", "property: topic", "property: owner", 9, "customProperties", "has no topic"),
    ("bad_topic", "value: clicks", "value: my clicks", 11, "customProperties[topic].value", "Kafka"),
    ("number_topic", "value: clicks", "value: 5", 11, "customProperties[topic].value", "not a string"),
    ("typo_in_match", "property: match", "property: mach", 12, "customProperties[mach].property", "did you mean 'match'"),
    ("twice", "property: match", "property: topic", 12, "customProperties[topic].property", "twice"),
    ("match_form", "{field: kind, equals: click}", "{field: kind, is: click}", 13, "customProperties[match].value", "equals"),
    ("match_number", "equals: click", "equals: 5", 13, "customProperties[match].value", "strings"),
    ("match_undeclared", "{field: kind,", "{field: knd,", 13, "customProperties[match].value.field", "did you mean 'kind'"),
    ("match_on_object", "{field: kind,", "{field: page,", 13, "customProperties[match].value.field", "string field"),
    ("no_event_time", "property: eventTime", "property: sla", 9, "customProperties", "has no eventTime"),
    ("event_time_undeclared", "value: clicked_at", "value: click_at", 15, "customProperties[eventTime].value", "did you mean 'clicked_at'"),
    ("event_time_no_time", "value: clicked_at", "value: page.url", 15, "customProperties[eventTime].value", "timestamp"),
    ("duplicate_key", "domain: web", "domain: web\ndomain: mobile", 8, "", "line 7"),
    ("tab", "domain: web", "domain:\tweb\n\tx", 7, "", "not YAML"),
    ("alias", "team: {name: web-team}", "team: &t {name: web-team}\ntags: *t", 8, "", "alias"),
    ("bomb", "team: {name: web-team}", "team: &t [*t]", 8, "", "alias"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "words"),
    [case[1:] for case in MISTAKES],
    ids=[case[0] for case in MISTAKES],
)
def test_a_mistake_is_named_by_line_and_field(
    valid: str, problems_of: ProblemsOf, old: str, new: str, line: int, field: str, words: str
) -> None:
    assert old in valid

    found = problems_of(click=valid.replace(old, new, 1))

    assert (line, field) in [(problem.line, problem.field) for problem in found]
    said = next(problem for problem in found if (problem.line, problem.field) == (line, field))
    assert words in str(said)
    assert f"click.odcs.yaml:{line}: " in str(said)
    assert said.next_step


def test_all_mistakes_of_all_files_are_reported_at_once(
    valid: str, problems_of: ProblemsOf
) -> None:
    broken = (
        valid.replace("domain: web", "domain: Web")
        .replace("v3.1.0", "v1")
        .replace("id: urn", "idd: urn")
    )

    found = problems_of(click=broken, other=broken.replace("name: click\n", "name: other\n"))

    assert [problem.field for problem in found] == ["apiVersion", "id", "idd", "domain"] * 2


def test_one_mistake_gives_one_line(valid: str, problems_of: ProblemsOf, tmp_path: Path) -> None:
    (found,) = problems_of(click=valid.replace("version: 1.0.0", "version: 1.0"))

    assert str(found).endswith(
        "click.odcs.yaml:5: version: should be a valid string (found 1.0); put it in quotes"
    )


def test_a_contract_is_read_as_it_is_meant(valid: str, tmp_path: Path) -> None:
    (tmp_path / "click.odcs.yaml").write_text(valid)

    (contract,) = load_contracts(tmp_path)

    assert (contract.name, contract.domain, contract.topic) == ("click", "web", "clicks")
    assert contract.match == Match("kind", "click")
    assert (contract.event_time, contract.event_time_unit) == ("clicked_at", None)
    assert contract.event_id == ("id",)
    assert contract.owner == "web-team"
    assert [(column.name, column.type) for column in contract.columns] == [
        ("id", "string"),
        ("kind", "string"),
        ("clicked_at", "string"),
        ("page", "struct<url:string,seen_at:bigint>"),
        ("tags", "array<bigint>"),
    ]
    assert [column.name for column in contract.columns if column.required] == ["id", "clicked_at"]


def test_event_time_may_lie_within_an_object_and_be_an_epoch(valid: str, tmp_path: Path) -> None:
    text = valid.replace("value: clicked_at", "value: page.seen_at")
    (tmp_path / "click.odcs.yaml").write_text(text)

    (contract,) = load_contracts(tmp_path)

    assert (contract.event_time, contract.event_time_unit) == ("page.seen_at", "ms")


def test_records_without_a_time_take_kafkas(valid: str, tmp_path: Path) -> None:
    text = valid.replace("value: clicked_at", "value: $kafka")
    (tmp_path / "click.odcs.yaml").write_text(text)

    (contract,) = load_contracts(tmp_path)

    assert contract.event_time is None


def test_event_time_may_be_a_field_that_can_be_no_column(valid: str, tmp_path: Path) -> None:
    (tmp_path / "click.odcs.yaml").write_text(valid.replace("value: clicked_at", "value: dt"))

    (contract,) = load_contracts(tmp_path)

    assert contract.event_time == "dt"


def test_event_id_follows_the_positions_and_may_lie_within_an_object(
    valid: str, tmp_path: Path
) -> None:
    text = valid.replace(
        "primaryKey: true", "primaryKey: true\n        primaryKeyPosition: 2"
    ).replace(
        "- name: url",
        "- name: url\n            primaryKey: true\n            primaryKeyPosition: 1",
    )
    (tmp_path / "click.odcs.yaml").write_text(text)

    (contract,) = load_contracts(tmp_path)

    assert contract.event_id == ("page.url", "id")


def test_two_contracts_cannot_claim_the_same_records(valid: str, problems_of: ProblemsOf) -> None:
    (found,) = problems_of(click=valid, tap=valid.replace("name: click\n", "name: tap\n"))

    assert (found.file.name, found.line) == ("tap.odcs.yaml", 13)
    assert "so does click" in found.fact
    assert "click.odcs.yaml" in found.next_step


def test_two_contracts_cannot_match_a_topic_by_different_fields(
    valid: str, problems_of: ProblemsOf
) -> None:
    other = valid.replace("name: click\n", "name: tap\n").replace("field: kind", "field: id")

    (found,) = problems_of(click=valid, tap=other)

    assert "by id, but click by kind" in found.fact


def test_a_topic_has_one_contract_without_a_match(valid: str, problems_of: ProblemsOf) -> None:
    rest = valid.replace("  - property: match\n    value: {field: kind, equals: click}\n", "")

    (found,) = problems_of(click=rest, tap=rest.replace("name: click\n", "name: tap\n"))

    assert (found.file.name, found.line) == ("tap.odcs.yaml", 11)
    assert "every other record" in found.fact


def test_unclaimed_is_no_contracts_name(valid: str, problems_of: ProblemsOf) -> None:
    (found,) = problems_of(unclaimed=valid.replace("name: click\n", "name: unclaimed\n"))

    assert found.field == "name"


@pytest.mark.parametrize("odd", [None, 5, "x", ["x"], {"x": [[]]}], ids=repr)
def test_an_odd_value_anywhere_is_at_most_a_contract_error(
    valid: str, tmp_path: Path, odd: object
) -> None:
    file = tmp_path / "click.odcs.yaml"
    file.write_text(valid)
    for location in read_document(file).lines:
        if not location:
            continue
        value = yaml.safe_load(valid)
        holder = value
        for step in location[:-1]:
            holder = holder[step]
        holder[location[-1]] = odd
        file.write_text(yaml.safe_dump(value))
        with contextlib.suppress(ContractError):
            load_contracts(tmp_path)


@pytest.mark.parametrize("content", [b"", b"- a\n", b"text", b"name: \xff\xfe\n", b"a: \x00\n"])
def test_a_file_that_is_no_contract_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "click.odcs.yaml").write_bytes(content)

    with pytest.raises(ContractError, match=r"click\.odcs\.yaml:1: "):
        load_contracts(tmp_path)


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    (tmp_path / "click.odcs.yaml").write_text("a: " + "[" * 1500)

    with pytest.raises(ContractError, match="not YAML"):
        load_contracts(tmp_path)


def test_a_yaml_file_by_another_name_is_not_ignored_in_silence(valid: str, tmp_path: Path) -> None:
    (tmp_path / "click.yml").write_text(valid)

    with pytest.raises(ContractError, match=r"name it click\.odcs\.yaml"):
        load_contracts(tmp_path)


@pytest.mark.parametrize("made", [True, False])
def test_a_directory_without_contracts_is_bad_usage(tmp_path: Path, made: bool) -> None:
    with pytest.raises(UsageError) as caught:
        load_contracts(tmp_path if made else tmp_path / "absent")
    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.hint


def test_the_marketplaces_contracts_follow_the_standards_json_schema() -> None:
    text = (resources.files("open_data_contract_standard") / "schema.json").read_text()
    schema = Draft201909Validator(json.loads(text))

    for contract in load_contracts(ROOT / "contracts"):
        assert not list(schema.iter_errors(yaml.safe_load(contract.file.read_text())))
