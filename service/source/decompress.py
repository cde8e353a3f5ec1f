"""Inflating gzip as it streams, without trusting what it says about its size."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from service.errors import SourceRefusedError

MIB = 1024 * 1024

_GZIP = 16 + zlib.MAX_WBITS
_PIECE_BYTES = MIB


@dataclass(frozen=True, slots=True)
class InflateLimit:
    """How much a compressed file may grow: to `ratio` times what was read, once `free_bytes` came out."""

    ratio: int = 200
    free_bytes: int = 10 * MIB


def gunzip(blocks: Iterator[bytes], limit: InflateLimit) -> Iterator[bytes]:
    """The inflated bytes of one or more gzip members, in pieces of at most 1 MiB.

    Raises SourceRefusedError where the bytes are no gzip, end early or grow past the limit.
    """
    taken_bytes = given_bytes = 0
    inflater = _Inflater()
    for block in blocks:
        taken_bytes += len(block)
        for piece in inflater.feed(block):
            given_bytes += len(piece)
            if given_bytes > limit.free_bytes and given_bytes > limit.ratio * taken_bytes:
                raise _bomb(limit)
            yield piece
    if not inflater.is_complete:
        message = "The gzip data ends early; compress the file again and create a new task"
        raise SourceRefusedError(message)


class _Inflater:
    """Inflates members one after the other; zeros behind a member are padding."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)

    @property
    def is_complete(self) -> bool:
        return self._member.eof

    def feed(self, block: bytes) -> Iterator[bytes]:
        while left := block.lstrip(b"\0") if self._member.eof else block:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
            yield from self._drain(left)
            block = self._member.unused_data

    def _drain(self, block: bytes) -> Iterator[bytes]:
        """All that the present member gives for `block`; some may wait inside zlib when all input is used up."""
        while piece := self._inflate(block):
            yield piece
            block = self._member.unconsumed_tail

    def _inflate(self, block: bytes) -> bytes:
        try:
            return self._member.decompress(block, _PIECE_BYTES)
        except zlib.error as error:
            message = "The gzip data is damaged; compress the file again and create a new task"
            raise SourceRefusedError(message) from error


def _bomb(limit: InflateLimit) -> SourceRefusedError:
    message = f"The gzip data grows to more than {limit.ratio} times its size; send the file uncompressed"
    return SourceRefusedError(message)
