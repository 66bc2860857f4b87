"""The part `redshift`: the stand-in for Redshift, with a PostgreSQL of its own below it."""

import sys

from sandbox.part import Part, Site
from sandbox.ports import HOST
from sandbox.state import State


def redshift_part(site: Site) -> Part:
    """`python -m sandbox.redshift`; COPY and external tables read the site's S3 and Glue."""
    port = site.ports["redshift"]
    return Part(
        name="redshift",
        title="Redshift stand-in (PostgreSQL)",
        port=port,
        command=(
            *(sys.executable, "-m", "sandbox.redshift"),
            *("--state", str(site.state.home("redshift")), "--port", str(port)),
        ),
        ask=lambda: _select_one(site),
        needs=("aws",),
    )


def remove_outside(state: State) -> None:
    """Remove what it keeps outside `state` where paths are too long, if it was killed."""
    from sandbox.redshift.postgres import remove_leftovers

    remove_leftovers(state.home("redshift"))


def _select_one(site: Site) -> object:
    import redshift_connector

    connection = redshift_connector.connect(
        host=HOST,
        port=site.ports["redshift"],
        database=site.variables["DATACORE_REDSHIFT_DATABASE"],
        user=site.variables["DATACORE_REDSHIFT_USER"],
        password=site.variables["DATACORE_REDSHIFT_PASSWORD"],
        ssl=False,
        timeout=5,
    )
    try:
        cursor = connection.cursor()
        cursor.execute("select 1")
        return cursor.fetchall()
    finally:
        connection.close()
