"""dbt as an analyst runs it, on the test's sandbox, in a database of the test's own."""

import json
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datacore.settings import ROOT
from tests.forked import Run, dbt
from tests.jdbc import rows

if TYPE_CHECKING:
    from tests.conftest import Sandbox

LIMIT = 480
"""Seconds that a build may take."""


@dataclass(frozen=True)
class Build:
    """What a run of dbt said."""

    exit_code: int
    text: str
    messages: dict[str, str]
    """Node to its message: `UNCHANGED`, `2 days, 7 records`, or the error."""


@dataclass(frozen=True)
class DbtProject:
    """A project, the database that it builds in, and what that database holds."""

    sandbox: "Sandbox"
    project: Path
    prefix: str
    output: Path

    @property
    def database(self) -> str:
        """The Glue database of target `ci`."""
        return f"{self.prefix}_lake"

    def dbt(self, *arguments: str) -> Build:
        """Run dbt to its end."""
        run = self.start(*arguments)
        exit_code = run.wait(LIMIT)
        results = self.output / "run_results.json"
        found = json.loads(results.read_text())["results"] if results.is_file() else []
        messages = {result["unique_id"].split(".")[2]: str(result["message"]) for result in found}
        return Build(exit_code, run.text, messages)

    def start(self, *arguments: str) -> Run:
        """Start dbt in a process group of its own."""
        for name in ("run_results.json", "dbt.log"):
            (self.output / name).unlink(missing_ok=True)
        options = ("--project-dir", str(self.project), "--profiles-dir", str(ROOT))
        places = ("--target-path", str(self.output), "--log-path", str(self.output))
        return Run(
            dbt,
            ["--no-use-colors", *arguments, "--target", "ci", *options, *places],
            env={**os.environ, **self.sandbox.env, "DATACORE_CI_SCHEMA": self.prefix},
            directory=ROOT,
            output=self.output / "said",
        )

    def start_until(self, statement: str, *arguments: str) -> Run:
        """Start dbt, and return as soon as its log tells that it sends a statement.

        `{db}` stands for the database.
        """
        run = self.start(*arguments)
        deadline = time.monotonic() + LIMIT
        while not self._logged(statement):
            assert run.exit_code is None, run.text
            assert time.monotonic() < deadline, "the build did not come that far"
            time.sleep(0.02)  # between two looks at the log
        return run

    def kill_once(self, statement: str, *arguments: str) -> None:
        """Start dbt and end it with SIGKILL as soon as it sends a statement."""
        self.start_until(statement, *arguments).kill()

    def _logged(self, statement: str) -> bool:
        log = self.output / "dbt.log"
        return log.exists() and statement.replace("{db}", self.database) in log.read_text()

    def other(self, name: str) -> "DbtProject":
        """The same project for a run at the same time, with an output of its own."""
        return replace(self, output=self.output / name)

    def objects(self, prefix: str) -> list[str]:
        """Keys of what lies under a prefix of the database's directory."""
        pages = self.sandbox.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.sandbox.env["DATACORE_LAKE_BUCKET"], Prefix=f"{self.database}/{prefix}"
        )
        return [held["Key"] for page in pages for held in page.get("Contents", [])]

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """A statement's rows, if it has any; `{db}` stands for the database."""
        connection = self.sandbox.thrift()
        try:
            with connection.cursor() as cursor:
                return rows(cursor, statement.replace("{db}", self.database))
        finally:
            connection.close()

    @contextmanager
    def reading(self, statement: str) -> Iterator[set[tuple[Any, ...]]]:
        """Ask again and again while the block runs: the rows that were seen. That a query fails is an error."""
        seen: set[tuple[Any, ...]] = set()
        done = threading.Event()

        def read() -> None:
            while not done.is_set():
                seen.update(self.query(statement))

        with ThreadPoolExecutor(max_workers=1) as pool:
            reader = pool.submit(read)
            try:
                yield seen
            finally:
                done.set()
            reader.result()

    def locations(self, table: str) -> dict[str, str]:
        """Day to the directory that Glue points its partition at."""
        pages = self.sandbox.glue.get_paginator("get_partitions").paginate(
            DatabaseName=self.database, TableName=table
        )
        return {
            partition["Values"][0]: partition["StorageDescriptor"]["Location"]
            for page in pages
            for partition in page["Partitions"]
        }

    def tables(self) -> set[str]:
        """Names of the tables and views that are in Glue now."""
        pages = self.sandbox.glue.get_paginator("get_tables").paginate(DatabaseName=self.database)
        return {table["Name"] for page in pages for table in page["TableList"]}


class Probe:
    """The model `probe`, by day with the key `n`, and others beside it; their SQL holds their data."""

    def __init__(self, project: DbtProject) -> None:
        self.project = project

    def write(self, sql: str, **more: object) -> None:
        """Write the model `probe`, with `more` in its config."""
        by_day = "incremental_strategy='swap_partitions', partition_by='dt', unique_key=['dt', 'n']"
        rest = "".join(f", {name}={value!r}" for name, value in more.items())
        self.write_model("probe", f"materialized='incremental', {by_day}{rest}", sql)

    def write_model(self, name: str, config: str, sql: str) -> None:
        """Write any model."""
        root = f"s3://{self.project.sandbox.env['DATACORE_LAKE_BUCKET']}/{self.project.database}"
        model = self.project.project / "models" / f"{name}.sql"
        model.write_text("{{ config(" + config + f", location_root='{root}') }}}}\n{sql}")

    def write_snapshot(self, name: str, sql: str) -> None:
        """Write a snapshot of rows with the key `id`, by all their columns."""
        root = f"s3://{self.project.sandbox.env['DATACORE_LAKE_BUCKET']}/{self.project.database}"
        config = (
            "{{ config(unique_key='id', strategy='check', check_cols='all', hard_deletes='invalidate', "
            f"location_root='{root}') }}}}"
        )
        folder = self.project.project / "snapshots"
        folder.mkdir(exist_ok=True)
        text = f"{{% snapshot {name} %}}\n{config}\n{sql}\n{{% endsnapshot %}}\n"
        (folder / f"{name}.sql").write_text(text)

    def rows(self) -> list[tuple[Any, ...]]:
        """What readers see."""
        return self.project.query("select * from {db}.probe order by dt, n")


def probe_of(sandbox: "Sandbox", root: Path, prefix: str) -> Probe:
    """A project of one model in a folder, which builds in a database of its own."""
    macros = [str(ROOT / "macros" / folder) for folder in ("spark", "shared")]
    (root / "dbt_project.yml").write_text(
        json.dumps(
            {
                "name": "probe",
                "profile": "lake",
                "macro-paths": macros,
                "vars": {"publication_patience": 5},  # what was killed is waited for in many cases
            }
        )
    )
    (root / "models").mkdir()
    return Probe(DbtProject(sandbox, root, prefix, root / "target"))
