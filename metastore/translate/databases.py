"""Databases, both ways. The owner, which Glue has no place for, is kept in a parameter."""

from collections.abc import Mapping
from typing import Any

from hmsclient.genthrift.hive_metastore import ttypes

from metastore.translate.limits import RESERVED, description, visible

_DESCRIPTION = RESERVED + "description"
_OWNER = RESERVED + "owner"
_OWNER_TYPE = RESERVED + "owner-type"


def database_to_hive(database: Mapping[str, Any]) -> Any:
    """A database of Glue as Hive's `Database`."""
    parameters = database.get("Parameters") or {}
    text, kept = database.get("Description"), parameters.get(_DESCRIPTION)
    whole = kept if kept is not None and description(kept) == text else text
    owner_type = parameters.get(_OWNER_TYPE)
    return ttypes.Database(
        name=database["Name"],
        description=whole,
        locationUri=database.get("LocationUri") or "",
        parameters=visible(parameters),
        ownerName=parameters.get(_OWNER),
        ownerType=ttypes.PrincipalType._NAMES_TO_VALUES.get(owner_type or ""),
    )


def database_to_glue(database: Any) -> dict[str, Any]:
    """Hive's `Database` as Glue's `DatabaseInput`."""
    text = database.description or ""
    kept = {
        _DESCRIPTION: text if description(text) != text else None,
        _OWNER: database.ownerName,
        _OWNER_TYPE: ttypes.PrincipalType._VALUES_TO_NAMES.get(database.ownerType),
    }
    parameters = visible(database.parameters) | {k: v for k, v in kept.items() if v}
    made = {"Name": database.name.lower(), "Parameters": parameters}
    optional = {"Description": description(text), "LocationUri": database.locationUri}
    return made | {name: value for name, value in optional.items() if value}
