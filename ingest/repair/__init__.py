"""Repair: objects that the ledger promises and S3 lacks, written again from where they came."""
