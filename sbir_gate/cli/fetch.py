"""`sbir-gate data fetch`: download published awards and recipients."""

from __future__ import annotations

from pathlib import Path

import click

from sbir_gate.cli.options import Choice, FilePath, effective_settings, quiet_option, settings_options
from sbir_gate.cli.printing import put_line
from sbir_gate.cli.progress import Ticker, mebibytes

EPILOG = """\b
Examples:
  sbir-gate data fetch awards
  sbir-gate data fetch recipients --table recipient_lookup
  sbir-gate data fetch recipients --url https://host/dump.zip --output data/dump
"""


@click.command(epilog=EPILOG)
@click.argument("source", type=Choice(["awards", "recipients"]))
@click.option("--url", metavar="U", help="URL; default: sources.awards.url or sources.recipients.url.")
@click.option(
    "--output",
    type=FilePath(),
    help="Output file, or folder for a dump; default: the URL's file name in sources.folder.",
)
@click.option("--table", help="Table to extract from a dump, e.g. recipient_lookup or rpt.recipient_lookup.")
@click.option("--force", "is_forced", is_flag=True, help="Download again and replace the existing file.")
@click.option(
    "--whole", "is_whole", is_flag=True, help="Download the complete zip (16.7 GB) instead of one table."
)
@settings_options
@quiet_option
def fetch(
    source: str,
    url: str | None,
    output: Path | None,
    table: str | None,
    is_forced: bool,
    is_whole: bool,
    config_file: Path | None,
    assignments: tuple[str, ...],
    quiet: bool,
) -> None:
    """Download published awards or recipients; an interrupted download resumes.

    From a zipped database dump, only one table of recipients is downloaded.
    """
    from sbir_gate.datasets.fetching import FetchRequest, Source, open_session
    from sbir_gate.datasets.fetching import fetch as fetch_source
    from sbir_gate.errors import UsageError

    if source == Source.AWARDS and (table is not None or is_whole):
        raise UsageError("--table and --whole only apply to recipients", "omit them for awards")
    settings = effective_settings(config_file, assignments, {}).settings
    request = FetchRequest(Source(source), url, output, table, is_forced, is_whole)
    with open_session() as session, Ticker(is_quiet=quiet) as ticker:

        def progress(done: int, total: int | None) -> None:
            ticker.count(source, done, done / total if total else None, amount=mebibytes)

        fetched = fetch_source(request, settings, session, progress, ticker.note)
    if not quiet:
        checked = ", checksum correct" if fetched.is_verified else ""
        if fetched.received_bytes:
            put_line(f"{fetched.received_bytes:,} bytes downloaded")
        else:
            put_line("nothing to download: the file is up to date")
        put_line(f"{fetched.path}: {fetched.size_bytes:,} bytes{checked}")
