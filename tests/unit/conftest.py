"""Unit tests have no network: whoever opens a socket fails."""

from collections.abc import Iterator

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True)
def no_sockets() -> Iterator[None]:
    """Close sockets for one test; those of the system itself, such as pairs, stay open."""
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
