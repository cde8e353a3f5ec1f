"""Small private JSON files: read with an error that a user can act on, written whole or not at all."""

import json
import os
from pathlib import Path
from typing import Any

from service.errors import ConfigurationError


def read_object(path: Path, *, remedy: str) -> dict[str, Any] | None:
    """The JSON object in `path`, None where there is no such file; ConfigurationError for anything else."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}. {remedy}") from error
    except ValueError as error:
        raise ConfigurationError(f"{path} is damaged: it is no JSON. {remedy}") from error
    if not isinstance(value, dict):
        raise ConfigurationError(f"{path} is damaged: it holds no JSON object. {remedy}")
    return value


def write_object(path: Path, value: dict[str, Any]) -> None:
    """Write the file with mode 0600 in one step: a reader sees the old content or the new, never a part.

    Raises ConfigurationError where the folder does not allow it.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(json.dumps(value, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}.") from error
