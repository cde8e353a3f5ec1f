"""Inflating as it streams: the same bytes out, and a bomb is stopped."""

import gzip
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import SourceRefusedError
from service.source.decompress import MIB, InflateLimit, gunzip


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
