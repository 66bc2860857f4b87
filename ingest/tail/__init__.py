"""Tailing: lines of files into Kafka, each exactly once.

`split` makes lines of bytes, `unzip` reads gzip to where it breaks, `position` says how far a log
was read, `lines` reads one log, `follower` watches a path through rotation, `publisher` sends
lines and positions in one transaction.
"""
