"""How clients connect, and what happens when they go away."""

import socket
import struct
import subprocess
import threading
from pathlib import Path

import pytest
from redshift_connector.core import Connection
from redshift_connector.error import InterfaceError, ProgrammingError
from redshift_stand_in import PASSWORD, Query, StandIn, error_of, query_on

from sandbox.redshift.postgres import INSTALL


def test_one_port_serves_clients_with_tls_and_without(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(stand_in.state / "server.crt"))
    for changed in ({"ssl": False}, {"ssl": True, "sslmode": "verify-ca"}):
        with stand_in.connect(**changed) as connection:
            assert query_on(connection)("select 1") == [[1]]


def test_the_certificate_names_the_host(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(stand_in.state / "server.crt"))
    with stand_in.connect(host="localhost", ssl=True, sslmode="verify-full") as connection:
        assert query_on(connection)("select 1") == [[1]]


def test_an_unknown_certificate_is_refused_by_the_client(stand_in: StandIn) -> None:
    with pytest.raises(InterfaceError, match="CERTIFICATE_VERIFY_FAILED"):
        stand_in.connect(ssl=True)


def test_a_wrong_password_is_28p01(stand_in: StandIn) -> None:
    with pytest.raises(ProgrammingError) as raised:
        stand_in.connect(password="wrong")
    assert error_of(raised)["C"] == "28P01"
    assert "password authentication failed" in error_of(raised)["M"]


def test_the_role_of_the_system_views_cannot_connect(stand_in: StandIn) -> None:
    with pytest.raises(InterfaceError) as raised:
        stand_in.connect(user="postgres", password="")
    assert error_of(raised)["C"] == "28000"


def test_an_unknown_database_is_3d000(stand_in: StandIn) -> None:
    with pytest.raises((InterfaceError, ProgrammingError)) as raised:
        stand_in.connect(database="nope")
    assert error_of(raised)["C"] == "3D000"


def test_it_says_that_it_is_redshift(query: Query) -> None:
    ((version,),) = query("select version()")
    assert version.startswith("PostgreSQL 8.0.2")
    assert "Redshift" in version


def test_the_simple_protocol_runs_statement_after_statement(stand_in: StandIn) -> None:
    done = subprocess.run(
        [
            str(INSTALL / "bin" / "psql"),
            f"host=127.0.0.1 port={stand_in.port} user=datacore dbname=warehouse sslmode=prefer",
            "--no-psqlrc",
            "--tuples-only",
            "--no-align",
            "--command=select nvl(null, 'a'); truncate table nothing",
            "--command=create temp table t as select len('abc') as n; truncate t; select 7",
        ],
        env={"PGPASSWORD": PASSWORD},
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines() == ["a", "SELECT 1", "TRUNCATE TABLE", "7"]
    assert 'relation "nothing" does not exist' in done.stderr


def test_two_sessions_see_only_what_the_other_committed(
    stand_in: StandIn, query: Query, schema: str
) -> None:
    query("create table t (a int)")
    with stand_in.connect() as other:
        of_other = query_on(other)
        of_other("begin")
        of_other(f"insert into {schema}.t values (1)")
        assert query("select count(*) from t") == [[0]]
        of_other("commit")
        assert query("select count(*) from t") == [[1]]


def test_a_client_that_goes_away_rolls_back(stand_in: StandIn, query: Query, schema: str) -> None:
    query("create table t (a int)")
    gone = stand_in.connect()
    of_gone = query_on(gone)
    of_gone("begin")
    of_gone(f"insert into {schema}.t values (1)")
    gone._usock.shutdown(socket.SHUT_RDWR)
    query("set statement_timeout to 20000")
    query("truncate t")  # waits for the lock of the insert
    assert query("select count(*) from t") == [[0]]


def test_a_client_that_goes_away_in_a_result_disturbs_nobody(
    stand_in: StandIn, query: Query
) -> None:
    raw = _log_in(stand_in)
    sql = b"select a.oid, b.relname from pg_class a, pg_class b, pg_class c limit 2000000\0"
    raw.sendall(b"Q" + struct.pack("!i", len(sql) + 4) + sql)
    assert raw.recv(65536)
    raw.close()
    assert query("select 1") == [[1]]


def _log_in(stand_in: StandIn) -> socket.socket:
    """A socket behind the start-up: the driver's own, without the driver."""
    connection = stand_in.connect()
    duplicate: socket.socket = connection._usock.dup()
    return duplicate


def test_a_running_query_can_be_cancelled(stand_in: StandIn) -> None:
    connection = stand_in.connect()
    failures: list[dict[str, str]] = []

    def sleep() -> None:
        try:
            query_on(connection)("select pg_sleep(60)")
        except ProgrammingError as error:
            failures.append(error.args[0])

    key = connection._backend_key_data
    assert key is not None
    sleeper = threading.Thread(target=sleep)
    sleeper.start()
    for _ in range(100):
        with socket.create_connection(("127.0.0.1", stand_in.port)) as canceller:
            canceller.sendall(struct.pack("!ii", 16, 80877102) + key)
        sleeper.join(0.3)
        if not sleeper.is_alive():
            break
    assert [failure["C"] for failure in failures] == ["57014"]


@pytest.mark.parametrize(
    "first_bytes",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack("!ii", 8, 99),
        struct.pack("!ii", 9, 196608) + b"\xff",
        b"",
    ],
    ids=["http", "unknown_protocol", "no_parameters", "nothing"],
)
def test_what_is_no_client_is_sent_away(
    stand_in: StandIn, query: Query, first_bytes: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", stand_in.port), timeout=20) as stranger:
        stranger.sendall(first_bytes)
        stranger.shutdown(socket.SHUT_WR)
        answer = stranger.recv(1000)
    assert answer == b"" or answer.startswith(b"E")
    assert query("select 1") == [[1]]


def test_no_password_is_in_the_logs(stand_in: StandIn, connection: Connection) -> None:
    with pytest.raises(ProgrammingError):
        stand_in.connect(password="wrong and secret")
    logs: list[Path] = [stand_in.state / "postgres.log", stand_in.state.parent / "state.err"]
    written = "".join(log.read_text() for log in logs)
    assert PASSWORD not in written
    assert "wrong and secret" not in written
