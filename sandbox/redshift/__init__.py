"""A local stand-in for Amazon Redshift: the unmodified drivers and dbt-redshift run against it.

Comes in: Redshift's flavour of the PostgreSQL protocol on 127.0.0.1, with TLS or without. Goes
out: the same protocol to a private PostgreSQL on a unix socket, S3 and Glue for COPY, UNLOAD and
external tables. Never: a claim about performance, WLM or IAM (docs/redshift.md says what a local
pass does not prove).

Rooms: `sql` turns a statement into a plan and touches no server; `loads` moves Parquet between S3
and tables; `external` shows Glue's tables; `shims` are Redshift's system views and functions.
"""
