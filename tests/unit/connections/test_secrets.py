"""Secrets are sealed for one connection, opened with any key, and lost without it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.connections.secrets import SecretBox, SecretLostError, new_secret_key
from service.errors import NotConfiguredError

OLD, NEW = new_secret_key(), new_secret_key()
SECRET = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "hush"}


@given(st.dictionaries(st.text(max_size=10), st.text(max_size=50), max_size=4))
def test_what_was_sealed_is_opened_as_it_was(secret: dict[str, str]) -> None:
    box = SecretBox([OLD])
    sealed = box.seal("conn_1", secret)
    assert box.open("conn_1", sealed) == secret
    assert box.seal("conn_1", secret) != sealed


def test_nothing_of_a_secret_is_in_what_is_stored() -> None:
    assert not any(text in SecretBox([OLD]).seal("conn_1", SECRET) for text in SECRET.values())


def test_a_secret_of_another_connection_is_not_opened() -> None:
    box = SecretBox([OLD])
    with pytest.raises(SecretLostError, match="conn_2 cannot be decrypted"):
        box.open("conn_2", box.seal("conn_1", SECRET))


def test_a_secret_is_sealed_anew_with_the_first_key_and_then_needs_no_other() -> None:
    both = SecretBox([NEW, OLD])
    sealed = both.seal_anew("conn_1", SecretBox([OLD]).seal("conn_1", SECRET))
    assert SecretBox([NEW]).open("conn_1", sealed) == SECRET


def test_a_secret_whose_key_is_gone_is_lost_and_says_what_to_do() -> None:
    sealed = SecretBox([OLD]).seal("conn_1", SECRET)
    with pytest.raises(SecretLostError, match="WHARF_SECRET_KEYS; bring its key back") as lost:
        SecretBox([NEW]).open("conn_1", sealed)
    assert sealed not in str(lost.value)


@pytest.mark.parametrize("sealed", ["", "x", "gAAAAA", "ü"])
def test_what_was_never_sealed_is_lost(sealed: str) -> None:
    with pytest.raises(SecretLostError):
        SecretBox([OLD]).open("conn_1", sealed)


def test_without_a_key_nothing_is_kept() -> None:
    with pytest.raises(NotConfiguredError, match="WHARF_SECRET_KEYS"):
        SecretBox([])
