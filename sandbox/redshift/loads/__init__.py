"""Parquet between S3 and tables: COPY and UNLOAD.

Comes in: a plan and a connection. Goes out: rows in a table or objects on S3, and what the system
views say about it. Redshift's rules and error texts are kept where public material shows them.
"""
