"""Redshift's SQL to plans: `planner.plan` is the way in.

Comes in: one statement's text. Goes out: a plan of `plans`, or a RedshiftError that says what
cannot be honoured. No server is touched, so all of it is tested with tables of text.
"""
