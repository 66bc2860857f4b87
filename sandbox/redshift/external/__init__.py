"""External schemas: Glue's tables, always as they are now.

Comes in: a statement, before it runs. Goes out: system views equal to Glue, and local copies of
the external tables that it names, equal to the objects at the locations that Glue gives.
"""
