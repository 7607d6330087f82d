"""``halmirror serve``."""

from __future__ import annotations

import dataclasses

import click
import msgspec

from halmirror.cli.context import Invocation, pass_invocation


@click.command()
@click.option("--host", metavar="ADDRESS", help="Where to listen; else [serve] host, 127.0.0.1.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), help="Else [serve] port, 8077; 0 takes a free one."
)
@click.option("--workers", type=click.IntRange(1, 64), help="Processes; else [serve] workers, 1.")
@pass_invocation
def serve(invocation: Invocation, host: str | None, port: int | None, workers: int | None) -> None:
    """Serve the mirror as web pages, and each record in the forms that programs read.

    It reads only, and follows the mirror as harvests change it. When it answers, standard
    output has one line: "serving http://127.0.0.1:PORT/". Ctrl-C or SIGTERM end it; requests
    under way are answered first.

    \b
    Examples:
      halmirror serve
      halmirror serve --port 0
      halmirror --config /etc/halmirror/config.toml serve --workers 4
    """
    from halmirror.web.serving import serve as run

    settings = invocation.settings
    told = {"host": host, "port": port, "workers": workers}
    chosen = {name: value for name, value in told.items() if value is not None}
    serving = msgspec.structs.replace(settings.serve, **chosen)
    if invocation.quiet:
        serving = msgspec.structs.replace(serving, access_log=False)
    run(
        dataclasses.replace(settings, serve=serving),
        lambda address: click.echo(f"serving {address}"),
    )
