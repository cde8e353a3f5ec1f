"""The commands that drive each SDK, from an environment of its own."""

import shutil
from pathlib import Path

from tests.environments import UnavailableError, find_folder, make_once, make_python

_HERE = Path(__file__).parent


def python_command(version: str) -> list[str]:
    """The command that drives a release of the Python SDK, installed in a venv of its own."""
    python = make_python(_HERE / f"flexprice-{version}.txt")
    # -P: the modules beside the driver are not the SDK's to import.
    return [str(python), "-P", str(_HERE / "python_driver.py")]


def node_command() -> list[str]:
    """The command that drives the npm SDK, installed in a folder of its own."""
    pins = [_HERE / "package.json", _HERE / "package-lock.json"]
    folder = find_folder("node", *pins)
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        raise UnavailableError("node and npm are not installed")
    make_once(
        folder,
        ["cp", *pins, folder],
        [npm, "ci", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"],
    )
    return [node, str(_HERE / "node_driver.mjs"), str(folder)]
