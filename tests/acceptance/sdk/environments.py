"""Environments for SDKs: made once from pinned requirements, kept in var/ and used again by the next run."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

_HERE = Path(__file__).parent
_FOLDER = _HERE.parents[2] / "var/sdk"
_INSTALL_SECONDS = 60


class UnavailableError(Exception):
    """An SDK cannot be installed here; says why."""


def python_command(version: str) -> list[str]:
    """The command that drives a release of the Python SDK, installed in a venv of its own."""
    requirements = _HERE / f"flexprice-{version}.txt"
    folder = _FOLDER / f"flexprice-{version}-{_fingerprint(requirements)}"
    python = folder / "venv/bin/python"
    uv = Path(sys.executable).with_name("uv")
    _make_once(
        folder,
        [uv, "venv", "--quiet", "--python", sys.executable, folder / "venv"],
        [uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "--requirement", requirements],
    )
    # -P: the modules beside the driver are not the SDK's to import.
    return [str(python), "-P", str(_HERE / "python_driver.py")]


def node_command() -> list[str]:
    """The command that drives the npm SDK, installed in a folder of its own."""
    pins = [_HERE / "package.json", _HERE / "package-lock.json"]
    folder = _FOLDER / f"node-{_fingerprint(*pins)}"
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        raise UnavailableError("node and npm are not installed")
    _make_once(
        folder,
        ["cp", *pins, folder],
        [npm, "ci", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"],
    )
    return [node, str(_HERE / "node_driver.mjs"), str(folder)]


def _fingerprint(*pins: Path) -> str:
    """Changes with the pins, and with the Python that an environment is made for."""
    content = b"".join(pin.read_bytes() for pin in pins)
    return hashlib.sha256(content + str(sys.implementation.cache_tag).encode()).hexdigest()[:12]


def _make_once(folder: Path, *commands: list[str | Path]) -> None:
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
