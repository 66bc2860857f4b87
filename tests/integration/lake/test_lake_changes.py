"""Which days the hour log calls for, and which of them are provisional, as entries come one by one."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from lake_dbt import Probe

pytestmark = pytest.mark.sandbox

FIRST, SECOND = "2025-03-01", "2025-03-02"
MODEL = f"""
select n, cast(dt as date) as dt from values (1, '{FIRST}'), (2, '{SECOND}') as days (n, dt)
-- depends_on: {{{{ source('raw', 'thing') }}}}
"""


@dataclass
class HourLog:
    """The log of a topic that exists in it alone."""

    probe: Probe
    topic: str
    entries: int = 0

    def tell(self, *hours: tuple[str, str, str, bool]) -> None:
        """An entry about hours: data type, day, hour, whether sealed."""
        told = [
            {"data_type": data_type, "dt": dt, "hour": hour, "records": 1, "sealed": sealed}
            for data_type, dt, hour, sealed in hours
        ]
        entry = {"sequence": self.entries, "hours": told}
        project = self.probe.project
        project.sandbox.s3.put_object(
            Bucket=project.sandbox.env["DATACORE_LAKE_BUCKET"],
            Key=f"{project.database}/hours/{self.entries:020}.json",
            Body=json.dumps(entry).encode() + b"\n",
        )
        self.entries += 1


@pytest.fixture(scope="module")
def log(probe: Probe) -> Iterator[HourLog]:
    project = probe.project
    topic = f"things-{project.prefix}"
    project.sandbox.run("register")
    root = f"s3://{project.sandbox.env['DATACORE_LAKE_BUCKET']}/{project.database}/hours"
    partition = f"partition (topic = '{topic}', block = 0)"
    project.query(f"alter table platform.hour add {partition} location '{root}'")
    table = {"name": "thing", "config": {"meta": {"topic": topic}}}
    sources = {"version": 2, "sources": [{"name": "raw", "schema": "raw", "tables": [table]}]}
    (project.project / "models" / "sources.yml").write_text(json.dumps(sources))
    probe.write(MODEL)
    yield HourLog(probe, topic)
    project.query(f"alter table platform.hour drop {partition}")


def remembered(probe: Probe, name: str) -> str:
    """A property of the table."""
    found = dict(probe.project.query("show tblproperties {db}.probe"))
    return str(found[f"datacore.{name}"])


def test_a_day_is_provisional_until_each_of_its_hours_is_sealed(log: HourLog, probe: Probe) -> None:
    thing, other = "thing", "other"
    for hours, built, provisional in (
        ([(thing, FIRST, "05", False), (thing, SECOND, "06", True)], "2 days, 2 records", FIRST),
        ([(thing, FIRST, "07", True), (other, SECOND, "01", False)], "1 days, 1 records", FIRST),
        ([(thing, SECOND, "09", False)], "1 days, 1 records", f"{FIRST} {SECOND}"),
        ([(thing, FIRST, "05", True)], "1 days, 1 records", SECOND),
        ([(thing, SECOND, "09", True)], "1 days, 1 records", ""),
        ([(thing, FIRST, "05", True)], "1 days, 1 records", ""),  # late data of a sealed hour
        ([(other, FIRST, "02", True)], "UNCHANGED", ""),
        ([], "UNCHANGED", ""),
    ):
        log.tell(*hours)
        done = probe.project.dbt("run")
        assert (done.messages, done.exit_code) == ({"probe": built}, 0), done.text
        assert remembered(probe, "provisional") == provisional, hours
        assert remembered(probe, f"seen.{log.topic}") == str(log.entries - 1)
    assert remembered(probe, f"open.{log.topic}") == ""


def test_models_that_have_seen_as_much_ask_the_hour_log_once(log: HourLog, probe: Probe) -> None:
    config = "materialized='incremental', incremental_strategy='swap_partitions', partition_by='dt'"
    for name in ("beside", "below"):
        probe.write_model(
            name, config, MODEL if name == "beside" else "select * from {{ ref('probe') }}"
        )
    log.tell(("thing", FIRST, "05", True))
    done = probe.project.dbt("run", "--threads", "1", "--full-refresh")
    assert done.exit_code == 0, done.text
    asked = (probe.project.output / "dbt.log").read_text().count("from platform.hour\n")
    assert asked == 2, "once by those that read the source, once up to where the other had come"
    log.tell(("thing", FIRST, "05", True))
    done = probe.project.dbt("run", "--threads", "1")
    assert done.messages == dict.fromkeys(("probe", "beside", "below"), "1 days, 1 records")
