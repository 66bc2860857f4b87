"""Ingest: log files into Kafka, Kafka onto S3 by type and hour, hours sealed and registered in Glue.

`tail` sends lines in transactions, `land` makes the cuts, `register` tells Glue, `quarantine`
shows what was set aside. docs/ingest.md describes the protocol and every format.
"""
