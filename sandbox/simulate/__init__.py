"""A job marketplace that makes logs: log files as its hosts would write them, and the truth."""
