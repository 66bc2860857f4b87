"""The entrance of the platform: settings, contracts as types, errors and the command `datacore`.

Rooms (`ingest`, `metastore`, `sandbox`) import from here; nothing here imports a room, except that
`datacore.cli` names the module in which each room keeps its commands.
"""
