"""Environments for programs that tests need: made once from pinned requirements, kept in var/, used by the next run."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "var/environments"
_INSTALL_SECONDS = 60


class UnavailableError(Exception):
    """A program cannot be installed or run here; says why."""


def make_python(requirements: Path, *options: str) -> Path:
    """The Python of a venv with these packages, each by its hash; raises UnavailableError."""
    folder = find_folder(requirements.stem, requirements)
    python = folder / "venv/bin/python"
    uv = Path(sys.executable).with_name("uv")
    install: list[str | Path] = [uv, "pip", "install", "--quiet", "--python", python]
    make_once(
        folder,
        [uv, "venv", "--quiet", "--python", sys.executable, folder / "venv"],
        [*install, "--require-hashes", *options, "--requirement", requirements],
    )
    return python


def find_folder(name: str, *pins: Path) -> Path:
    """Where an environment is kept: it changes with the pins, and with the Python that it is made for."""
    content = b"".join(pin.read_bytes() for pin in pins)
    fingerprint = hashlib.sha256(content + str(sys.implementation.cache_tag).encode()).hexdigest()[:12]
    return _FOLDER / f"{name}-{fingerprint}"


def make_once(folder: Path, *commands: list[str | Path]) -> None:
    """Run the commands unless they all went well before; of two processes that race, one waits for the other."""
    made = folder / "made"
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if made.exists():
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for command in commands:
            _run(command)
        made.touch()


def _run(command: list[str | Path]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_INSTALL_SECONDS)
    except FileNotFoundError as error:
        raise UnavailableError(f"{command[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"{command[1]} took longer than {_INSTALL_SECONDS} s") from error
    except subprocess.CalledProcessError as error:
        raise UnavailableError(error.stderr.strip()) from error
