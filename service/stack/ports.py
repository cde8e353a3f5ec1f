"""The ports of an embedded stack: chosen once, kept for the next start, changed only when somebody else has one."""

import random
import socket
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from itertools import chain
from pathlib import Path

from service.errors import ConfigurationError
from service.stack.files import read_object, write_object

HOST = "127.0.0.1"
# What people know by heart. The servers behind have none: nobody types theirs.
_USUAL = {"web": 8080, "flower": 5555}
# Below Linux's range for outgoing connections (32768 and up): a client that tries again and again to reach a stopped
# server there could otherwise be given the server's own port and keep it.
_FIRST, _LAST = 20000, 29999
_HIGHEST = 65535
_TRIES = 1000
_REMEDY = "Delete it: other ports are chosen then."


@dataclass(frozen=True, slots=True)
class Ports:
    """One TCP port per server."""

    valkey: int
    s3: int
    postgres: int
    web: int
    flower: int


def is_port_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError:
            return False
    return True


def random_ports() -> Iterator[int]:
    """Ports to try, in no order, so that stacks started at once do not meet."""
    for _ in range(_TRIES):
        yield random.randint(_FIRST, _LAST)  # noqa: S311 - picks a port, protects nothing


def choose_ports(
    path: Path,
    *,
    web_host: str = HOST,
    web_port: int | None = None,
    is_free: Callable[[str, int], bool] = is_port_free,
    candidates: Iterator[int] | None = None,
) -> Ports:
    """The ports kept in `path`, else the usual ones, else free ones; saved there for the next start.

    A port that is taken is replaced, except `web_port`, which somebody asked for: ConfigurationError names it. A file
    that is damaged raises ConfigurationError too.
    """
    kept = _read_kept(path)
    tries = candidates or random_ports()
    chosen: dict[str, int] = {}
    if web_port is not None:
        chosen["web"] = _require_free(web_host, web_port, is_free)
    for name in (field.name for field in fields(Ports) if field.name not in chosen):
        host = web_host if name == "web" else HOST
        wanted = [port for port in (kept.get(name), _USUAL.get(name)) if port is not None]
        used = set(chosen.values())
        usable = (port for port in chain(wanted, tries) if port not in used and is_free(host, port))
        chosen[name] = next(usable, 0)
        if not chosen[name]:
            raise ConfigurationError(
                f"No free port for {name} on {host}. Is {host} an address of this machine? WHARF_HOST names it."
            )
    ports = Ports(**chosen)
    if asdict(ports) != kept:
        write_object(path, asdict(ports))
    return ports


def _require_free(host: str, port: int, is_free: Callable[[str, int], bool]) -> int:
    if not is_free(host, port):
        raise ConfigurationError(
            f"Port {port} on {host} is taken, or not ours to use. "
            "Stop the program that has it, or give another with --port.",
            port=port,
        )
    return port


def _read_kept(path: Path) -> dict[str, int]:
    kept = read_object(path, remedy=_REMEDY) or {}
    names = {field.name for field in fields(Ports)}
    if not all(name in names and type(port) is int and 0 < port <= _HIGHEST for name, port in kept.items()):
        raise ConfigurationError(
            f"{path} is damaged: it must give each of {', '.join(sorted(names))} a port. {_REMEDY}"
        )
    return kept
