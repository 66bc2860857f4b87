"""Glue's dictionaries to the Thrift types of Hive and back. Pure functions: no I/O, no clock."""
