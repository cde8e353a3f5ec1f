"""Settings for tests that need some, and no servers."""

import pytest


@pytest.fixture
def settings_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The three settings without which nothing starts; the servers they name are not asked."""
    monkeypatch.setenv("WHARF_DATABASE_URL", "postgresql://wharf:secret@127.0.0.1:1/wharf")
    monkeypatch.setenv("WHARF_BROKER_URL", "redis://:secret@127.0.0.1:1/0")
    monkeypatch.setenv("WHARF_S3_BUCKET", "wharf")
