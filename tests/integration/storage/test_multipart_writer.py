"""Objects written piece by piece: whole when complete, and nothing left behind when not."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest

from service.errors import StoreUnavailableError
from service.storage.multipart import MIB, MultipartWriter, WrittenObject, abort_strays
from service.storage.objects import ObjectHead, ObjectStore
from tests.fakes.storage import MemoryObjectStore

PREFIX = "acme/production/events/"
KEY = f"{PREFIX}events-task_1-1.csv"
PART_BYTES = 5 * MIB
LATER = datetime(2100, 1, 1, tzinfo=UTC)


def make_writer(store: ObjectStore) -> MultipartWriter:
    return MultipartWriter(store, KEY, content_type="text/csv", metadata={"task": "task_1"}, part_bytes=PART_BYTES)


def make_body(size: int) -> bytes:
    return (b"0123456789abcdef" * (size // 16 + 1))[:size]


def open_keys(store: ObjectStore) -> list[str]:
    return [upload.key for upload in store.list_multiparts(PREFIX)]


@pytest.mark.parametrize("size", [0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES, 13 * MIB + 7])
def test_an_object_of_any_size_is_whole_and_proven(store: ObjectStore, size: int) -> None:
    body = make_body(size)
    with make_writer(store) as writer:
        for start in range(0, size, 777_777):
            writer.write(memoryview(body)[start : start + 777_777])
        written = writer.complete()
    head = store.head(KEY)
    assert head == ObjectHead(size, written.etag, "text/csv", {"task": "task_1"})
    assert written == WrittenObject(KEY, size, hashlib.sha256(body).hexdigest(), written.etag)
    assert b"".join(store.stream(KEY, MIB, written.etag)) == body
    assert store.open_range(KEY, 0, min(10, size), written.etag) == body[:10]
    assert open_keys(store) == []


def test_one_write_may_hold_several_parts(store: ObjectStore) -> None:
    body = make_body(3 * PART_BYTES + 5)
    with make_writer(store) as writer:
        writer.write(body)
        writer.complete()
    assert b"".join(store.stream(KEY, MIB)) == body


def test_the_object_appears_only_when_it_is_complete(store: ObjectStore) -> None:
    with make_writer(store) as writer:
        writer.write(make_body(2 * PART_BYTES + 1))
        assert store.head(KEY) is None
        writer.complete()
    assert store.head(KEY) is not None


@pytest.mark.parametrize("size", [10, 2 * PART_BYTES + 1])
def test_an_error_on_the_way_leaves_nothing(store: ObjectStore, size: int) -> None:
    def write_and_fail() -> None:
        with make_writer(store) as writer:
            writer.write(make_body(size))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert store.head(KEY) is None
    assert open_keys(store) == []


def test_strays_are_aborted_by_prefix_and_age(store: ObjectStore) -> None:
    mine = store.begin_multipart(KEY, "text/csv", {})
    store.put_part(KEY, mine, 1, make_body(PART_BYTES))
    other_key = "acme/production/prices/x"
    other = store.begin_multipart(other_key, "text/csv", {})
    begun_at = next(iter(store.list_multiparts(PREFIX))).begun_at
    assert abort_strays(store, PREFIX, begun_at - timedelta(seconds=1)) == 0
    assert open_keys(store) == [KEY]
    assert abort_strays(store, PREFIX, LATER) == 1
    assert abort_strays(store, PREFIX, LATER) == 0
    assert [upload.upload_id for upload in store.list_multiparts("acme/")] == [other]
    store.abort_multipart(other_key, other)


@pytest.mark.parametrize("failing", ["begin_multipart", "put_part", "complete_multipart"])
def test_a_store_that_fails_midway_is_named_and_its_upload_aborted(failing: str) -> None:
    store = MemoryObjectStore()
    store.failing = {failing}

    def write_and_complete() -> None:
        with make_writer(store) as writer:
            writer.write(make_body(3 * PART_BYTES))
            writer.complete()

    with pytest.raises(StoreUnavailableError):
        write_and_complete()
    assert store.head(KEY) is None
    assert open_keys(store) == []


def test_the_first_error_is_told_even_if_the_abort_fails_too() -> None:
    store = MemoryObjectStore()
    store.failing = {"abort_multipart"}

    def write_and_fail() -> None:
        with make_writer(store) as writer:
            writer.write(make_body(2 * PART_BYTES))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert open_keys(store) == [KEY]


def test_an_upload_whose_completion_was_answered_too_late_is_found_complete() -> None:
    class Forgetful(MemoryObjectStore):
        """Completes an upload, and is asked again because its first answer was lost."""

        def complete_multipart(self, key: str, upload_id: str, etags: Mapping[int, str]) -> None:
            super().complete_multipart(key, upload_id, etags)
            super().complete_multipart(key, upload_id, etags)

    store = Forgetful()
    with make_writer(store) as writer:
        writer.write(make_body(2 * PART_BYTES))
        assert writer.complete().size_bytes == 2 * PART_BYTES


def test_an_upload_is_aborted_only_when_its_part_in_flight_has_ended() -> None:
    class Slow(MemoryObjectStore):
        """Takes a moment for a part."""

        def put_part(self, key: str, upload_id: str, number: int, body: bytes | bytearray) -> str:
            Event().wait(0.1)
            etag = super().put_part(key, upload_id, number, body)
            self.calls.append("part is there")
            return etag

    store = Slow()
    with make_writer(store) as writer:
        writer.write(make_body(PART_BYTES + 1))
    assert store.calls == ["begin_multipart", "put_part", "part is there", "abort_multipart"]


def test_an_object_that_lost_bytes_is_not_called_complete() -> None:
    class Lossy(MemoryObjectStore):
        """Forgets all parts but the first."""

        def complete_multipart(self, key: str, upload_id: str, etags: Mapping[int, str]) -> None:
            super().complete_multipart(key, upload_id, {1: etags[1]})

    with make_writer(Lossy()) as writer:
        writer.write(make_body(2 * PART_BYTES))
        with pytest.raises(StoreUnavailableError, match="lost bytes"):
            writer.complete()


def test_an_upload_that_somebody_else_aborted_is_not_called_complete(store: ObjectStore) -> None:
    with make_writer(store) as writer:
        writer.write(make_body(2 * PART_BYTES + 1))
        abort_strays(store, PREFIX, LATER)
        with pytest.raises(StoreUnavailableError):
            writer.complete()
    assert store.head(KEY) is None
