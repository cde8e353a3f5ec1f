"""Packing bytes as they pass; what several workers pack may be joined, since gzip and zstd read one after the other."""

import zlib
from typing import Protocol

import zstandard

from schemas.export_options import Compression

#: Level 6 makes a file 4 % smaller in twice the time (docs/adr/0012-ranges-of-exports.md).
_GZIP_LEVEL = 4
_GZIP = 16 + zlib.MAX_WBITS
_ZSTD_LEVEL = 3


class Packer(Protocol):
    """Packs one stream."""

    def compress(self, block: bytes | bytearray) -> bytes | bytearray:
        """What the stream is longer by; some may be held back."""

    def flush(self) -> bytes:
        """The end of the stream."""


class _Plain:
    """Changes nothing."""

    def compress(self, block: bytes | bytearray) -> bytes | bytearray:
        return block

    def flush(self) -> bytes:
        return b""


def make_packer(compression: Compression) -> Packer:
    """A packer of a new stream."""
    match compression:
        case Compression.NONE:
            return _Plain()
        case Compression.GZIP:
            return zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP)
        case Compression.ZSTD:
            return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compressobj()
