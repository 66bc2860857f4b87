"""Registering: Glue's databases, tables and partitions equal to the contracts and S3.

`tables` says what Glue should hold (pure), `catalog` makes it so, `registrar` keeps what landing
needs up to date, `commands` does it for everything.
"""
