"""A game's A/B test: a table with no time of its own, from CSV to retention rates in Redshift."""

import json
from pathlib import Path

import pytest
from platform_client import PlatformClient, write_lines
from straight import a_boolean, a_long, a_string, groups, object_of, rows, sha256s, split

PLAYERS = "ab_test/cookie_cats.csv.gz"

FITS = object_of(
    required=["userid", "version", "sum_game_rounds", "retention_1", "retention_7"],
    userid=a_long,
    version=a_string,
    sum_game_rounds=a_long,
    retention_1=a_boolean,
    retention_7=a_boolean,
)


def as_event(row: dict[str, str]) -> bytes:
    """A row as its producer would have logged it."""
    event = {
        "userid": int(row["userid"]),
        "version": row["version"],
        "sum_game_rounds": int(row["sum_game_rounds"]),
        "retention_1": row["retention_1"] == "True",
        "retention_7": row["retention_7"] == "True",
    }
    return json.dumps(event).encode()


@pytest.fixture(scope="module")
def sent(
    platform: PlatformClient, data: Path, contracts: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[bytes]:
    """The rows as events, landed."""
    events = [as_event(row) for row in rows(data / PLAYERS)]
    log = write_lines(tmp_path_factory.mktemp("cookie_cats") / "players.log", events)
    platform.send("cookie_cats", log)
    platform.land(contracts, "cookie_cats")
    return events


@pytest.fixture(scope="module")
def lake(platform: PlatformClient, sent: list[bytes]) -> None:
    """Staging and roll-up, built."""
    platform.dbt("lake", "build", "--select", "+rollup_ab_test_daily", "*ab_test_player_rejects")


@pytest.fixture(scope="module")
def warehouse(platform: PlatformClient, lake: None) -> None:
    """Load and mart, built."""
    platform.dbt("warehouse", "build", "--select", "+mart_ab_test")


@pytest.fixture(scope="module")
def expected(data: Path) -> dict[str, tuple[int, int, int, int]]:
    """By variant, from the CSV: players, rounds, and how many came back after 1 and 7 days."""
    return {
        variant: (
            len(players),
            sum(int(player["sum_game_rounds"]) for player in players),
            sum(player["retention_1"] == "True" for player in players),
            sum(player["retention_7"] == "True" for player in players),
        )
        for (variant,), players in groups(
            rows(data / PLAYERS), lambda player: (player["version"],)
        ).items()
    }


def test_every_row_is_on_s3_byte_for_byte_and_none_is_set_aside(
    platform: PlatformClient, sent: list[bytes]
) -> None:
    assert sha256s(platform.landed_lines("ab_test_player")) == sha256s(sent)
    assert platform.quarantined("cookie_cats") == []


@pytest.mark.usefixtures("lake")
def test_landed_is_staged_and_rejected_and_repeated(
    platform: PlatformClient, sent: list[bytes]
) -> None:
    kept, rejected, repeated = split(sent, FITS, lambda event: (event["userid"],))
    in_spark = platform.spark("""
        select
            (select count(*) from raw.ab_test_player),
            (select count(*) from real_lake.stg_games__ab_test_player),
            (select count(*) from real_lake.stg_games__ab_test_player_rejects)
    """)
    assert in_spark == [(len(kept) + rejected + repeated, len(kept), rejected)]
    assert len(sent) == len(kept) + rejected + repeated == 90_189


@pytest.mark.usefixtures("lake")
def test_the_rollup_equals_the_file(
    platform: PlatformClient, expected: dict[str, tuple[int, int, int, int]]
) -> None:
    in_spark = platform.spark("""
        select variant, sum(players), sum(rounds), sum(retained_1), sum(retained_7)
        from real_lake.rollup_ab_test_daily
        group by variant
    """)
    assert {variant: tuple(sums) for variant, *sums in in_spark} == expected


@pytest.mark.usefixtures("warehouse")
def test_the_mart_has_the_files_retention_rates(
    platform: PlatformClient, expected: dict[str, tuple[int, int, int, int]]
) -> None:
    rows_ = platform.redshift("""
        select variant, players, rounds, retention_1, retention_7
        from real_marts.mart_ab_test
    """)
    in_mart = {variant: (players, rounds) for variant, players, rounds, _, _ in rows_}
    rates = {variant: (day_1, day_7) for variant, _, _, day_1, day_7 in rows_}
    assert in_mart == {variant: sums[:2] for variant, sums in expected.items()}
    assert rates == {
        variant: pytest.approx((day_1 / players, day_7 / players), rel=1e-12)
        for variant, (players, _, day_1, day_7) in expected.items()
    }
