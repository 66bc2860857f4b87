"""Replay: records that were set aside, or that no contract claimed, land after a fix; each once.

Pure: `entry`. At the edge: `log` reads the numbered log of replays, `sources` what may be replayed,
`replayer` makes a replay, `commands` runs it. docs/quarantine.md says how it is used.
"""
