"""What each call of the protocol does. A method here has its call's name and arguments.

Raises the exceptions of the protocol, `GlueError` and the errors of `files` and `filters`, which
`metastore.wire` turns into what each call may answer.
"""
