"""The figures as a page of markdown."""

import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

_HEAD = """# Columns: which engine

Chunks of {mib} MiB of CSV as columns of text; which rows are clean by the row rules (lengths, e-mail, country, time,
flat JSON); the clean ones as COPY takes them, with an id and a number. Each engine on one thread in a process of its
own, medians. "marshmallow" is the way row by row, which decides every row that is not clean; "wharf" is what the
decision led to, its errors for refused rows included. The CPU time is steadier than the clock on a shared machine."""

_HOW = "To repeat: `python -m benchmarks.columns --write`."


def render_report(found: Mapping[str, Any], mib: int) -> str:
    """The whole page."""
    # What Wharf reads by columns it reads as pyarrow does; where that is not the dialect, row by row.
    readers = {engine: figures for engine, figures in found.items() if engine != "wharf"}
    parts = [
        _HEAD.format(mib=mib),
        _table(("chunk", "engine", "rows", "krows per CPU s", "ms read", "ms check", "ms render"), _speeds(found)),
        "## Weight",
        _table(("engine", "import s", "import MiB", "peak MiB more", "works after a fork"), _weights(found)),
        "## Odd bytes",
        _table(("bytes", *readers), _odd(readers)),
        f"{datetime.now(UTC):%Y-%m-%d}; {platform.system()} {platform.release()}, Python {platform.python_version()}.",
        _HOW,
    ]
    return "\n\n".join(parts) + "\n"


def _speeds(found: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    chunks = next(iter(found.values()))["chunks"]
    for chunk in chunks:
        for engine, figures in found.items():
            one = figures["chunks"][chunk]
            steps = (f"{one[f'{step}_ms']:.1f}" for step in ("read", "check", "render"))
            yield chunk, engine, f"{one['rows']:,}", f"{one['rows'] / one['cpu_ms']:.0f}", *steps


def _weights(found: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    for engine, one in found.items():
        after_fork = "yes" if one["after_fork"] else "no, it hangs or fails"
        yield engine, f"{one['import_seconds']:.2f}", f"{one['import_mib']:.0f}", f"{one['peak_mib']:.0f}", after_fork


def _odd(found: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    for what in next(iter(found.values()))["odd"]:
        yield what, *(f"`{figures['odd'][what]}`" for figures in found.values())


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
