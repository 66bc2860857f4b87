"""Registering over Hive's protocol, against the project's own metastore: what it holds then."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hmsclient.genthrift.hive_metastore import ThriftHiveMetastore
from stub_glue import StubGlue

from datacore.contracts import Column, Contract
from datacore.errors import ServiceUnreachable, UsageError
from datacore.settings import Address, load_settings
from ingest.land.hourlog import Hour
from ingest.register.glue import GlueCatalog
from ingest.register.hive import HiveCatalog
from ingest.register.open_catalog import open_catalog
from ingest.register.registrar import Registrar
from ingest.register.tables import DATABASES, Table, raw_table
from metastore.wire.answers import Answers
from metastore.wire.server import Server
from sandbox.ports import HOST

CONTRACT = Contract(
    name="click", domain="d", version="1.2.0", topic="t", match=None, event_time="at",
    event_time_unit=None, event_id=("id",), description="What people\n clicked.", owner="o",
    file=Path("click.odcs.yaml"),
    columns=(
        Column("id", "string", "string", True, "The click."),
        Column("at", "string", "timestamp", True, "When."),
        Column("tags", "array<struct<name:string,weight:double>>", "array", False, "Tags."),
    ),
)  # fmt: skip
CLICK = raw_table(CONTRACT, "b")
OPENX = "org.openx.data.jsonserde.JsonSerDe"


@pytest.fixture
def server(answers: Answers) -> Iterator[Server]:
    serving = Server(ThriftHiveMetastore.Processor(answers), HOST, 0)
    thread = threading.Thread(target=serving.serve)
    thread.start()
    yield serving
    serving.stop()
    assert serving.wait(10)
    thread.join(10)


@pytest.fixture
def hive(server: Server) -> Iterator[HiveCatalog]:
    catalog = HiveCatalog(Address(*server.address), sleep=lambda _: None)
    catalog.ensure_databases(DATABASES)
    yield catalog
    catalog.close()


def hour(number: int) -> tuple[tuple[str, str], str]:
    """An hour of 2026-01-02 as a partition."""
    return ("2026-01-02", f"{number:02}"), f"s3://b/raw/click/2026/01/02/{number:02}"


def test_all_that_glue_should_hold_is_made_once(hive: HiveCatalog, stub: StubGlue) -> None:
    registrar = Registrar(hive, [CONTRACT], "b")
    assert registrar.tables() == 6
    assert registrar.tables() == 0
    assert stub.databases["raw"]["Description"] == DATABASES["raw"]
    made = stub.tables["raw", "click"]
    assert made["Parameters"].items() >= CLICK.input["Parameters"].items()
    assert made["StorageDescriptor"]["Columns"] == CLICK.input["StorageDescriptor"]["Columns"]
    assert made["PartitionKeys"] == CLICK.input["PartitionKeys"]


def test_a_contract_that_changed_changes_its_table_and_nothing_that_others_set(
    hive: HiveCatalog, stub: StubGlue
) -> None:
    assert hive.ensure_table(CLICK)
    stub.tables["raw", "click"]["Parameters"]["team"] = "search"
    more = raw_table(
        replace(
            CONTRACT, columns=(*CONTRACT.columns, Column("page", "string", "string", False, ""))
        ),
        "b",
    )
    assert hive.ensure_table(more)
    assert not hive.ensure_table(more)
    made = stub.tables["raw", "click"]
    assert [column["Name"] for column in made["StorageDescriptor"]["Columns"]][-1] == "page"
    assert made["Parameters"]["team"] == "search"


def test_spark_is_not_shown_a_serde_that_it_lacks(hive: HiveCatalog, stub: StubGlue) -> None:
    hive.ensure_table(CLICK)
    hive.ensure_partitions(CLICK, [hour(5)])
    assert OPENX not in str(stub.tables["raw", "click"]) + str(stub.partitions["raw", "click"])


def test_tables_that_glue_registered_keep_their_serde(hive: HiveCatalog, stub: StubGlue) -> None:
    stub.create_table(DatabaseName="raw", TableInput=CLICK.input)
    assert not hive.ensure_table(CLICK)
    hive.ensure_partitions(CLICK, [hour(5)])
    assert OPENX in str(stub.tables["raw", "click"])
    assert OPENX in str(stub.partitions["raw", "click"])


def test_hours_are_added_once_moved_and_dropped(hive: HiveCatalog) -> None:
    hive.ensure_table(CLICK)
    assert hive.ensure_partitions(CLICK, map(hour, range(3))) == 3
    assert hive.ensure_partitions(CLICK, map(hour, range(4))) == 1
    assert hive.partitions(CLICK) == dict(map(hour, range(4)))
    for values in (("2026-01-02", "01"), ("2026-01-02", "07")):
        hive.move_partition(CLICK, values, "s3://b/elsewhere", {"datacore.published_at": "1.5"})
        found = hive.partition(CLICK, values)
        assert found is not None
        assert found["StorageDescriptor"]["Location"] == "s3://b/elsewhere"
        assert found["Parameters"]["datacore.published_at"] == "1.5"
    assert hive.ensure_partitions(CLICK, [hour(1)]) == 0, "compaction moved it"
    hive.drop_partition(CLICK, ("2026-01-02", "01"))
    hive.drop_partition(CLICK, ("2026-01-02", "01"))
    assert hive.partition(CLICK, ("2026-01-02", "01")) is None


def test_a_table_that_is_not_there_has_no_partitions(hive: HiveCatalog) -> None:
    assert hive.locations("raw", "click") is None
    assert hive.partitions(CLICK) == {}


def test_thousands_of_hours_are_listed(hive: HiveCatalog) -> None:
    hive.ensure_table(CLICK)
    listed = [((f"2026-{month:02}-{day:02}", f"{h:02}"), f"s3://b/{month}/{day}/{h}")
              for month in (1, 2) for day in range(1, 26) for h in range(24)]  # fmt: skip
    assert hive.ensure_partitions(CLICK, listed) == 1200
    assert hive.partitions(CLICK) == dict(listed)


def test_a_broken_connection_is_opened_again(hive: HiveCatalog) -> None:
    hive.ensure_table(CLICK)
    hive._client._iprot.trans.close()
    assert hive.ensure_partitions(CLICK, [hour(1)]) == 1


def test_a_metastore_that_is_away_is_named_with_its_address() -> None:
    waited: list[float] = []
    away = HiveCatalog(Address(HOST, 1), sleep=waited.append)
    with pytest.raises(ServiceUnreachable, match=rf"{HOST}:1 does not answer get_database"):
        away.ensure_databases(DATABASES)
    assert waited == sorted(waited)
    assert len(waited) == 4


def test_what_the_metastore_cannot_or_will_not_do_is_told(
    hive: HiveCatalog, stub: StubGlue
) -> None:
    stub.faults["create_table"] = [RuntimeError("boom")]
    with pytest.raises(ServiceUnreachable, match=r"create_table.*: RuntimeError: boom"):
        hive.ensure_table(CLICK)
    nowhere = Table("nowhere", CLICK.input)
    with pytest.raises(UsageError, match=r"refused create_table.*nowhere"):
        hive.ensure_table(nowhere)
    with pytest.raises(ServiceUnreachable, match=r"no table nowhere\.click"):
        hive.ensure_partitions(nowhere, [hour(5)])


def test_the_setting_chooses_the_catalog() -> None:
    assert isinstance(open_catalog(load_settings({"DATACORE_CATALOG": "hive"})), HiveCatalog)
    assert isinstance(open_catalog(load_settings({})), GlueCatalog)
    with pytest.raises(UsageError, match="DATACORE_CATALOG: 'hives' is not one of glue, hive"):
        load_settings({"DATACORE_CATALOG": "hives"})


def test_registered_hours_are_found_by_the_registrar(hive: HiveCatalog) -> None:
    registrar = Registrar(hive, [CONTRACT], "b")
    registrar.tables()
    one = Hour("click", "2026-01-02", "05")
    assert registrar.hours([one]) == 1
    registrar.publish(one, "raw/_versions/click/2026/01/02/05/1/", 12.5)
    published = registrar.published(one)
    assert published is not None
    assert (published.folder, published.since) == ("raw/_versions/click/2026/01/02/05/1/", 12.5)
