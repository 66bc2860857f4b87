"""The sandbox's Glue compares versions as Glue does; moto's own does not."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.glue import responses

from sandbox import glue

TABLE = {"DatabaseName": "lake", "Name": "orders"}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, aws_client: Callable[[str], Any]) -> Iterator[Any]:
    """Glue of a server in this process, with the table `orders`."""
    monkeypatch.setattr(responses.GlueResponse, "update_table", responses.GlueResponse.update_table)
    glue.correct()
    made = aws_client("glue")
    made.create_database(DatabaseInput={"Name": "lake"})
    made.create_table(DatabaseName="lake", TableInput={"Name": "orders"})
    yield made
    made.delete_database(Name="lake")


def told(client: Any) -> dict[str, Any]:
    """The table as Glue has it."""
    table: dict[str, Any] = client.get_table(**TABLE)["Table"]
    return table


def update(client: Any, owner: str, **more: Any) -> None:
    client.update_table(DatabaseName="lake", TableInput={"Name": "orders", "Owner": owner}, **more)


def test_of_two_updates_of_one_version_the_second_is_refused(client: Any) -> None:
    version = told(client)["VersionId"]
    update(client, "first", VersionId=version)
    with pytest.raises(ClientError) as refused:
        update(client, "second", VersionId=version)
    assert refused.value.response["Error"]["Code"] == "ConcurrentModificationException"
    assert told(client)["Owner"] == "first"


def test_without_a_version_the_last_update_wins(client: Any) -> None:
    update(client, "first")
    update(client, "second")
    assert told(client)["Owner"] == "second"


def test_versions_are_kept_unless_they_are_not_to_be_archived(client: Any) -> None:
    update(client, "first")
    update(client, "second", SkipArchive=True)
    found = client.get_table_versions(DatabaseName="lake", TableName="orders")["TableVersions"]
    assert [version["Table"].get("Owner") for version in found] == [None, "second"]
