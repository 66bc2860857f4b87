"""Versions of hours: an hour's objects written again, in a folder of their own.

Pure: `record`. At the edge: `history` reads what versions there are, `arrivals` is the lander's side,
`outputs` makes a version's objects, `settle` completes and publishes, `compact` makes fewer objects
of a sealed hour and `remove` takes away what no version needs. docs/compaction.md has the argument.
"""
