"""Counts for the equations, asked of Spark, Redshift, dbt's manifests and the producer's truth.

Comes in: settings and, optionally, a truth file. Goes out: a `Reconciliation`. Only reads.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datacore.errors import UsageError
from datacore.reconcile.engines import Ask, redshift, spark
from datacore.reconcile.equations import Reconciliation, RollUpCounts, Sums, TopicCounts, TypeCounts
from datacore.settings import ROOT, Settings

LAKE_MANIFEST = ROOT / "target" / "manifest.json"
WAREHOUSE_MANIFEST = ROOT / "dbt_project" / "warehouse" / "target" / "manifest.json"

TOPICS = """
with chain as (
    select kind, topic, `partition`, first, next, records, objects, quarantine, producers
    from platform.cut
),
landed as (
    select topic, sum(if(kind = 'cut', o.records, -o.records)) as records
    from chain lateral view explode(objects) as o
    where kind in ('cut', 'lost_objects')
    group by topic
),
aside as (
    select topic, sum(if(kind = 'cut', q.records, -q.records)) as records
    from chain lateral view explode(quarantine) as q
    where kind in ('cut', 'lost_objects')
    group by topic
),
replayed as (
    select topic, sum(o.records) as records
    from platform.replay lateral view explode(objects) as o
    group by topic
),
taken as (
    select
        topic,
        sum(if(s.data_type is null, s.records, 0)) as aside,
        sum(if(s.data_type is null, 0, s.records)) as unclaimed
    from platform.replay lateral view explode(sources) as s
    group by topic
),
sequenced as (
    select topic, sum(sent) as sent, sum(received) as received
    from (
        select
            topic, p.host, p.file, sum(p.records) as received,
            max(element_at(p.ranges, -1)[1]) - min(p.ranges[0][0]) + 1 as sent
        from chain lateral view explode(producers) as p
        where kind = 'cut'
        group by topic, p.host, p.file
    )
    group by topic
),
read as (
    select
        topic,
        sum(if(kind = 'cut', records, 0)) as records,
        sum(if(kind = 'lost', next - first, 0)) as lost
    from chain group by topic
)
select
    read.topic,
    read.records - coalesce(sequenced.received, 0) + coalesce(sequenced.sent, 0) as produced,
    coalesce(landed.records, 0) + coalesce(replayed.records, 0)
    - coalesce(taken.unclaimed, 0) as landed,
    coalesce(aside.records, 0) - coalesce(taken.aside, 0) as quarantined,
    read.lost
from read
left join replayed on replayed.topic = read.topic
left join taken on taken.topic = read.topic
left join landed on landed.topic = read.topic
left join aside on aside.topic = read.topic
left join sequenced on sequenced.topic = read.topic
order by read.topic
"""

LANDED = """
select data_type, sum(records)
from (
    select o.data_type, if(kind = 'cut', o.records, -o.records) as records
    from platform.cut lateral view explode(objects) as o
    where kind in ('cut', 'lost_objects')
    union all
    select o.data_type, o.records
    from platform.replay lateral view explode(objects) as o
    union all
    select s.data_type, -s.records as records
    from platform.replay lateral view explode(sources) as s
    where s.data_type is not null
)
group by data_type
"""

QUARANTINED = """
select data_type, sum(records)
from (
    select r.data_type, r.records
    from platform.cut lateral view explode(reasons) as r
    where kind = 'cut'
    union all
    select r.data_type, -r.records as records
    from platform.replay lateral view explode(reasons) as r
)
where data_type is not null
group by data_type
"""

STAGED = """
select data_type, sum(landed), sum(staged), sum(rejected), sum(duplicates)
from {ledger} group by data_type
"""


@dataclass(frozen=True)
class RollUp:
    """A roll-up of the lake, with where it is loaded and which measures count which type."""

    name: str
    table: str
    load: str | None
    counts: dict[str, str]
    """Measure to the data type whose staged records it counts (`meta.ledger` of the column)."""


def read_manifest(path: Path) -> dict[str, Any]:
    """dbt's manifest. Raises UsageError where the project was never parsed."""
    try:
        manifest: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise UsageError(
            f"{path}: no such file, and the roll-ups are named there",
            "run `dbt build` for both projects first",
        ) from error
    return manifest


def read_truth(path: Path | None) -> dict[str, Any]:
    """A producer's truth file; empty for None. Raises UsageError."""
    if path is None:
        return {}
    try:
        truth: dict[str, Any] = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{path}:{error.lineno}: not JSON: {error.msg}", "give a truth.json"
        ) from error
    return truth


def models(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The manifest's models by name."""
    nodes = manifest["nodes"].values()
    return {node["name"]: node for node in nodes if node["resource_type"] == "model"}


def rollups(lake: dict[str, Any], warehouse: dict[str, Any]) -> list[RollUp]:
    """Every model `rollup_…`, by name."""
    loads = models(warehouse)
    found = []
    for name, node in sorted(models(lake).items()):
        if not name.startswith("rollup_"):
            continue
        load = loads.get(f"load_{name}")
        counts = {
            column["name"]: column["config"]["meta"]["ledger"]
            for column in node["columns"].values()
            if "ledger" in column["config"]["meta"]
        }
        table = f"{node['schema']}.{node['alias']}"
        found.append(
            RollUp(name, table, f"{load['schema']}.{load['alias']}" if load else None, counts)
        )
    return found


def sums_by_day(ask: Ask, table: str, measures: Iterable[str]) -> dict[str, Sums]:
    """Day to `rows` and the sum of each measure."""
    names = list(measures)
    columns = "".join(f", sum({name})" for name in names)
    query = f"select dt, count(*){columns} from {table} group by dt"  # noqa: S608 (names from dbt)
    return {
        str(day): dict(zip(["rows", *names], (int(value or 0) for value in values), strict=True))
        for day, *values in ask(query)
    }


def measures_of(ask: Ask, table: str) -> list[str]:
    """The table's bigint columns."""
    return [row[0] for row in ask(f"describe {table}") if row[1] == "bigint"]


def reconcile(settings: Settings, truth_file: Path | None) -> Reconciliation:
    """Ask everybody. Raises ServiceUnreachable and UsageError."""
    truth = read_truth(truth_file)
    lake_manifest = read_manifest(LAKE_MANIFEST)
    ask_lake, ask_warehouse = spark(settings.thrift), redshift(settings)
    compared, rolled, loaded = (
        [],
        defaultdict[str, dict[str, int]](dict),
        defaultdict[str, dict[str, int]](dict),
    )
    for rollup in rollups(lake_manifest, read_manifest(WAREHOUSE_MANIFEST)):
        measures = measures_of(ask_lake, rollup.table)
        lake = sums_by_day(ask_lake, rollup.table, measures)
        warehouse = sums_by_day(ask_warehouse, rollup.load, measures) if rollup.load else None
        one = RollUpCounts(rollup.name, lake, warehouse, truth.get("rollups", {}).get(rollup.name))
        compared.append(one)
        for measure, data_type in rollup.counts.items():
            place = f"{rollup.name}.{measure}"
            rolled[data_type][place] = one.total(measure)
            if warehouse is not None:
                loaded[data_type][place] = sum(sums[measure] for sums in warehouse.values())
    ledger = models(lake_manifest)["ledger_daily"]
    staged = {
        data_type: tuple(map(int, counts))
        for data_type, *counts in ask_lake(
            STAGED.format(ledger=f"{ledger['schema']}.{ledger['alias']}")
        )
    }
    return Reconciliation(
        topics=tuple(_topics(ask_lake, truth.get("topics", {}))),
        types=tuple(_types(ask_lake, staged, rolled, loaded, truth.get("data_types", {}))),
        rollups=tuple(compared),
    )


def _topics(ask: Ask, truth: dict[str, Any]) -> Iterable[TopicCounts]:
    for topic, produced, landed, quarantined, lost in ask(TOPICS):
        expected = truth.get(topic, {})
        yield TopicCounts(
            topic,
            int(produced),
            int(landed),
            int(quarantined),
            int(lost),
            {name: expected[name] for name in ("produced", "landed", "quarantined") if expected},
        )


def _types(
    ask: Ask,
    staged: dict[str, tuple[int, ...]],
    rolled: dict[str, dict[str, int]],
    loaded: dict[str, dict[str, int]],
    truth: dict[str, Any],
) -> Iterable[TypeCounts]:
    landed: dict[str, int] = {name: int(count) for name, count in ask(LANDED)}
    quarantined: dict[str, int] = {name: int(count) for name, count in ask(QUARANTINED)}
    for name in sorted({*landed, *quarantined, *staged, *truth}):
        in_raw, good, rejected, duplicates = staged.get(name) or (None,) * 4
        expected = truth.get(name, {})
        yield TypeCounts(
            name,
            landed=landed.get(name, 0),
            quarantined=quarantined.get(name, 0),
            produced=expected.get("produced"),
            staged=good,
            rejected=rejected,
            duplicates=duplicates,
            in_raw=in_raw,
            rolled_up=rolled.get(name, {}),
            loaded=loaded.get(name, {}),
            truth={
                part: expected[part]
                for part in ("landed", "quarantined", "staged", "rejected", "duplicates")
                if part in expected
            },
        )
