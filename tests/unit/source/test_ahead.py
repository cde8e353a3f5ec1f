"""Blocks that are read ahead come as they would have come."""

from collections.abc import Iterator
from threading import Event, current_thread, main_thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import SourceUnavailableError
from service.source.ahead import read_ahead


@given(blocks=st.lists(st.binary(max_size=3), max_size=20), most=st.integers(1, 5))
def test_the_blocks_come_in_their_order(blocks: list[bytes], most: int) -> None:
    assert list(read_ahead(iter(blocks), most)) == blocks


def test_blocks_are_read_by_another_thread_before_they_are_asked_for() -> None:
    third_is_read = Event()

    def blocks() -> Iterator[bytes]:
        assert current_thread() is not main_thread()
        yield b"1"
        yield b"2"
        third_is_read.set()
        yield b"3"

    ahead = read_ahead(blocks(), 3)
    assert next(ahead) == b"1"
    assert third_is_read.wait(5)
    assert list(ahead) == [b"2", b"3"]


def test_an_error_of_the_source_comes_after_the_blocks_before_it() -> None:
    def blocks() -> Iterator[bytes]:
        yield b"1"
        raise SourceUnavailableError

    ahead = read_ahead(blocks())
    assert next(ahead) == b"1"
    with pytest.raises(SourceUnavailableError):
        next(ahead)


def test_who_gives_up_leaves_no_thread_behind_that_reads() -> None:
    read: list[int] = []

    def blocks() -> Iterator[bytes]:
        for number in range(100):
            read.append(number)
            yield b"x"

    ahead = read_ahead(blocks(), 2)
    next(ahead)
    ahead.close()
    assert len(read) <= 4
