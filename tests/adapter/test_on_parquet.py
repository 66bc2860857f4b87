"""Suites of dbt-tests-adapter that dbt-spark's own leaves out, or runs on Delta alone, on Parquet tables.

Not among them are those that cannot run on any Spark: whose seeds, types or expected texts are
PostgreSQL's (aliases, caching, nested ephemeral models, most of simple_seed and simple_copy).
"""

from dbt.tests.adapter.aliases.test_aliases import BaseAliasErrors
from dbt.tests.adapter.basic.test_incremental import (
    BaseIncrementalBadStrategy,
    BaseIncrementalNotSchemaChange,
)
from dbt.tests.adapter.basic.test_singular_tests_ephemeral import BaseSingularTestsEphemeral
from dbt.tests.adapter.basic.test_snapshot_check_cols import BaseSnapshotCheckCols
from dbt.tests.adapter.basic.test_snapshot_timestamp import BaseSnapshotTimestamp
from dbt.tests.adapter.basic.test_table_materialization import BaseTableMaterialization
from dbt.tests.adapter.basic.test_validate_connection import BaseValidateConnection
from dbt.tests.adapter.concurrency.test_concurrency import BaseConcurrency
from dbt.tests.adapter.dbt_debug.test_dbt_debug import BaseDebugProfileVariable
from dbt.tests.adapter.ephemeral.test_ephemeral import BaseEphemeralErrorHandling
from dbt.tests.adapter.hooks.test_model_hooks import BaseDuplicateHooksInConfigs
from dbt.tests.adapter.query_comment.test_query_comment import (
    BaseEmptyQueryComments,
    BaseMacroArgsQueryComments,
    BaseMacroInvalidQueryComments,
    BaseMacroQueryComments,
    BaseNullQueryComments,
    BaseQueryComments,
)
from dbt.tests.adapter.relations.test_changing_relation_type import BaseChangeRelationTypeValidator
from dbt.tests.adapter.relations.test_dropping_schema_named import BaseDropSchemaNamed
from dbt.tests.adapter.simple_seed.test_seed import BaseSimpleSeedEnabledViaConfig
from dbt.tests.adapter.simple_snapshot.test_snapshot import BaseSimpleSnapshot, BaseSnapshotCheck
from dbt.tests.adapter.store_test_failures_tests.test_store_test_failures import (
    BaseStoreTestFailuresLimit,
)
from dbt.tests.adapter.utils.test_validate_sql import BaseValidateSqlMethod

SUITES = [
    BaseAliasErrors,
    BaseChangeRelationTypeValidator,
    BaseConcurrency,
    BaseDebugProfileVariable,
    BaseDropSchemaNamed,
    BaseDuplicateHooksInConfigs,
    BaseEmptyQueryComments,
    BaseEphemeralErrorHandling,
    BaseIncrementalBadStrategy,
    BaseIncrementalNotSchemaChange,
    BaseMacroArgsQueryComments,
    BaseMacroInvalidQueryComments,
    BaseMacroQueryComments,
    BaseNullQueryComments,
    BaseQueryComments,
    BaseSimpleSeedEnabledViaConfig,
    BaseSimpleSnapshot,
    BaseSingularTestsEphemeral,
    BaseSnapshotCheck,
    BaseSnapshotCheckCols,
    BaseSnapshotTimestamp,
    BaseStoreTestFailuresLimit,
    BaseTableMaterialization,
    BaseValidateConnection,
    BaseValidateSqlMethod,
]

for suite in SUITES:
    name = "Test" + suite.__name__.removeprefix("Base").removesuffix("Base")
    globals()[name] = type(name, (suite,), {"__module__": __name__})
del suite, name
