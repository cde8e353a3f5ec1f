"""Inflating gzip and zstd as they stream, without trusting what they say about their size."""

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

import zstandard

from service.errors import SourceRefusedError

MIB = 1024 * 1024

_GZIP = 16 + zlib.MAX_WBITS
_PIECE_BYTES = MIB
_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
#: Frames to be skipped begin with a byte of 0x50 to 0x5f and these.
_ZSTD_SKIPPED = b"\x2a\x4d\x18"
_ZSTD_SKIPPED_FIRST = 5
#: What zstd keeps of its output to repeat it: as much as level 20 takes, and --long=25.
ZSTD_WINDOW_BYTES = 32 * MIB
#: Four bytes of zstd can stand for 128 KiB, and it gives all that its input makes: 32 MiB at most.
_ZSTD_INPUT_BYTES = 1024


@dataclass(frozen=True, slots=True)
class InflateLimit:
    """How much a compressed file may grow: to `ratio` times what was read, once `free_bytes` came out."""

    ratio: int = 200
    free_bytes: int = 10 * MIB


@dataclass(frozen=True, slots=True)
class Inflated:
    """What a compressed file was found to be, "none" for any other file, and its bytes."""

    compression: str
    blocks: Iterator[bytes]


def inflate(blocks: Iterable[bytes], limit: InflateLimit) -> Inflated:
    """The bytes of a file, inflated where its first bytes are those of gzip or zstd.

    Iterating raises SourceRefusedError where the compressed bytes are damaged, end early or grow past the limit.
    """
    rest = iter(blocks)
    start = b""
    while len(start) < len(_ZSTD) and (block := next(rest, None)) is not None:
        start += block
    whole = chain([start], rest)
    if start.startswith(_GZIP_MAGIC):
        return Inflated("gzip", gunzip(whole, limit))
    if start.startswith(_ZSTD) or (start[1:4] == _ZSTD_SKIPPED and start[0] >> 4 == _ZSTD_SKIPPED_FIRST):
        return Inflated("zstd", _limited("zstd", whole, limit, _ZstdInflater()))
    return Inflated("none", whole)


def gunzip(blocks: Iterable[bytes], limit: InflateLimit) -> Iterator[bytes]:
    """The inflated bytes of one or more gzip members, in pieces of at most 1 MiB.

    Raises SourceRefusedError where the bytes are no gzip, end early or grow past the limit.
    """
    return _limited("gzip", blocks, limit, _GzipInflater())


class _Inflater(Protocol):
    """Turns compressed blocks into pieces of what they stand for."""

    @property
    def is_complete(self) -> bool:
        """Whether the data may end here."""

    def feed(self, block: bytes) -> Iterator[bytes]:
        """The pieces that the next bytes make; raises SourceRefusedError where they are damaged."""


def _limited(name: str, blocks: Iterable[bytes], limit: InflateLimit, inflater: _Inflater) -> Iterator[bytes]:
    taken_bytes = given_bytes = 0
    for block in blocks:
        taken_bytes += len(block)
        for piece in inflater.feed(block):
            given_bytes += len(piece)
            if given_bytes > limit.free_bytes and given_bytes > limit.ratio * taken_bytes:
                message = f"The {name} data grows to more than {limit.ratio} times its size; send the file uncompressed"
                raise SourceRefusedError(message)
            yield piece
    if not inflater.is_complete:
        message = f"The {name} data ends early; compress the file again and create a new task"
        raise SourceRefusedError(message)


class _GzipInflater:
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
            raise _damaged("gzip") from error


class _ZstdInflater:
    """Inflates frames one after the other, those that are to be skipped too."""

    def __init__(self) -> None:
        self._frames: Callable[[], zstandard.ZstdDecompressionObj] = zstandard.ZstdDecompressor(
            max_window_size=ZSTD_WINDOW_BYTES
        ).decompressobj
        self._frame = self._frames()
        self._is_begun = False

    @property
    def is_complete(self) -> bool:
        return not self._is_begun

    def feed(self, block: bytes) -> Iterator[bytes]:
        for start in range(0, len(block), _ZSTD_INPUT_BYTES):
            yield from self._drain(block[start : start + _ZSTD_INPUT_BYTES])

    def _drain(self, block: bytes) -> Iterator[bytes]:
        while block:
            self._is_begun = True
            try:
                piece = self._frame.decompress(block)
            except zstandard.ZstdError as error:
                raise _explain(error) from error
            block = b""
            if self._frame.eof:
                block = self._frame.unused_data
                self._frame = self._frames()
                self._is_begun = False
            for start in range(0, len(piece), _PIECE_BYTES):
                yield piece[start : start + _PIECE_BYTES]


def _explain(error: zstandard.ZstdError) -> SourceRefusedError:
    if "too much memory" in str(error):
        message = (
            f"The zstd data needs a window of more than {ZSTD_WINDOW_BYTES // MIB} MiB; compress the file again at "
            "level 19 or less, without --long"
        )
        return SourceRefusedError(message)
    return _damaged("zstd")


def _damaged(name: str) -> SourceRefusedError:
    message = f"The {name} data is damaged; compress the file again and create a new task"
    return SourceRefusedError(message)
