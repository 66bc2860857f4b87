"""Settings: read once from the environment and from the sandbox's env file.

Comes in: environment variables and, where it exists, `<state>/env` written by `datacore sandbox
up`. Goes out: a frozen `Settings`. A variable of the environment wins over the file; a
command-line flag wins over both (the commands see to that). Secrets are never logged.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from datacore.errors import UsageError

ROOT = Path(__file__).resolve().parent.parent
"""The checkout that this code runs from."""

SOURCES = ("kafka", "kinesis")
"""What `land` can read."""
CATALOGS = ("glue", "hive")
"""Where tables and partitions are registered."""
KAFKA_CLIENTS = ("kafka-python", "confluent")
"""What `land` can read Kafka with."""


@dataclass(frozen=True)
class Address:
    """Host and port of a service."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str, variable: str) -> "Address":
        """`host:port` to an Address. Raises UsageError, which names `variable`."""
        host, colon, port = text.rpartition(":")
        if not colon or not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise UsageError(f"{variable}: {text!r} is not host:port", f"set {variable}=HOST:PORT")
        return cls(host, int(port))


@dataclass(frozen=True)
class Settings:
    """Everything that the commands read from outside. The table is in docs/settings.md."""

    bucket: str
    """Bucket of the raw logs (DATACORE_BUCKET)."""
    lake_bucket: str
    """Bucket of the lake's Parquet (DATACORE_LAKE_BUCKET)."""
    kafka: str
    """Bootstrap servers, comma-separated host:port (DATACORE_KAFKA)."""
    source: str
    """Where `land` reads: kafka or kinesis (DATACORE_SOURCE)."""
    catalog: str
    """Where tables are registered: glue, or hive at `metastore` (DATACORE_CATALOG)."""
    metastore: Address
    thrift: Address
    redshift: Address
    redshift_database: str
    redshift_user: str
    redshift_password: str = field(repr=False)
    contracts: Path
    """Directory of the contracts (DATACORE_CONTRACTS)."""
    state: Path
    """The sandbox's directory (DATACORE_SANDBOX_DIR)."""
    aws_endpoint_url: str | None
    aws_region: str
    kafka_client: str = "kafka-python"
    """Which client `land` reads with (DATACORE_KAFKA_CLIENT)."""
    # how clients reach Kafka; `ingest.kafka_security` checks what belongs together
    kafka_security: str = "plaintext"
    """plaintext, ssl, sasl_plaintext or sasl_ssl (DATACORE_KAFKA_SECURITY)."""
    kafka_ca: str | None = None
    kafka_cert: str | None = None
    kafka_key: str | None = None
    """PEM files (DATACORE_KAFKA_CA, _CERT, _KEY)."""
    kafka_verify_hostname: bool = True
    """DATACORE_KAFKA_VERIFY_HOSTNAME, yes or no."""
    kafka_sasl_mechanism: str = "SCRAM-SHA-512"
    kafka_user: str | None = None
    kafka_password: str | None = field(default=None, repr=False)


def sandbox_state(environ: Mapping[str, str] = os.environ) -> Path:
    """The sandbox's directory: DATACORE_SANDBOX_DIR, else `.sandbox` in the checkout."""
    return Path(environ.get("DATACORE_SANDBOX_DIR") or ROOT / ".sandbox")


def read_env_file(path: Path) -> dict[str, str]:
    """`export NAME='value'` or `NAME=value` a line, as `datacore sandbox up` writes them.

    Raises UsageError with file and line for anything else.
    """
    values: dict[str, str] = {}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"{path}:{number}: not NAME=value", "run `datacore sandbox up` again")
        values[name] = value.strip("'\"")
    return values


def load_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment over the sandbox's env file, if there is one."""
    env_file = sandbox_state(environ) / "env"
    from_sandbox = read_env_file(env_file) if env_file.is_file() else {}
    return {**from_sandbox, **environ}


def apply_environment() -> None:
    """Put the sandbox's variables into this process, where the environment has none.

    boto3, dbt and every child process then see what `load_environment` sees.
    """
    for name, value in load_environment().items():
        os.environ.setdefault(name, value)


def _kafka_client(value: str) -> str:
    if value not in KAFKA_CLIENTS:
        raise UsageError(
            f"DATACORE_KAFKA_CLIENT: {value!r} is none of {', '.join(KAFKA_CLIENTS)}",
            "set it to one of them, or unset it",
        )
    return value


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read all settings. Raises UsageError that names the variable."""
    env = load_environment(environ)

    def address(variable: str, default: str) -> Address:
        return Address.parse(env.get(variable) or default, variable)

    def yes(variable: str, default: str) -> bool:
        text = (env.get(variable) or default).lower()
        if text not in ("yes", "no"):
            raise UsageError(f"{variable}: {text!r} is neither yes nor no", f"set {variable}")
        return text == "yes"

    return Settings(
        bucket=env.get("DATACORE_BUCKET") or "datacore-logs",
        lake_bucket=env.get("DATACORE_LAKE_BUCKET") or "datacore-lake",
        kafka=env.get("DATACORE_KAFKA") or "127.0.0.1:9092",
        source=_one_of(env.get("DATACORE_SOURCE") or "kafka", SOURCES, "DATACORE_SOURCE"),
        catalog=_one_of(env.get("DATACORE_CATALOG") or "glue", CATALOGS, "DATACORE_CATALOG"),
        metastore=address("DATACORE_METASTORE", "127.0.0.1:9083"),
        thrift=address("DATACORE_THRIFT", "127.0.0.1:10000"),
        redshift=address("DATACORE_REDSHIFT", "127.0.0.1:5439"),
        redshift_database=env.get("DATACORE_REDSHIFT_DATABASE") or "warehouse",
        redshift_user=env.get("DATACORE_REDSHIFT_USER") or "datacore",
        redshift_password=env.get("DATACORE_REDSHIFT_PASSWORD") or "",
        contracts=Path(env.get("DATACORE_CONTRACTS") or ROOT / "contracts"),
        state=sandbox_state(environ),
        aws_endpoint_url=env.get("AWS_ENDPOINT_URL") or None,
        aws_region=env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "us-east-1",
        kafka_client=_kafka_client(env.get("DATACORE_KAFKA_CLIENT") or KAFKA_CLIENTS[0]),
        kafka_security=env.get("DATACORE_KAFKA_SECURITY") or "plaintext",
        kafka_ca=env.get("DATACORE_KAFKA_CA") or None,
        kafka_cert=env.get("DATACORE_KAFKA_CERT") or None,
        kafka_key=env.get("DATACORE_KAFKA_KEY") or None,
        kafka_verify_hostname=yes("DATACORE_KAFKA_VERIFY_HOSTNAME", "yes"),
        kafka_sasl_mechanism=env.get("DATACORE_KAFKA_SASL_MECHANISM") or "SCRAM-SHA-512",
        kafka_user=env.get("DATACORE_KAFKA_USER") or None,
        kafka_password=env.get("DATACORE_KAFKA_PASSWORD") or None,
    )


def _one_of(value: str, choices: tuple[str, ...], variable: str) -> str:
    if value not in choices:
        raise UsageError(f"{variable}: {value!r} is not one of {', '.join(choices)}")
    return value
