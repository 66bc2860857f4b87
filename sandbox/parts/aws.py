"""The part `aws`: S3, Glue, KMS and Kinesis by moto's server, all in memory.

Comes in: a site. Goes out: the `Part`; once it answers, the two buckets, encrypted by default with
the key `alias/datacore` and closed to the public, and the Glue databases.
"""

import sys
from typing import TYPE_CHECKING

from sandbox.part import Part, Site
from sandbox.ports import HOST

if TYPE_CHECKING:
    import boto3

GLUE_DATABASES = ("default", "raw", "platform", "lake")
KEY_ALIAS = "alias/datacore"


def aws_part(site: Site) -> Part:
    """moto's server with buckets, key and databases."""
    port = site.ports["aws"]
    return Part(
        name="aws",
        title="S3, Glue, KMS, Kinesis (moto, in memory)",
        port=port,
        command=(sys.executable, "-m", "sandbox.aws_server", HOST, str(port)),
        ask=lambda: ask(site),
        furnish=lambda: furnish(site),
        in_memory=True,
    )


def ask(site: Site) -> object:
    """The buckets that S3 lists."""
    from botocore.config import Config

    endpoint = site.variables["AWS_ENDPOINT_URL"]
    quick = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1})
    return _session(site).client("s3", endpoint_url=endpoint, config=quick).list_buckets()


def furnish(site: Site) -> None:
    """Make the key, the buckets and the databases."""
    session, endpoint = _session(site), site.variables["AWS_ENDPOINT_URL"]
    kms = session.client("kms", endpoint_url=endpoint)
    s3 = session.client("s3", endpoint_url=endpoint)
    glue = session.client("glue", endpoint_url=endpoint)
    key = kms.create_key(Description="Everything that Datacore keeps")["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName=KEY_ALIAS, TargetKeyId=key)
    lake = site.variables["DATACORE_LAKE_BUCKET"]
    for bucket in (site.variables["DATACORE_BUCKET"], lake):
        s3.create_bucket(Bucket=bucket)
        s3.put_public_access_block(
            Bucket=bucket,
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": True,
                "IgnorePublicAcls": True,
                "BlockPublicPolicy": True,
                "RestrictPublicBuckets": True,
            },
        )
        s3.put_bucket_encryption(
            Bucket=bucket,
            ServerSideEncryptionConfiguration={
                "Rules": [
                    {
                        "ApplyServerSideEncryptionByDefault": {
                            "SSEAlgorithm": "aws:kms",
                            "KMSMasterKeyID": key,
                        },
                        "BucketKeyEnabled": True,
                    }
                ]
            },
        )
    for name in GLUE_DATABASES:
        glue.create_database(
            DatabaseInput={"Name": name, "LocationUri": f"s3://{lake}/{name}"},
        )


def _session(site: Site) -> "boto3.Session":
    """A session with this site's credentials, whatever the caller's AWS variables are."""
    import boto3

    return boto3.Session(
        aws_access_key_id=site.variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=site.variables["AWS_SECRET_ACCESS_KEY"],
        region_name=site.variables["AWS_REGION"],
    )
