"""User-defined functions, both ways."""

from collections.abc import Mapping
from typing import Any

from hmsclient.genthrift.hive_metastore import ttypes

from metastore.translate.tables import seconds


def function_to_hive(function: Mapping[str, Any]) -> Any:
    """A user-defined function of Glue as Hive's `Function`."""
    return ttypes.Function(
        functionName=function["FunctionName"],
        dbName=function.get("DatabaseName"),
        className=function.get("ClassName"),
        ownerName=function.get("OwnerName"),
        ownerType=ttypes.PrincipalType._NAMES_TO_VALUES.get(
            function.get("OwnerType") or "", ttypes.PrincipalType.USER
        ),
        createTime=seconds(function.get("CreateTime")),
        functionType=ttypes.FunctionType.JAVA,
        resourceUris=[
            ttypes.ResourceUri(
                ttypes.ResourceType._NAMES_TO_VALUES.get(resource["ResourceType"]), resource["Uri"]
            )
            for resource in function.get("ResourceUris") or ()
        ],
    )


def function_to_glue(function: Any) -> dict[str, Any]:
    """Hive's `Function` as Glue's `UserDefinedFunctionInput`."""
    made = {
        "FunctionName": function.functionName.lower(),
        "ClassName": function.className,
        "OwnerName": function.ownerName,
        "OwnerType": ttypes.PrincipalType._VALUES_TO_NAMES.get(function.ownerType),
        "ResourceUris": [
            {
                "ResourceType": ttypes.ResourceType._VALUES_TO_NAMES[resource.resourceType],
                "Uri": resource.uri,
            }
            for resource in function.resourceUris or ()
        ],
    }
    return {name: value for name, value in made.items() if value}
