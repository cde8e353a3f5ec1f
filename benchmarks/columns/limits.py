"""The limits of an import, as its settings have them."""

from dataclasses import dataclass

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Limits:
    chunk_bytes: int = 4 * _MIB
    row_max_bytes: int = 10 * _MIB
    field_max_bytes: int = _MIB
    columns_max: int = 1000


LIMITS = _Limits()
