"""What the stored bytes of a source are: how its records lie in it, and what it was when it came."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self


class Layout(StrEnum):
    """How records lie in the stored bytes."""

    CSV = "csv"
    #: One array.
    JSON = "json"
    #: One value in each line.
    NDJSON = "ndjson"


@dataclass(frozen=True, slots=True)
class SourceFormat:
    """How stored bytes are read; `encoding`, `compression` and `file_type` are those of the bytes that came.

    What is stored is UTF-8 and not compressed, except that a UTF-8 file may begin with a byte order mark.
    """

    layout: Layout = Layout.CSV
    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    compression: str = "none"
    file_type: str = "CSV"

    def to_json(self) -> dict[str, Any]:
        """The same as JSON, to be kept with a task."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None) -> Self:
        """What `to_json` gave; a task from before there were formats has none, and was plain CSV."""
        given = dict(kept or {})
        return cls(**{**given, "layout": Layout(given.get("layout", Layout.CSV))})
