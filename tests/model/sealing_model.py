"""A model of sealing: hours, a topic that gets partitions, writers of the hour log.

Processes: Kafka, whose clock goes on, where producers write and partitions are added at any moment;
landing, which brings a record of a partition in one step (`landing_model` has it in many); writers
of the hour log, paused between any two steps for any time, and killed and started again at any step.

A record is of the hour in which it is produced, so a late one is one that a seal did not wait for.
Kafka's clock and the lander's are one, and the grace is nothing. Time counts hours; hour h ends at
h + 1. A number of the hour log has one writer (`landing_model`).

Bounds: explored whole with two hours and up to two partitions, with 2 records and a writer, and with
a record and 2 writers. Not in this model: a topic made again, Kinesis' closed shards.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from model_checker import put

BEGINNING = -1
"""The watermark of a partition that has brought nothing."""


class Safeguard(StrEnum):
    """What the protocol rests on. A model without one of them is a model of another protocol."""

    NEW_PARTITION_IS_WAITED_FOR = "a partition that has brought nothing yet is waited for"
    CLOCK_READ_BEFORE_THE_ENDS = "the clock is read before Kafka is asked how far it goes"
    ONLY_LANDED_TO_ITS_END_IS_IDLE = (
        "the clock speaks for a partition only if it is landed to its end"
    )
    SEALED_NO_FURTHER_THAN_ASKED = "nothing is sealed that was not over when partitions were asked"


class Partition(NamedTuple):
    """`times` of its records, and how many of them are landed."""

    times: tuple[int, ...] = ()
    landed: int = 0


class Log(NamedTuple):
    """The hour log: by partition it names, how far it covers it, and the watermark."""

    sequence: int = -1
    offsets: tuple[int, ...] = ()
    watermarks: tuple[int, ...] = ()
    sealed_to: int = 0
    """Hours before this one are sealed."""


class Writer(NamedTuple):
    """When it asked, the ends that it was told, and the log as its entry would make it."""

    doing: str
    asked: int = BEGINNING
    ends: tuple[int, ...] = ()
    entry: Log = Log()


class State(NamedTuple):
    """The stores and the processes."""

    clock: int
    partitions: tuple[Partition, ...]
    log: Log
    writers: tuple[Writer, ...]


class Sealing:
    """`hours` go by; `records` at most are produced; partitions are added up to `partitions`."""

    def __init__(
        self,
        hours: int,
        partitions: int,
        records: int,
        writers: int,
        without: Safeguard | None = None,
    ) -> None:
        self._hours = hours
        self._partitions = partitions
        self._records = records
        self._writers = writers
        self._without = without

    def _keeps(self, safeguard: Safeguard) -> bool:
        return safeguard is not self._without

    def start(self) -> State:
        """One partition, without records."""
        return State(0, (Partition(),), Log(), (self._new_writer,) * self._writers)

    @property
    def _new_writer(self) -> Writer:
        first = self._keeps(Safeguard.CLOCK_READ_BEFORE_THE_ENDS)
        return Writer("read the clock" if first else "ask the ends")

    def steps(self, state: State) -> Iterator[tuple[str, State]]:
        """Time, Kafka, landing, or a writer of the log."""
        if state.clock < self._hours:
            yield "time: an hour is over", state._replace(clock=state.clock + 1)
        if len(state.partitions) < self._partitions:
            yield "Kafka: a partition is added", state._replace(partitions=(*state.partitions, Partition()))  # fmt: skip
        yield from self._produce_and_land(state)
        for at, writer in enumerate(state.writers):
            if at and writer == state.writers[at - 1]:
                continue
            for name, after, mine in self._writer(state, writer):
                yield f"hour log: {name}", after._replace(writers=put(state.writers, at, mine))

    def _produce_and_land(self, state: State) -> Iterator[tuple[str, State]]:
        produced = sum(len(partition.times) for partition in state.partitions)
        for at, partition in enumerate(state.partitions):
            if produced < self._records:
                more = partition._replace(times=(*partition.times, state.clock))
                yield f"Kafka: partition {at} gets a record", _with(state, at, more)
            if partition.landed < len(partition.times):
                more = partition._replace(landed=partition.landed + 1)
                yield f"lander: lands a record of partition {at}", _with(state, at, more)

    def _writer(self, state: State, writer: Writer) -> Iterator[tuple[str, State, Writer]]:
        new = self._new_writer
        if writer != new:
            yield f"killed while it would {writer.doing}", state, new
        first = self._keeps(Safeguard.CLOCK_READ_BEFORE_THE_ENDS)
        match writer.doing:
            case "read the clock":
                then = writer._replace(
                    doing="ask the ends" if first else "count", asked=state.clock
                )
                yield f"reads the clock: {state.clock}", state, then
            case "ask the ends":
                ends = tuple(len(partition.times) for partition in state.partitions)
                then = writer._replace(doing="count" if first else "read the clock", ends=ends)
                yield f"asks the ends: {ends}", state, then
            case "count":
                entry = self._entry(state, writer)
                if entry is None:
                    yield "finds nothing new", state, new
                else:
                    yield f"is to put {entry}", state, writer._replace(doing="put", entry=entry)
            case "put":
                if state.log.sequence + 1 == writer.entry.sequence:
                    yield "puts its entry", state._replace(log=writer.entry), new
                else:
                    yield "finds its number taken", state, writer._replace(doing="count", entry=Log())  # fmt: skip

    def _entry(self, state: State, writer: Writer) -> Log | None:
        log = state.log
        known = max(len(log.offsets), len(writer.ends))
        offsets, marks = [], []
        for number in range(known):
            before = log.watermarks[number] if number < len(log.watermarks) else BEGINNING
            partition = state.partitions[number]
            offsets.append(partition.landed)
            brought = partition.times[: partition.landed][-1:]
            marks.append(max(before, *brought, self._idle(writer, number, partition)))
        sealed_to = max(log.sealed_to, self._passed(writer, marks))
        entry = Log(log.sequence + 1, tuple(offsets), tuple(marks), sealed_to)
        same = entry._replace(sequence=log.sequence, watermarks=log.watermarks) == log
        return None if same else entry

    def _idle(self, writer: Writer, number: int, partition: Partition) -> int:
        """When a partition was asked for its end, where it is landed to there. One that is not
        among those that Kafka told of had brought nothing at that time."""
        told = number < len(writer.ends)
        to_its_end = partition.landed >= writer.ends[number] if told else True
        if to_its_end or not self._keeps(Safeguard.ONLY_LANDED_TO_ITS_END_IS_IDLE):
            return writer.asked
        return BEGINNING

    def _passed(self, writer: Writer, marks: list[int]) -> int:
        waited_for = marks
        if not self._keeps(Safeguard.NEW_PARTITION_IS_WAITED_FOR):
            waited_for = [mark for mark in marks if mark != BEGINNING] or marks
        if self._keeps(Safeguard.SEALED_NO_FURTHER_THAN_ASKED):
            waited_for = [*waited_for, writer.asked]
        return min(waited_for)

    def wrong(self, state: State) -> str | None:
        """No record of a sealed hour comes after the seal."""
        for number, partition in enumerate(state.partitions):
            covered = state.log.offsets[number] if number < len(state.log.offsets) else 0
            if any(time < state.log.sealed_to for time in partition.times[covered:]):
                return "an hour is sealed before a partition has passed it"
        return None

    def ended(self, state: State) -> bool:
        """All hours that are over are sealed, and everything is landed and counted."""
        return (
            state.clock == self._hours == state.log.sealed_to
            and len(state.partitions) == self._partitions
            and all(found.landed == len(found.times) for found in state.partitions)
            and state.log.offsets == tuple(found.landed for found in state.partitions)
            and all(writer == self._new_writer for writer in state.writers)
        )


def _with(state: State, at: int, partition: Partition) -> State:
    partitions = (*state.partitions[:at], partition, *state.partitions[at + 1 :])
    return state._replace(partitions=partitions)
