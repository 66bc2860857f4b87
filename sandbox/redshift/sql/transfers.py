"""COPY, UNLOAD and external schemas: what goes between S3, Glue and tables.

Comes in: a statement's cursor. Goes out: a plan that `execution` carries out. Options are read
here and judged in `loads`.
"""

from sandbox.redshift.errors import RedshiftError
from sandbox.redshift.sql.expressions import rewrite_query
from sandbox.redshift.sql.plans import Copy, CreateExternalSchema, Plan, Unload
from sandbox.redshift.sql.tokens import Cursor, Kind

FORMATS = {"AVRO", "CSV", "FIXEDWIDTH", "JSON", "ORC", "PARQUET", "SHAPEFILE"}
TEXT_OPTIONS = {
    "ACCESS_KEY_ID",
    "DATEFORMAT",
    "DELIMITER",
    "ENCODING",
    "ESCAPE",
    "IAM_ROLE",
    "KMS_KEY_ID",
    "NULL",
    "QUOTE",
    "REGION",
    "SECRET_ACCESS_KEY",
    "SESSION_TOKEN",
    "TIMEFORMAT",
}
VALUE_OPTIONS = {
    "COMPROWS",
    "COMPUPDATE",
    "EXTENSION",
    "IGNOREHEADER",
    "MAXERROR",
    "MAXFILESIZE",
    "PARALLEL",
    "ROWGROUPSIZE",
    "STATUPDATE",
}
SWITCHES = {"ON", "OFF", "TRUE", "FALSE", "PRESET"}


def copy(cursor: Cursor) -> Plan:
    """COPY from S3. The cursor is behind COPY."""
    table = cursor.name()
    columns = cursor.names_in_group() if cursor.at("(") else ()
    cursor.expect("FROM")
    source = _s3(cursor)
    options: dict[str, str] = {}
    while not cursor.done:
        _option(cursor, options)
    return Copy(table, columns, source, options)


def unload(cursor: Cursor) -> Plan:
    """UNLOAD to S3. The cursor is behind UNLOAD."""
    cursor.expect("(")
    query = cursor.string()
    cursor.expect(")", "TO")
    destination = _s3(cursor)
    options: dict[str, str] = {}
    partition_by: tuple[str, ...] = ()
    while not cursor.done:
        if cursor.accept("PARTITION", "BY"):
            partition_by = cursor.names_in_group()
            if cursor.accept("INCLUDE"):
                options["INCLUDE"] = ""
        else:
            _option(cursor, options)
    return Unload(rewrite_query(query), destination, options, partition_by)


def external_schema(cursor: Cursor) -> Plan:
    """CREATE EXTERNAL SCHEMA over the data catalog. The cursor is behind SCHEMA."""
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    schema = cursor.name()[-1]
    cursor.expect("FROM")
    if not cursor.accept("DATA", "CATALOG"):
        raise RedshiftError(
            "the local stand-in has external schemas FROM DATA CATALOG only",
            hint="it reads the Glue Data Catalog of the sandbox",
        )
    database, iam_role, create_database = "", "", False
    while not cursor.done:
        if cursor.accept("DATABASE"):
            database = cursor.string()
        elif cursor.accept("IAM_ROLE"):
            iam_role = _role(cursor)
        elif cursor.peek() in ("REGION", "CATALOG_ROLE", "CATALOG_ID"):
            cursor.take()
            cursor.string()
        elif cursor.accept("CREATE", "EXTERNAL", "DATABASE", "IF", "NOT", "EXISTS"):
            create_database = True
        else:
            cursor.fail()
    if not database:
        raise RedshiftError("DATABASE is missing in CREATE EXTERNAL SCHEMA", "42601")
    if not iam_role:
        raise RedshiftError("IAM_ROLE is missing in CREATE EXTERNAL SCHEMA", "42601")
    return CreateExternalSchema(schema, database, iam_role, if_not_exists, create_database)


def _s3(cursor: Cursor) -> str:
    location = cursor.string()
    if not location.startswith("s3://"):
        raise RedshiftError(
            f"'{location}' is not an S3 location",
            hint="the local stand-in copies from and unloads to s3:// only",
        )
    return location


def _role(cursor: Cursor) -> str:
    return "default" if cursor.accept("DEFAULT") else cursor.string()


def _option(cursor: Cursor, options: dict[str, str]) -> None:
    """One option of COPY or UNLOAD; its value may follow AS."""
    if cursor.accept("WITH"):
        return
    if cursor.peek() in FORMATS:
        options["FORMAT"] = cursor.take().upper
        return
    name = cursor.take()
    if name.kind is not Kind.NAME:
        cursor.position -= 1
        cursor.fail()
    cursor.accept("AS")
    if name.upper == "FORMAT":
        options["FORMAT"] = cursor.take().upper
    elif name.upper == "IAM_ROLE":
        options["IAM_ROLE"] = _role(cursor)
    elif name.upper == "CREDENTIALS" or name.upper in TEXT_OPTIONS:
        options[name.upper] = cursor.string()
    elif name.upper in VALUE_OPTIONS:
        has_value = cursor.peek() in SWITCHES or (
            not cursor.done and cursor.words[cursor.position].kind in (Kind.NUMBER, Kind.STRING)
        )
        options[name.upper] = cursor.take().text if has_value else "on"
    elif not cursor.done and cursor.words[cursor.position].kind is Kind.STRING:
        options[name.upper] = cursor.take().text
    else:
        options[name.upper] = ""
