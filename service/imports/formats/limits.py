"""How big the parts of a source may be."""

from typing import Protocol


class Limits(Protocol):
    """What the CSV engine asks of the settings; all but the last in bytes."""

    @property
    def chunk_bytes(self) -> int:
        """Where a chunk ends: at the first record end that is this far from its start, or further."""

    @property
    def row_max_bytes(self) -> int:
        """The longest record that becomes a row; up to twice this it is a row error, beyond that the end."""

    @property
    def field_max_bytes(self) -> int:
        """The longest cell, as UTF-8."""

    @property
    def columns_max(self) -> int:
        """How many columns a header may name."""
