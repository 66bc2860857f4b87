"""The files look as hosts leave them, and the same options give the same bytes."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

from sandbox.simulate.files import RotatedLog
from tests.unit.simulate.recount import files_of
from tests.unit.simulate.simulated import OPTIONS, write


def contents(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_same_options_same_bytes(tmp_path: Path) -> None:
    small = replace(OPTIONS, events=3000)
    for name in ("one", "two"):
        write(tmp_path / name, small)
    write(tmp_path / "other", replace(small, seed=8))

    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert contents(tmp_path / "one") != contents(tmp_path / "other")


def test_every_host_has_rotated_files(logs: Path) -> None:
    assert sorted(path.name for path in (logs / "web-02").iterdir()) == [
        "experiments.log",
        "experiments.log.1",
        "experiments.log.2.gz",
        "marketplace.log",
        "marketplace.log.1",
        "marketplace.log.2.gz",
    ]


def test_rotation_keeps_the_order_of_writing(tmp_path: Path) -> None:
    log = RotatedLog(tmp_path / "host" / "a.log")
    for day in range(4):
        log.write(f"day {day}".encode())
        log.rotate()
    log.rotate()
    log.write(b"today")
    log.close()

    assert log.path.read_bytes() == b"today\n"
    assert (tmp_path / "host" / "a.log.1").read_bytes() == b"day 3\n"
    assert gzip.decompress((tmp_path / "host" / "a.log.4.gz").read_bytes()) == b"day 0\n"
    assert set(log.lines()) == set((tmp_path / "host").iterdir())


def test_a_host_writes_a_days_lines_on_that_day_but_for_the_late(logs: Path) -> None:
    newest = (logs / "web-01" / "marketplace.log").read_bytes().split(b"\n")
    on_the_day = sum(b'"occurred_at":"2026-01-03' in line for line in newest)

    assert on_the_day > 0.9 * len(newest)
    assert any(b'"occurred_at":"2026-01-01' in line for line in newest)


def test_repeats_come_in_the_same_and_in_other_hosts_files(logs: Path) -> None:
    hosts: dict[bytes, list[str]] = {}
    for name, lines in files_of(logs, "marketplace").items():
        for line in lines:
            if line.startswith(b'{"event_id":"'):
                hosts.setdefault(line, []).append(name.split("/")[0])
    repeated = [names for names in hosts.values() if len(names) > 1]

    assert any(len(set(names)) == 1 for names in repeated)
    assert any(len(set(names)) > 1 for names in repeated)


def test_text_in_many_scripts_survives_as_utf8_and_as_escapes(logs: Path) -> None:
    text = b"\n".join(
        line for lines in files_of(logs, "marketplace").values() for line in lines
    ).decode(errors="replace")

    for what in (
        "👩\u200d💻",
        "مهندس",
        "מורה",
        "nu\u0308rse",
        "\ufeffteacher",
        "\\ud83d\\udc69\\u200d",
    ):
        assert what in text


def test_jobs_are_skewed_and_treatment_lifts_applications(logs: Path) -> None:
    views: dict[str, int] = {}
    applied: dict[str, set[str]] = {"control": set(), "treatment": set()}
    variant: dict[str, str] = {}
    for topic in ("experiments", "marketplace"):
        for line in (line for lines in files_of(logs, topic).values() for line in lines):
            try:
                record = json.loads(line)
                kind = record.get("type", "exposure")
                if kind == "exposure" and record["experiment_id"] == "one_click_apply":
                    variant[record["user_id"]] = record["variant"]
                elif kind == "job_view":
                    views[record["job_id"]] = views.get(record["job_id"], 0) + 1
                elif kind == "job_application" and record["user_id"] in variant:
                    applied[variant[record["user_id"]]].add(record["event_id"])
            except (ValueError, AttributeError, KeyError):
                continue
    counts = sorted(views.values(), reverse=True)

    assert sum(counts[: len(counts) // 10]) > 0.3 * sum(counts)
    exposed = [list(variant.values()).count(name) for name in ("control", "treatment")]
    assert len(applied["treatment"]) / exposed[1] > 1.15 * len(applied["control"]) / exposed[0]
