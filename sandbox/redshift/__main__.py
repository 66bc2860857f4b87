"""`python -m sandbox.redshift --state DIR --port N`: the stand-in in the foreground.

Comes in: the command line, DATACORE_REDSHIFT_{DATABASE,USER,PASSWORD}, AWS_*. Goes out: `ready` on
stdout once clients can connect, then nothing; errors as one line, by datacore's exit codes.
"""

import asyncio
import logging
import os
import sys
from pathlib import Path

import click

from datacore.cli import report
from datacore.errors import DatacoreError, UsageError
from sandbox.redshift.server import Options, serve


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--state", type=click.Path(path_type=Path), required=True, help="Directory to use.")
@click.option("--port", type=click.IntRange(1, 65535), default=5439, show_default=True)
@click.option("--tls-cert", type=click.Path(path_type=Path), help="PEM; made at start if absent.")
@click.option("--tls-key", type=click.Path(path_type=Path), help="PEM; made at start if absent.")
def main(state: Path, port: int, tls_cert: Path | None, tls_key: Path | None) -> None:
    """Serve a local stand-in for Amazon Redshift on 127.0.0.1, with TLS and without."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        if (tls_cert is None) != (tls_key is None):
            raise UsageError("--tls-cert and --tls-key belong together", "give both or neither")
        environ = os.environ
        options = Options(
            state.resolve(),
            port,
            tls_cert,
            tls_key,
            environ.get("DATACORE_REDSHIFT_DATABASE") or "warehouse",
            environ.get("DATACORE_REDSHIFT_USER") or "datacore",
            environ.get("DATACORE_REDSHIFT_PASSWORD") or "sandbox",
        )
        asyncio.run(serve(options, lambda: click.echo(f"ready on 127.0.0.1:{port}")))
    except DatacoreError as error:
        report(error)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
