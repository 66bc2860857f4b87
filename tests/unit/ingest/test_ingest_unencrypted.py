"""A bucket without default encryption, and an S3 that knows of none: refused unless allowed."""

import pytest
from botocore.session import get_session
from botocore.stub import Stubber

from datacore.errors import ServiceUnreachable, UsageError
from ingest.audit.facts import BucketKey
from ingest.audit.store import Store
from ingest.land.bucket import Bucket

S3 = get_session().create_client(
    "s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
)


@pytest.mark.parametrize(
    ("code", "status"),
    [("ServerSideEncryptionConfigurationNotFoundError", 404), ("NotImplemented", 501)],
)
def test_an_s3_without_default_encryption_is_refused_unless_allowed(code: str, status: int) -> None:
    with Stubber(S3) as stub:
        for _ in range(3):
            stub.add_client_error("get_bucket_encryption", code, http_status_code=status)
        with pytest.raises(UsageError, match="'logs' has no default encryption"):
            Bucket(S3, "logs").check()
        Bucket(S3, "logs").check(allow_unencrypted=True)
        assert Store(S3, None, "logs").default_key() == BucketKey(None)  # type: ignore[arg-type]  # KMS is not asked
        stub.assert_no_pending_responses()


def test_any_other_answer_about_encryption_is_no_permission() -> None:
    with Stubber(S3) as stub:
        for _ in range(2):
            stub.add_client_error("get_bucket_encryption", "InternalError", http_status_code=500)
        with pytest.raises(ServiceUnreachable):
            Bucket(S3, "logs").check(allow_unencrypted=True)
        with pytest.raises(ServiceUnreachable):
            Store(S3, None, "logs").default_key()  # type: ignore[arg-type]
