"""Calls about the service itself, and those that Glue has nothing to say to.

fb303's status, settings, and the empty answers (roles, privileges, constraints, indexes) that
clients need to go on. Nothing here touches Glue but `flushCache`.
"""

import time
from typing import Any

from hmsclient.genthrift.hive_metastore import ttypes

from metastore.calls.catalog import Catalog

_ALIVE = 2
"""fb303's status ALIVE."""


class SessionCalls:
    """Answers that do not depend on the catalog's content."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._since = int(time.time())

    def getStatus(self) -> int:
        return _ALIVE

    def getStatusDetails(self) -> str:
        return "ALIVE"

    def aliveSince(self) -> int:
        """Seconds since 1970."""
        return self._since

    def getName(self) -> str:
        return "datacore metastore"

    def getVersion(self) -> str:
        return "2.3"

    def shutdown(self) -> None:
        """A client says that it leaves. It is not a request to stop the service."""

    def set_ugi(self, user: str, groups: list[str]) -> list[str]:
        return groups or []

    def getMetaConf(self, key: str) -> str:
        return ""

    def setMetaConf(self, key: str, value: str) -> None:
        """Settings of a session change nothing here."""

    def get_config_value(self, name: str, default: str) -> str:
        return default

    def flushCache(self) -> None:
        self._catalog.forget()

    def get_current_notificationEventId(self) -> Any:
        return ttypes.CurrentNotificationEventId(0)

    def get_role_names(self) -> list[str]:
        return []

    def list_privileges(self, principal: str, kind: int, target: Any) -> list[Any]:
        return []

    def get_privilege_set(self, target: Any, user: str, groups: list[str]) -> Any:
        return ttypes.PrincipalPrivilegeSet({}, {}, {})

    def grant_privileges(self, privileges: Any) -> bool:
        """Clients grant a table's owner its privileges as they make it; Glue uses IAM instead."""
        return True

    def get_primary_keys(self, request: Any) -> Any:
        return ttypes.PrimaryKeysResponse([])

    def get_foreign_keys(self, request: Any) -> Any:
        return ttypes.ForeignKeysResponse([])

    def get_indexes(self, database: str, table: str, limit: int) -> list[Any]:
        return []

    def get_index_names(self, database: str, table: str, limit: int) -> list[str]:
        return []

    def get_table_column_statistics(self, database: str, table: str, column: str) -> Any:
        """Spark keeps its statistics in the table's parameters; Hive's own are not kept."""
        raise ttypes.NoSuchObjectException(f"no statistics of {database}.{table}.{column}")

    def get_partition_column_statistics(
        self, database: str, table: str, partition: str, column: str
    ) -> Any:
        raise ttypes.NoSuchObjectException(
            f"no statistics of {database}.{table}, partition {partition}, column {column}"
        )

    def get_aggr_stats_for(self, request: Any) -> Any:
        return ttypes.AggrStats([], 0)

    def get_table_statistics_req(self, request: Any) -> Any:
        return ttypes.TableStatsResult([])

    def get_partitions_statistics_req(self, request: Any) -> Any:
        return ttypes.PartitionsStatsResult({})

    def delete_table_column_statistics(self, database: str, table: str, column: str) -> bool:
        return True

    def delete_partition_column_statistics(
        self, database: str, table: str, partition: str, column: str
    ) -> bool:
        return True
