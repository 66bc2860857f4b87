"""The protocol: over a socket, with Hive's own generated client."""

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from hive_objects import hive_table
from hmsclient.genthrift.hive_metastore import ThriftHiveMetastore, ttypes
from stub_glue import StubGlue, client_error
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.Thrift import TApplicationException
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TBufferedTransport, TTransportException

from datacore.errors import UsageError
from metastore.calls.catalog import Catalog
from metastore.commands import answers_of
from metastore.wire.answers import PROTOCOL, Answers, declared_errors, is_write
from metastore.wire.server import Server

Connect = Callable[[], Any]


@pytest.fixture
def server(answers: Answers) -> Iterator[Server]:
    serving = Server(ThriftHiveMetastore.Processor(answers), "127.0.0.1", 0)
    thread = threading.Thread(target=serving.serve)
    thread.start()
    yield serving
    serving.stop()
    assert serving.wait(10)
    thread.join(10)
    assert not thread.is_alive()


@pytest.fixture
def connect(server: Server) -> Iterator[Connect]:
    transports = []

    def connected() -> Any:
        transport = TBufferedTransport(TSocket(*server.address))
        transport.open()
        transports.append(transport)
        return ThriftHiveMetastore.Client(TBinaryProtocol(transport))

    yield connected
    for transport in transports:
        transport.close()


def test_table_goes_over_the_wire_and_back(connect: Connect) -> None:
    client = connect()
    client.set_ugi("spark", ["users"])
    client.create_table(hive_table())
    assert client.get_table("lake", "orders").sd.cols[0].comment == "the order"
    assert connect().get_all_tables("lake") == ["orders"]
    client.shutdown()


def test_megabytes_go_over_the_wire_and_back(connect: Connect) -> None:
    client = connect()
    table = hive_table(parameters={"spark.sql.sources.schema": "größe " * 1_000_000})
    client.create_table(table)
    assert client.get_table("lake", "orders").parameters.items() >= table.parameters.items()


def test_missing_table_is_no_such_object(connect: Connect) -> None:
    with pytest.raises(ttypes.NoSuchObjectException, match="nope"):
        connect().get_table("lake", "nope")
    with pytest.raises(ttypes.UnknownTableException, match="nope"):
        connect().get_fields("lake", "nope")


def test_unsupported_call_is_refused_by_name_and_the_connection_lives(connect: Connect) -> None:
    client = connect()
    with pytest.raises(ttypes.MetaException, match="exchange_partition is not supported"):
        client.exchange_partition({}, "lake", "a", "lake", "b")
    with pytest.raises(TApplicationException, match="show_compact is not supported"):
        client.show_compact(ttypes.ShowCompactRequest())
    assert client.getStatus() == 2


def test_unknown_call_is_refused(connect: Connect) -> None:
    client = connect()
    client._oprot.writeMessageBegin("get_weather", 1, 0)
    args = ThriftHiveMetastore.get_database_args(name="lake")
    args.write(client._oprot)
    client._oprot.writeMessageEnd()
    client._oprot.trans.flush()
    with pytest.raises(TApplicationException, match="get_weather"):
        client.recv_get_database()
    assert client.get_all_databases() == ["lake"]


def test_every_call_is_answered_or_refused_by_name(answers: Answers) -> None:
    """Whatever the protocol has, no call can end in “Internal error”."""
    refused = PROTOCOL - answers.supported()
    assert len(answers.supported()) > 80
    for name in refused:
        with pytest.raises(
            (ttypes.MetaException, *declared_errors(name), TApplicationException), match=name
        ):
            getattr(answers, name)()


SPARK = frozenset(
    [
        "set_ugi",
        "shutdown",
        "get_database",
        "get_databases",
        "get_all_databases",
        "create_database",
        "alter_database",
        "drop_database",
        "get_table",
        "get_tables",
        "get_all_tables",
        "get_tables_by_type",
        "get_table_objects_by_name",
        "get_table_objects_by_name_req",
        "get_table_req",
        "create_table",
        "create_table_with_environment_context",
        "alter_table",
        "alter_table_with_environment_context",
        "drop_table_with_environment_context",
        "get_partitions",
        "get_partitions_with_auth",
        "get_partitions_by_filter",
        "get_partitions_ps_with_auth",
        "get_partition_with_auth",
        "get_partition_names",
        "get_partition_names_ps",
        "get_partitions_by_names",
        "add_partitions",
        "add_partitions_req",
        "alter_partitions",
        "alter_partitions_with_environment_context",
        "rename_partition",
        "drop_partition_with_environment_context",
        "drop_partitions_req",
        "get_function",
        "get_functions",
        "get_all_functions",
        "create_function",
        "alter_function",
        "drop_function",
    ]
)
"""What Spark 3.5 and 4 ask through Hive's client 2.3."""

READS = frozenset(
    [
        "aliveSince",
        "flushCache",
        "getMetaConf",
        "getName",
        "getStatus",
        "getStatusDetails",
        "getVersion",
        "get_aggr_stats_for",
        "get_all_databases",
        "get_all_functions",
        "get_all_tables",
        "get_config_value",
        "get_current_notificationEventId",
        "get_database",
        "get_databases",
        "get_fields",
        "get_fields_with_environment_context",
        "get_foreign_keys",
        "get_function",
        "get_functions",
        "get_index_names",
        "get_indexes",
        "get_num_partitions_by_filter",
        "get_partition",
        "get_partition_by_name",
        "get_partition_column_statistics",
        "get_partition_names",
        "get_partition_names_ps",
        "get_partition_with_auth",
        "get_partitions",
        "get_partitions_by_filter",
        "get_partitions_by_names",
        "get_partitions_ps",
        "get_partitions_ps_with_auth",
        "get_partitions_statistics_req",
        "get_partitions_with_auth",
        "get_primary_keys",
        "get_privilege_set",
        "get_role_names",
        "get_schema",
        "get_schema_with_environment_context",
        "get_table",
        "get_table_column_statistics",
        "get_table_meta",
        "get_table_objects_by_name",
        "get_table_objects_by_name_req",
        "get_table_req",
        "get_table_statistics_req",
        "get_tables",
        "get_tables_by_type",
        "list_privileges",
        "partition_name_has_valid_characters",
        "partition_name_to_spec",
        "partition_name_to_vals",
        "setMetaConf",
        "set_ugi",
        "shutdown",
    ]
)
"""The answered calls that change neither the catalog nor files."""


def test_all_that_spark_asks_is_answered(answers: Answers) -> None:
    assert answers.supported() >= SPARK


def test_column_statistics_are_none_and_not_a_failure(connect: Connect) -> None:
    """Spark keeps its own in the table's parameters; Hive and Trino ask for these."""
    client = connect()
    client.create_table(hive_table())
    with pytest.raises(ttypes.NoSuchObjectException, match=r"lake\.orders\.id"):
        client.get_table_column_statistics("lake", "orders", "id")
    with pytest.raises(ttypes.NoSuchObjectException, match="dt=2026-01-02"):
        client.get_partition_column_statistics("lake", "orders", "dt=2026-01-02/hour=05", "id")
    columns = ttypes.TableStatsRequest("lake", "orders", ["id"])
    assert client.get_table_statistics_req(columns).tableStats == []
    parts = ttypes.PartitionsStatsRequest("lake", "orders", ["id"], ["dt=2026-01-02/hour=05"])
    assert client.get_partitions_statistics_req(parts).partStats == {}
    found = client.get_aggr_stats_for(parts)
    assert (found.colStats, found.partsFound) == ([], 0)
    assert client.delete_table_column_statistics("lake", "orders", "id") is True
    with pytest.raises(ttypes.MetaException, match="update_table_column_statistics is not supp"):
        client.update_table_column_statistics(ttypes.ColumnStatistics())


def test_service_says_that_it_is_alive(connect: Connect) -> None:
    client = connect()
    assert client.getStatusDetails() == "ALIVE"
    assert client.aliveSince() > 1_700_000_000


def test_broken_call_tells_its_client(answers: Answers, stub: StubGlue) -> None:
    stub.faults["get_table"] = [RuntimeError("boom")]
    with pytest.raises(ttypes.MetaException, match="RuntimeError: boom"):
        answers.get_table("lake", "orders")


def test_unreachable_glue_is_a_meta_exception_with_the_endpoint(
    answers: Answers, stub: StubGlue
) -> None:
    stub.faults["get_tables"] = [EndpointConnectionError(endpoint_url="http://glue.stub")] * 9
    with pytest.raises(ttypes.MetaException, match=r"no connection to http://glue\.stub"):
        answers.get_all_tables("lake")


def test_throttled_glue_is_a_meta_exception(answers: Answers, stub: StubGlue) -> None:
    stub.faults["get_table"] = [client_error("GetTable", "ThrottlingException")] * 99
    with pytest.raises(ttypes.MetaException, match="ThrottlingException"):
        answers.get_table("lake", "orders")


def test_read_only_refuses_every_write_by_name(catalog: Catalog, answers: Answers) -> None:
    reading = answers_of(catalog, read_only=True)
    assert reading.get_all_databases() == ["lake"]
    with pytest.raises(ttypes.MetaException, match="create_table: this metastore is read-only"):
        reading.create_table(hive_table())
    for name in reading.supported() - READS:
        with pytest.raises((ttypes.MetaException, *declared_errors(name)), match="is read-only"):
            getattr(reading, name)()


def test_read_only_refuses_nothing_that_only_reads(answers: Answers) -> None:
    """A call that is new must be put on one side, by a person."""
    assert {name for name in answers.supported() if not is_write(name)} == READS


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x00" * 64,
        b"\x80\x01\x00\x01\x00\x00\x00\x09get_table\x00\x00\x00\x01\x0b\x00\x01\x7f\xff\xff\xff",
        b"\x80\x01\x00\x01\x7f\xff\xff\xff",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
)
def test_garbage_ends_its_own_connection_only(
    server: Server, connect: Connect, garbage: bytes
) -> None:
    client = connect()
    with socket.create_connection(server.address, timeout=10) as stranger:
        stranger.sendall(garbage)
        stranger.shutdown(socket.SHUT_WR)
        while stranger.recv(4096):
            pass
    assert client.getStatus() == 2


def test_stop_answers_the_call_under_way(server: Server, connect: Connect, stub: StubGlue) -> None:
    called, release = threading.Event(), threading.Event()

    def slowly() -> None:
        called.set()
        assert release.wait(10)

    stub.before["get_databases"] = slowly
    client, answer = connect(), []
    caller = threading.Thread(target=lambda: answer.extend(client.get_all_databases()))
    caller.start()
    assert called.wait(10)
    server.stop()
    assert not server.wait(0.05)
    release.set()
    assert server.wait(10)
    caller.join(10)
    assert answer == ["lake"]
    with pytest.raises(TTransportException):
        connect()


def test_port_in_use_is_named(server: Server, answers: Answers) -> None:
    host, port = server.address
    with pytest.raises(UsageError, match=f"{host}:{port}: the port is in use"):
        Server(ThriftHiveMetastore.Processor(answers), host, port)


def test_many_clients_at_once(connect: Connect) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            client = connect()
            client.create_table(hive_table(f"t{number}"))
            for _ in range(10):
                assert client.get_table("lake", f"t{number}").tableName == f"t{number}"
        except BaseException as failure:  # noqa: BLE001 - carried to the test's own thread
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert len(connect().get_all_tables("lake")) == 20
