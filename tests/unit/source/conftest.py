"""The ear of these tests."""

import pytest

from tests.unit.source.wire import Connections


@pytest.fixture(scope="session")
def ear() -> Connections:
    return Connections()


@pytest.fixture
def connections(ear: Connections) -> Connections:
    """What is connected to while the test runs."""
    ear.forget()
    return ear
