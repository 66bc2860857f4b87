"""Landing: Kafka's records onto S3 by data type and event-time hour, exactly once.

Pure: `event_time`, `rules`, `route`, `objects`, `cut`, `manifest`, `hourlog`. At the edge:
`bucket`, `chain`, `hours`, `source_kafka`; `lander` joins them.
"""
