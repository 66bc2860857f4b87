"""The ledger's equations (promise 5): what was produced is landed or quarantined; what landed is
staged, rejected or a duplicate; what is staged is rolled up and loaded.

`equations` is pure; `engines` asks Spark and Redshift, `read` what; `commands` prints.
"""
