"""Lets a kafka-python consumer take up what its group assigned to it, also where a poll was too short.

Comes in: a consumer, between two polls. Goes out: the same consumer. kafka-python has no public place
for this; what is used of its inside is here alone, and held by tests on a real broker.
"""

from kafka import KafkaConsumer


def finish_joining(consumer: KafkaConsumer) -> None:
    """Have the next poll go on with a join that the one before did not wait for.

    The group's leader joins again when it sees that partitions came or went. Where that takes longer
    than a poll, kafka-python 3.0.12 goes on in the background, believes afterwards that there is
    nothing to join any more, and never takes up what it was assigned: it would read nothing for ever.
    """
    group = consumer._coordinator
    if group._join_task is not None and not group.need_rejoin():
        group.request_rejoin()
