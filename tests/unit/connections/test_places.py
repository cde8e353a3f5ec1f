"""Places in buckets, as callers write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.connections.places import Place, as_prefix, is_bucket, is_key, is_place, read_place
from service.errors import ValidationError


@pytest.mark.parametrize(
    ("url", "bucket", "path"),
    [
        ("s3://acme-billing", "acme-billing", ""),
        ("s3://acme-billing/", "acme-billing", ""),
        (" S3://acme-billing/a/b.csv\n", "acme-billing", "a/b.csv"),
        ("s3://acme-billing/a b/ü%20.csv", "acme-billing", "a b/ü%20.csv"),
        ("s3://Acme_Billing.2/x", "Acme_Billing.2", "x"),
    ],
)
def test_a_place_is_a_bucket_and_the_text_behind_it(url: str, bucket: str, path: str) -> None:
    assert (is_place(url), read_place(url)) == (True, Place(bucket, path))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://files.example.com/a", "File URL must start with s3://"),
        ("", "File URL must start with s3://"),
        ("acme-billing/a", "File URL must start with s3://"),
        ("s3://", "File URL must be in format s3://bucket/key"),
        ("s3:///a", "File URL must be in format s3://bucket/key"),
        ("s3://ab/c", "File URL must be in format s3://bucket/key"),
        ("s3://user@bucket/c", "File URL must be in format s3://bucket/key"),
        ("s3://127.0.0.1:80/c", "File URL must be in format s3://bucket/key"),
    ],
)
def test_what_is_no_place_is_refused_in_the_words_of_the_contract(url: str, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        read_place(url)
    assert (refused.value.message, list(refused.value.details)) == (message, ["file_url"])


@pytest.mark.parametrize(
    ("path", "prefix"),
    [("", ""), ("/", ""), ("a", "a/"), ("/a/b/", "a/b/"), ("a b/ü", "a b/ü/"), ("..a", "..a/")],
)
def test_a_prefix_ends_with_a_slash_and_begins_with_none(path: str, prefix: str) -> None:
    assert as_prefix(path) == prefix


@pytest.mark.parametrize("path", ["a//b", "//", "a/../b", ".", "a\nb", "a\0", "\ud800", "a" * 513, "//a"])
def test_what_clients_would_tidy_up_or_stores_refuse_is_no_prefix(path: str) -> None:
    assert as_prefix(path) is None


@pytest.mark.parametrize("key", ["", "/a", "a//b", "a/..", "a\x7f", "k" * 1025, "a/"])
def test_what_is_no_key(key: str) -> None:
    assert not is_key(key)


@given(st.text(max_size=600))
def test_a_prefix_stays_what_it_is_and_takes_any_clean_name(path: str) -> None:
    prefix = as_prefix(path)
    if prefix:
        assert as_prefix(prefix) == prefix
        assert is_key(f"{prefix}rows.csv")


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]", fullmatch=True), st.text(max_size=50))
def test_a_place_is_read_back_from_its_url(bucket: str, path: str) -> None:
    assert is_bucket(bucket)
    # White space at the end of a URL is no part of it.
    place = Place(bucket, path.strip())
    assert read_place(place.url) == place
