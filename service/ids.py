"""Public identifiers: a prefix and a ULID, so that they sort by the time they were made."""

from uuid import uuid4

from ulid import ULID


def new_id(prefix: str) -> str:
    """A fresh identifier such as `task_01K3B7Q2M8T5Z9V4N6R1C0XWYH`, at most 100 characters."""
    return f"{prefix}_{new_ulid()}"


def new_ulid() -> str:
    """A fresh ULID: 26 characters, the first ten its time."""
    return str(ULID())


def new_run_id() -> str:
    """A fresh run identifier, a UUID as clients of this API expect it."""
    return str(uuid4())
