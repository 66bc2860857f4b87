"""The source in memory and Kinesis keep the contract that Kafka keeps."""

import time
from collections.abc import Callable, Iterator

import pytest
from kinesis_stream import memory_stream
from memory_source import Log, MemoryRecord, MemorySource

from ingest.land.source import Partition
from tests import source_contract
from tests.source_contract import Subject


def in_memory() -> Subject:
    log = Log({Partition("t", 0): [], Partition("t", 1): []})

    def put(number: int, lines: list[bytes]) -> None:
        records = log.records[Partition("t", number)]
        now = int(time.time() * 1000)
        records += [MemoryRecord(len(records) + n, now, line) for n, line in enumerate(lines)]

    return Subject("t", put, lambda: MemorySource(log, step=7))


@pytest.fixture(params=["memory", "kinesis"])
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    if request.param == "memory":
        yield in_memory()
        return
    with memory_stream(2) as stream:
        yield Subject("t", lambda number, lines: stream.put(number, *lines), stream.source)


@pytest.mark.parametrize(
    "check",
    [source_contract.check_order, source_contract.check_reading_again, source_contract.check_ends],
)
def test_a_source_keeps_its_contract(subject: Subject, check: Callable[[Subject], None]) -> None:
    check(subject)
