"""What a COPY reads: the objects of a prefix or of a manifest.

Comes in: COPY's source and options. Goes out: objects with their sizes, or Redshift's error for a
source that is not as it should be.
"""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from sandbox.redshift.aws import S3Object, list_objects, read_object, s3, s3_errors, split_url
from sandbox.redshift.errors import SCAN_ERROR, LoadError, RedshiftError

CREDENTIALS = ("IAM_ROLE", "CREDENTIALS", "ACCESS_KEY_ID")

PARQUET_OPTIONS = {
    "ACCEPTINVCHARS",
    "ACCESS_KEY_ID",
    "COMPUPDATE",
    "CREDENTIALS",
    "EXPLICIT_IDS",
    "FILLRECORD",
    "FORMAT",
    "IAM_ROLE",
    "MANIFEST",
    "NOLOAD",
    "SECRET_ACCESS_KEY",
    "SERIALIZETOJSON",
    "SESSION_TOKEN",
    "STATUPDATE",
}
"""What COPY takes with FORMAT PARQUET; Redshift refuses any other option."""


def check_options(options: Mapping[str, str]) -> None:
    """Raise RedshiftError for options that COPY of Parquet does not take."""
    if not any(name in options for name in CREDENTIALS):
        raise RedshiftError("Must specify IAM_ROLE or CREDENTIALS for COPY from S3", "42601")
    if options.get("FORMAT") != "PARQUET":
        raise RedshiftError(
            f"COPY of {options.get('FORMAT', 'text')} is not supported by the local stand-in",
            hint="it reads FORMAT AS PARQUET",
        )
    for name in options:
        if name not in PARQUET_OPTIONS:
            raise RedshiftError(f"{name} argument is not supported for PARQUET based COPY")


def find_objects(source: str, is_manifest: bool) -> list[S3Object]:
    """The objects of a prefix, or those that the manifest at `source` lists.

    Raises LoadError when there is none, or when the manifest does not hold.
    """
    bucket, key = split_url(source)
    if is_manifest:
        objects = _from_manifest(source)
    else:
        with s3_errors(f"Failed to list {source}"):
            objects = list_objects(bucket, key)
    if not objects:
        raise LoadError(f"The specified S3 prefix '{key}' does not exist", 8001)
    return objects


def _from_manifest(source: str) -> list[S3Object]:
    with s3_errors(f"Failed to read manifest {source}"):
        body = read_object(source)
    try:
        entries = json.loads(body)["entries"]
    except (ValueError, KeyError, TypeError) as error:
        raise LoadError(
            f"Manifest file is not in correct json format: {error}", 8001, source
        ) from error
    objects = [_entry(source, entry) for entry in entries]
    return [found for found in objects if found is not None]


def _entry(source: str, entry: Any) -> S3Object | None:
    """One entry of a manifest; None for one that is missing and need not be there."""
    if not isinstance(entry, dict) or "url" not in entry:
        raise LoadError("File entry does not have 'url' key.", 8001, source)
    meta = entry.get("meta")
    if not isinstance(meta, dict) or "content_length" not in meta:
        raise LoadError("File entry does not have 'meta' key.", 15003, source)
    bucket, key = split_url(entry["url"])
    with s3_errors(f"Failed to read {entry['url']}"):
        try:
            size = s3().head_object(Bucket=bucket, Key=key)["ContentLength"]
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") not in ("404", "NoSuchKey"):
                raise
            if not entry.get("mandatory"):
                return None
            context = f"Manifest file location={source} url={entry['url']}"
            raise LoadError(
                "Mandatory url is not present in manifest file.", 8001, context
            ) from error
    if meta["content_length"] != size:
        context = (
            "Error: HTTP response error code: 416 Message: InvalidRange The requested range is not"
            f" satisfiable (manifest says {meta['content_length']} bytes, object has {size})"
        )
        raise LoadError(SCAN_ERROR, 15007, context)
    return S3Object(bucket, key, size)
