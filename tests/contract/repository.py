"""The repository's own files, and how its start scripts are read."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]


def read(path: str) -> str:
    """The text of a file of the repository."""
    return (ROOT / path).read_text(encoding="utf-8")


def procfile() -> dict[str, str]:
    """The Procfile's processes by name."""
    lines = [line.partition(":") for line in read("Procfile").splitlines() if line.strip()]
    return {name: command.strip() for name, _, command in lines}


def compose() -> dict[str, Any]:
    """The services of docker-compose.yml by name, with its anchors filled in."""
    services: dict[str, Any] = yaml.safe_load(read("docker-compose.yml"))["services"]
    return services


def own_services() -> dict[str, Any]:
    """The services that run Wharf's own image."""
    return {name: service for name, service in compose().items() if service["image"] == "wharf"}


def wharf_commands(script: str) -> Iterator[list[str]]:
    """The arguments of each `wharf` in a shell script; what the shell fills in is its default, else `1`."""
    filled = script
    while "${" in filled:
        filled = re.sub(r"\$\{\w+:-([^${}]*)\}|\$\{\w+\}", lambda found: found[1] or "1", filled)
    words = shlex.split(filled.replace("&&", " ; "))
    while words:
        command, words = _up_to(words, ";")
        while command and re.fullmatch(r"\w+=.*", command[0]):
            del command[0]
        if command[:1] == ["wharf"]:
            yield command[1:]


def _up_to(words: list[str], end: str) -> tuple[list[str], list[str]]:
    if end not in words:
        return words, []
    return words[: words.index(end)], words[words.index(end) + 1 :]


def compose_commands() -> dict[str, list[list[str]]]:
    """The arguments of `wharf` that each of our services runs; the image's entry point is `wharf`."""
    return {
        name: list(wharf_commands(service["entrypoint"][-1])) if "entrypoint" in service else [service["command"]]
        for name, service in own_services().items()
    }
