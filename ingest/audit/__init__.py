"""The audit: whether what S3 and Glue hold is what the chains of manifests promise.

`facts` are what was seen, `audit` sees it, and the other modules judge it without I/O.
"""
