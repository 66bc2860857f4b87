"""The protocol: sockets, Thrift, which errors a call may answer. Knows nothing of Glue's words."""
