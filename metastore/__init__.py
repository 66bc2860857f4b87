"""The Hive Metastore protocol, answered from the Glue Data Catalog.

Comes in: Thrift calls of Spark, Hive's JDBC stack and other Hive Metastore clients. Goes out: calls
to Glue, and to the file store where a metastore owns the files (managed tables). Keeps no state
but a short cache. Rooms: `wire` (protocol), `calls` (what each call does), `translate` (Glue's
words to Hive's and back), `filters` (partition filters), `glue` (the client), `files`.
"""
