"""Quarantine: what was set aside, why, and from where. Reads S3 only, and changes nothing."""
