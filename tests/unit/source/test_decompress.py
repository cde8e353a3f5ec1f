"""Inflating as it streams: the same bytes out, and a bomb is stopped."""

import gzip
import zlib
from collections.abc import Iterator

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from service.errors import SourceRefusedError
from service.source.decompress import MIB, InflateLimit, gunzip, inflate


def cut(content: bytes, size: int) -> Iterator[bytes]:
    return (content[start : start + size] for start in range(0, len(content), size))


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=4), st.integers(1, 50), st.integers(0, 9))
def test_members_cut_anywhere_give_their_bytes_one_after_the_other(members: list[bytes], size: int, zeros: int) -> None:
    packed = b"".join(map(gzip.compress, members)) + b"\0" * zeros
    assert b"".join(gunzip(cut(packed, size), InflateLimit())) == b"".join(members)


def test_output_that_fills_its_pieces_exactly_comes_out_whole() -> None:
    content = bytes(4 * MIB)
    assert b"".join(gunzip(iter([gzip.compress(content)]), InflateLimit(ratio=2000))) == content


def test_a_bomb_is_stopped_at_its_limit() -> None:
    bomb = gzip.compress(bytes(32 * MIB))
    pieces: list[bytes] = []
    with pytest.raises(SourceRefusedError, match="more than 200 times its size"):
        pieces.extend(gunzip(iter([bomb]), InflateLimit(free_bytes=10 * MIB)))
    assert sum(map(len, pieces)) == 10 * MIB


@given(st.binary(min_size=1, max_size=500), st.data())
def test_gzip_that_ends_early_is_refused(content: bytes, data: st.DataObject) -> None:
    packed = gzip.compress(content)
    end = data.draw(st.integers(0, len(packed) - 1))
    with pytest.raises(SourceRefusedError, match="ends early"):
        list(gunzip(cut(packed[:end], 10), InflateLimit()))


@pytest.mark.parametrize("content", [b"id,name\n", zlib.compress(b"x"), gzip.compress(b"x", mtime=0) + b"tail"])
def test_what_is_no_gzip_is_refused(content: bytes) -> None:
    with pytest.raises(SourceRefusedError, match=r"damaged|ends early"):
        list(gunzip(iter([content]), InflateLimit()))


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=4), st.integers(1, 50), st.binary(max_size=20))
def test_zstd_frames_cut_anywhere_give_their_bytes_one_after_the_other(
    frames: list[bytes], size: int, skipped: bytes
) -> None:
    to_skip = b"\x52\x2a\x4d\x18" + len(skipped).to_bytes(4, "little") + skipped
    packed = to_skip + b"".join(map(zstandard.compress, frames))
    inflated = inflate(cut(packed, size), InflateLimit())
    assert (inflated.compression, b"".join(inflated.blocks)) == ("zstd", b"".join(frames))


@given(st.binary(min_size=1, max_size=500), st.data())
def test_zstd_that_ends_early_is_refused(content: bytes, data: st.DataObject) -> None:
    packed = zstandard.compress(content)
    kept = data.draw(st.integers(4, len(packed) - 1))
    with pytest.raises(SourceRefusedError, match="ends early"):
        list(inflate(iter([packed[:kept]]), InflateLimit()).blocks)


def test_a_zstd_bomb_is_stopped_at_its_limit() -> None:
    pieces: list[bytes] = []
    with pytest.raises(SourceRefusedError, match="The zstd data grows to more than 200 times its size"):
        pieces.extend(inflate(iter([zstandard.compress(bytes(64 * MIB))]), InflateLimit()).blocks)
    assert sum(map(len, pieces)) <= 10 * MIB


def test_a_zstd_window_that_takes_too_much_memory_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=27)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    packed = packer.compress(bytes(MIB)) + packer.flush()
    with pytest.raises(SourceRefusedError, match="needs a window of more than 32 MiB"):
        list(inflate(iter([packed]), InflateLimit()).blocks)


@given(st.binary(max_size=100), st.integers(1, 50))
def test_what_is_not_compressed_comes_out_as_it_is(content: bytes, size: int) -> None:
    text = b"id\n" + content
    inflated = inflate(cut(text, size), InflateLimit())
    assert (inflated.compression, b"".join(inflated.blocks)) == ("none", text)
