"""The catalog that the settings name.

Comes in: settings. Goes out: a `Catalog`, Glue's or a Hive Metastore's.
"""

from datacore.aws import glue_client
from datacore.settings import Settings
from ingest.meter import Meter
from ingest.meter_aws import metered
from ingest.register.catalog import Catalog
from ingest.register.glue import GlueCatalog


def open_catalog(settings: Settings, meter: Meter | None = None) -> Catalog:
    """Nothing is asked of it yet. Calls of Glue are counted by `meter`."""
    if settings.catalog == "hive":
        # importing Hive's generated protocol takes about a third of a command's start
        from ingest.register.hive import HiveCatalog

        return HiveCatalog(settings.metastore)
    client = glue_client(settings)
    return GlueCatalog(client if meter is None else metered(client, meter))
