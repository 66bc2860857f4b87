"""Ports: the usual ones, moved ones, free ones."""

import socket
from collections.abc import Iterator

import pytest

from datacore.errors import UsageError
from sandbox.ports import FREE_RANGE, HOST, USUAL, choose_ports, in_use, require_free


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server((HOST, 0)) as server:
        yield server.getsockname()[1]


def test_without_wishes_every_part_has_its_usual_port() -> None:
    assert choose_ports(environ={}) == USUAL


def test_an_option_wins_over_a_variable() -> None:
    environ = {"DATACORE_SANDBOX_PORT_KAFKA": "19092", "DATACORE_SANDBOX_PORT_AWS": "14566"}
    ports = choose_ports(["kafka=29092"], environ)
    assert (ports["kafka"], ports["aws"], ports["thrift"]) == (29092, 14566, 10000)


def test_free_ports_keep_the_wished_ones_and_differ_from_each_other() -> None:
    ports = choose_ports(["kafka=29092"], {}, free=True)
    assert ports.pop("kafka") == 29092
    assert len(set(ports.values())) == len(USUAL) - 1
    assert all(port in FREE_RANGE for port in ports.values())


@pytest.mark.parametrize(
    ("option", "fact"),
    [
        ("kafka", "--port kafka: '' is not a port"),
        ("kafka=0", "--port kafka: '0' is not a port"),
        ("kafka=65536", "--port kafka: '65536' is not a port"),
        ("kafka=x", "--port kafka: 'x' is not a port"),
        ("zookeeper=2181", "no part 'zookeeper'"),
        ("kafka=4566", "port 4566 is given to kafka and aws"),
    ],
)
def test_a_wrong_port_is_named(option: str, fact: str) -> None:
    with pytest.raises(UsageError) as caught:
        choose_ports([option], {})
    assert fact in caught.value.message


def test_a_wrong_variable_is_named() -> None:
    with pytest.raises(UsageError, match="DATACORE_SANDBOX_PORT_THRIFT: 'x' is not a port"):
        choose_ports(environ={"DATACORE_SANDBOX_PORT_THRIFT": "x"})


def test_a_port_in_use_is_refused_with_part_port_and_holder(taken: int) -> None:
    assert in_use(taken)
    with pytest.raises(UsageError, match=rf"redshift: port {taken} is in use by .*\(pid \d+\)"):
        require_free({"redshift": taken})


def test_a_port_on_request_is_there_only_when_requested() -> None:
    assert "kafka_secure" not in choose_ports(environ={})
    assert choose_ports(environ={}, request=["kafka_secure"])["kafka_secure"] == 9094
    moved = choose_ports(["kafka_secure=29094"], {}, request=["kafka_secure"], free=True)
    assert moved["kafka_secure"] == 29094
    with pytest.raises(UsageError, match="no part 'kafka_secure'"):
        choose_ports(["kafka_secure=29094"], {})
