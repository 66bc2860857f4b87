"""Imported where dbt is forked from: the JSON schemas by which dbt checks its files, made once.

Each run makes those that it needs, at 0.4 s of CPU, and keeps them; a fork begins with its parent's.
"""

from dbt.adapters.redshift.connections import RedshiftCredentials
from dbt.adapters.spark.connections import SparkCredentials
from dbt.artifacts.resources.v1.config import NodeConfig, TestConfig
from dbt.artifacts.resources.v1.model import ModelConfig
from dbt.contracts import project
from dbt.contracts.graph import nodes, unparsed
from dbt.contracts.selection import SelectorFile

for _checked in (
    *(project.ProjectFlags, project.Project, project.PackageConfig, project.Configuration),
    *(SparkCredentials, RedshiftCredentials, SelectorFile, ModelConfig, NodeConfig, TestConfig),
    *(nodes.ModelNode, nodes.SingularTestNode, nodes.GenericTestNode, nodes.HookNode),
    *(unparsed.UnparsedModelUpdate, unparsed.UnparsedSourceDefinition, unparsed.UnparsedUnitTest),
):
    _checked.json_schema()
