"""Tailing: lines of files into Kafka, each exactly once.

`lines` reads a file, `position` says how far it was read, `ledger` keeps positions in Kafka,
`publisher` sends lines and positions in one transaction, `follower` watches a path through rotation.
"""
