"""The truth counted again, from the files and the contracts alone, by the plainest code."""

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from datacore.contracts import Contract

FITS = {"string": str, "bigint": int, "boolean": bool, "array<string>": list}


def files_of(directory: Path, topic: str) -> dict[str, list[bytes]]:
    """Lines by file, of all hosts."""
    found = {}
    for path in sorted(directory.glob(f"*/{topic}.log*")):
        data = path.read_bytes()
        text = gzip.decompress(data) if path.suffix == ".gz" else data
        assert text.endswith(b"\n")
        found[path.relative_to(directory).as_posix()] = text[:-1].split(b"\n")
    return found


def quarantine_reason(line: bytes, contracts: tuple[Contract, ...]) -> tuple[str, dict[str, Any]]:
    """The reason ("" for none) and the record, {} where there is none."""
    try:
        record = json.loads(line.decode(), parse_constant=int)
    except UnicodeDecodeError:
        return "not_utf8", {}
    except ValueError:
        return "not_json", {}
    if not isinstance(record, dict):
        return "not_object", {}
    if claim(record, contracts) is None:
        return "", record
    if record.get("occurred_at") is None:
        return "no_time", record
    try:
        moment = datetime.strptime(record["occurred_at"], "%Y-%m-%dT%H:%M:%S.%fZ")
    except (TypeError, ValueError):
        return "bad_time", record
    future = moment.replace(tzinfo=UTC) > datetime.now(UTC) + timedelta(hours=1)
    return ("future_time" if future else ""), record


def claim(record: dict[str, Any], contracts: tuple[Contract, ...]) -> Contract | None:
    for contract in contracts:
        if contract.match is None or record.get(contract.match.field) == contract.match.value:
            return contract
    return None


def fits(record: dict[str, Any], contract: Contract) -> bool:
    for column in contract.columns:
        value = record.get(column.name)
        if value is None and column.required:
            return False
        if value is not None and not isinstance(value, FITS[column.type]):
            return False
    return True


def recount(directory: Path, contracts: tuple[Contract, ...]) -> dict[str, Any]:
    """The parts of the truth that can be counted from outside."""
    topics: dict[str, Any] = {}
    types: dict[str, Counter[str]] = defaultdict(Counter)
    staged: dict[str, list[dict[str, Any]]] = defaultdict(list)
    seen: set[tuple[str, str, str]] = set()
    for topic in sorted({contract.topic for contract in contracts}):
        mine = tuple(contract for contract in contracts if contract.topic == topic)
        files = files_of(directory, topic)
        reasons: Counter[str] = Counter()
        unclaimed = 0
        for line in (line for lines in files.values() for line in lines):
            reason, record = quarantine_reason(line, mine)
            contract = claim(record, mine) if record else None
            name = contract.name if contract else ""
            if reason:
                reasons[reason] += 1
                types[name]["quarantined"] += bool(name)
            elif contract is None:
                unclaimed += 1
            elif not fits(record, contract):
                types[name]["rejected"] += 1
            elif (key := (name, record["occurred_at"][:10], record["event_id"])) in seen:
                types[name]["duplicates"] += 1
            else:
                seen.add(key)
                types[name]["staged"] += 1
                staged[name].append(record)
        topics[topic] = {
            "files": {name: len(lines) for name, lines in files.items()},
            "quarantined_by_reason": dict(sorted(reasons.items())),
            "unclaimed": unclaimed,
        }
    return {"topics": topics, "types": types, "rollups": dict(rollups(staged))}


def rollups(staged: dict[str, list[dict[str, Any]]]) -> Iterator[tuple[str, Any]]:
    """Each roll-up's totals by day, the slow way: the rows first, then their sums."""

    def rows(name: str, *keys: str) -> dict[tuple[str, ...], list[dict[str, Any]]]:
        groups = defaultdict(list)
        for record in staged[name]:
            groups[record["occurred_at"][:10], *(record[key] for key in keys)].append(record)
        return groups

    def users(records: list[dict[str, Any]]) -> set[str]:
        return {record["user_id"] for record in records}

    def by_day(table: dict[tuple[str, ...], dict[str, int]]) -> dict[str, dict[str, int]]:
        days: dict[str, Counter[str]] = defaultdict(Counter)
        for key, row in table.items():
            days[key[0]].update({"rows": 1, **row})
        return {day: dict(total) for day, total in days.items()}

    yield "rollup_job_view_daily", by_day({
        key: {
            "views": len(records),
            "viewers": len(users(records)),
            "view_ms": sum(record["duration_ms"] for record in records),
        }
        for key, records in rows("job_view", "job_id").items()
    })  # fmt: skip
    yield (
        "rollup_job_posting_daily",
        by_day(
            {key: {"postings": len(some)} for key, some in rows("job_posting", "job_id").items()}
        ),
    )
    parts = {
        ("searches", "searchers"): rows("search", "category"),
        ("views", "viewers"): rows("job_view", "category"),
        ("applications", "applicants"): rows("job_application", "category"),
    }
    funnel: dict[tuple[str, ...], dict[str, int]] = {}
    for key in {key for groups in parts.values() for key in groups}:
        funnel[key] = {}
        for (events, people), groups in parts.items():
            some = groups.get(key, [])
            funnel[key] |= {events: len(some), people: len(users(some))}
    yield "rollup_funnel_daily", by_day(funnel)
    viewed = {day: users(some) for (day,), some in rows("job_view").items()}
    applied = {day: users(some) for (day,), some in rows("job_application").items()}
    yield "rollup_experiment_daily", by_day({
        key: {
            "exposures": len(some),
            "exposed_users": len(users(some)),
            "viewers": len(users(some) & viewed.get(key[0], set())),
            "applicants": len(users(some) & applied.get(key[0], set())),
        }
        for key, some in rows("experiment_exposure", "experiment_id", "variant").items()
    })  # fmt: skip
