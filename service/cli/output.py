"""What commands print: JSON for programs, tables for people."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

from schemas.base import format_instant


def print_json(body: Any) -> None:
    """Print a body; moments are written as the API writes them."""
    click.echo(json.dumps(body, default=format_instant))


def print_table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows in columns as wide as their longest cell; moments to the minute, in UTC, and "-" for nothing."""
    table = [list(headings), *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for cells in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())


def _cell(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ")
    text = str(value)
    # Nothing that is stored may steer the terminal.
    return text if text.isprintable() else ascii(text)
