"""What holds for every object store, and what only a real one can show."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
import urllib3

from service.config import Settings
from service.errors import NotFoundError, SourceChangedError, StoreRefusedError, StoreUnavailableError
from service.storage.objects import ObjectHead, ObjectStore
from service.storage.s3 import S3ObjectStore

KEY = "acme/production/customers/my rows-ä.csv"
BODY = bytes(range(256)) * 1000


def put(store: ObjectStore, body: bytes = BODY) -> ObjectHead:
    return store.put(KEY, body, "text/csv", {"task": "task_1", "attempt": "2"})


def test_what_is_put_has_a_head(store: ObjectStore) -> None:
    written = put(store)
    assert written == ObjectHead(len(BODY), written.etag, "text/csv", {"task": "task_1", "attempt": "2"})
    assert store.head(KEY) == written


def test_an_object_that_is_not_there_has_no_head(store: ObjectStore) -> None:
    assert store.head(KEY) is None


def test_a_second_put_replaces_the_object(store: ObjectStore) -> None:
    first = put(store)
    second = put(store, b"other")
    assert first.etag != second.etag
    assert b"".join(store.stream(KEY, 10)) == b"other"


@pytest.mark.parametrize("body", [b"", b"x", BODY])
def test_a_stream_gives_the_whole_object_in_blocks(store: ObjectStore, body: bytes) -> None:
    head = put(store, body)
    blocks = list(store.stream(KEY, 100_000, head.etag))
    assert b"".join(blocks) == body
    assert all(len(block) <= 100_000 for block in blocks)


@pytest.mark.parametrize(("start", "end"), [(0, 1), (0, len(BODY)), (1000, 5000), (len(BODY) - 1, len(BODY)), (7, 7)])
def test_a_range_gives_exactly_its_bytes(store: ObjectStore, start: int, end: int) -> None:
    head = put(store)
    assert store.open_range(KEY, start, end, head.etag) == BODY[start:end]


@pytest.mark.parametrize(("start", "end"), [(len(BODY) - 1, len(BODY) + 1), (len(BODY) + 5, len(BODY) + 9)])
def test_a_range_past_the_end_means_that_the_object_changed(store: ObjectStore, start: int, end: int) -> None:
    put(store)
    with pytest.raises(SourceChangedError):
        store.open_range(KEY, start, end)


def test_an_object_that_was_replaced_is_not_read_as_the_old_one(store: ObjectStore) -> None:
    old = put(store)
    put(store, BODY[::-1])
    with pytest.raises(SourceChangedError):
        store.open_range(KEY, 0, 10, old.etag)
    with pytest.raises(SourceChangedError):
        list(store.stream(KEY, 1000, old.etag))


def test_reading_what_is_not_there_says_so(store: ObjectStore) -> None:
    with pytest.raises(NotFoundError):
        store.open_range(KEY, 0, 10)
    with pytest.raises(NotFoundError):
        list(store.stream(KEY, 1000))


def test_delete_is_safe_to_repeat(store: ObjectStore) -> None:
    put(store)
    store.delete(KEY)
    store.delete(KEY)
    assert store.head(KEY) is None


def test_a_bucket_can_be_ensured_twice(bare_store: S3ObjectStore) -> None:
    bare_store.ensure_bucket()
    put(bare_store)
    bare_store.ensure_bucket()
    bare_store.check()
    assert bare_store.head(KEY) is not None


def test_a_missing_bucket_is_refused_and_named(bare_store: S3ObjectStore) -> None:
    with pytest.raises(StoreRefusedError, match="NoSuchBucket"):
        put(bare_store)
    with pytest.raises(StoreRefusedError, match=f"The bucket {bare_store.bucket} does not exist"):
        bare_store.check()


def test_wrong_credentials_are_refused(s3_store: S3ObjectStore, settings: Settings) -> None:
    put(s3_store)
    strangers = [replace(settings, s3_secret_access_key="wrong"), replace(settings, s3_access_key_id="unknown")]
    for stranger in map(S3ObjectStore.from_settings, strangers):
        calls: list[Callable[[], object]] = [
            stranger.check,
            stranger.ensure_bucket,
            partial(stranger.head, KEY),
            partial(put, stranger),
        ]
        for call in calls:
            with pytest.raises(StoreRefusedError, match="403"):
                call()


def test_a_store_that_is_down_is_unavailable(unreachable_store: S3ObjectStore) -> None:
    with pytest.raises(StoreUnavailableError, match="EndpointConnectionError"):
        unreachable_store.check()


def test_anyone_may_upload_and_download_by_link(s3_store: S3ObjectStore) -> None:
    with urllib3.PoolManager() as pools:
        sent = pools.request("PUT", s3_store.upload_link(KEY, 60), body=BODY, headers={"Content-Type": "text/csv"})
        link = s3_store.download_link(KEY, 60, "Zähler 1.csv")
        got = pools.request("GET", link)
        some = pools.request("GET", link, headers={"Range": "bytes=5-9"})
        other = pools.request("GET", link.replace("customers", "prices"))
    # rclone sends the range that was asked for, but calls it 200.
    assert (sent.status, got.status, some.status in {200, 206}, other.status) == (200, 200, True, 403)
    assert (got.data, some.data) == (BODY, BODY[5:10])
    assert got.headers["Content-Disposition"] == (
        "attachment; filename=\"Z_hler 1.csv\"; filename*=UTF-8''Z%C3%A4hler%201.csv"
    )


def test_links_are_signed_for_the_public_endpoint(settings: Settings) -> None:
    store = S3ObjectStore.from_settings(replace(settings, s3_public_endpoint="https://files.example:8443"))
    for link in (store.upload_link("a/b", 60), store.download_link("a/b", 60, "b")):
        assert link.startswith(f"https://files.example:8443/{settings.s3_bucket}/a/b?")
        assert "X-Amz-Expires=60" in link
