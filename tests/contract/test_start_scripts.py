"""Procfile, docker-compose.yml and Dockerfile run what there is, with settings that there are."""

import json
import re
from dataclasses import fields
from itertools import chain
from typing import Any

import click
import pytest
from flower.options import default_options  # type: ignore[import-untyped]  # Flower brings no types

from service.cli import main
from service.config import Settings
from service.dispatch import Queue
from service.stack.application import READY_FILE_VARIABLE
from tests.contract.repository import compose, compose_commands, own_services, procfile, read, wharf_commands

KNOWN_VARIABLES = {f"WHARF_{field.name.upper()}" for field in fields(Settings)} | {READY_FILE_VARIABLE}
RELEASE = [["db", "upgrade"], ["store", "prepare"]]
PARTS = {"web", "worker", "beat", "flower"}


def parse(words: list[str]) -> tuple[str, dict[str, Any]]:
    """The command that the words name and its options; a click error where there is no such command or option."""
    command: click.Command = main
    context = click.Context(main, info_name="wharf")
    rest, path = list(words), []
    while isinstance(command, click.Group):
        name = rest.pop(0)
        found = command.get_command(context, name)
        assert found is not None, f"wharf {' '.join(words)}: no such command"
        command = found
        path.append(name)
    return " ".join(path), command.make_context(path[-1], rest, parent=context).params


def procfile_commands() -> dict[str, list[list[str]]]:
    return {name: list(wharf_commands(line)) for name, line in procfile().items()}


def variables(text: str) -> set[str]:
    return set(re.findall(r"\bWHARF_[A-Z0-9_]+\b", text))


def names(commands: dict[str, list[list[str]]]) -> dict[str, list[str]]:
    return {name: [parse(words)[0] for words in several] for name, several in commands.items()}


def queues(commands: dict[str, list[list[str]]]) -> set[str]:
    """The queues that all the workers of a start script consume together; without the option, those of the app."""
    parsed = [parse(words) for words in chain.from_iterable(commands.values())]
    chosen = [options["queues"] or ",".join(Queue) for name, options in parsed if name == "worker"]
    return {queue for several in chosen for queue in several.split(",")}


def test_an_unknown_command_or_option_would_be_found() -> None:
    with pytest.raises(click.NoSuchOption):
        parse(["worker", "--concurency", "2"])
    with pytest.raises(AssertionError, match="no such command"):
        parse(["db", "downgrade"])


def test_the_procfile_runs_each_part_by_its_command() -> None:
    assert names(procfile_commands()) == {
        "release": ["db upgrade", "store prepare"],
        **{part: [part] for part in PARTS},
    }


def test_compose_runs_each_part_by_its_command() -> None:
    assert names(compose_commands()) == {
        "migrate": ["db upgrade", "store prepare"],
        **{part: [part] for part in PARTS},
    }


def test_the_image_runs_a_command_by_default() -> None:
    instructions = dict(re.findall(r"^(ENTRYPOINT|CMD) (\[.*\])$", read("Dockerfile"), re.MULTILINE))
    assert json.loads(instructions["ENTRYPOINT"]) == ["wharf"]
    assert parse(json.loads(instructions["CMD"]))[0] == "web"


def test_release_and_migrate_run_the_same_steps() -> None:
    assert procfile_commands()["release"] == compose_commands()["migrate"] == RELEASE


def test_workers_of_the_procfile_consume_every_queue() -> None:
    assert queues(procfile_commands()) == set(Queue)


def test_workers_of_compose_consume_every_queue() -> None:
    assert queues(compose_commands()) == set(Queue)


@pytest.mark.parametrize("path", ["Procfile", "docker-compose.yml", "Dockerfile", ".env.example"])
def test_only_settings_that_exist_are_set(path: str) -> None:
    assert variables(read(path)) - KNOWN_VARIABLES == set()


@pytest.mark.parametrize(
    "path", ["Procfile", "docker-compose.yml", "service/cli/parts.py", "service/stack/application.py"]
)
def test_flower_knows_every_option_that_it_is_given(path: str) -> None:
    given = set(re.findall(r"\bFLOWER_([A-Z_]+)\b", read(path))) - {"USER"}  # ours, the name for its password
    assert given
    assert {name.lower() for name in given} - set(default_options) == set()


def test_every_own_service_has_the_same_settings() -> None:
    settings = {
        name: {key: value for key, value in service["environment"].items() if key in KNOWN_VARIABLES}
        for name, service in own_services().items()
    }
    worker_only = settings["worker"].pop(READY_FILE_VARIABLE)
    assert f"test: [CMD, test, -e, {worker_only}]" in read("docker-compose.yml")
    assert all(service == settings["web"] for service in settings.values())


def test_compose_gives_every_setting_that_is_required(
    settings_in_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in own_services()["web"]["environment"].items():
        required = re.sub(r"\$\{\w+:\?[^}]*\}", "x1", value)
        monkeypatch.setenv(name, re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", required))
    settings = Settings.from_environment()
    assert (settings.database_url, settings.broker_url, settings.s3_endpoint, settings.s3_path_style) == (
        "postgresql://wharf:x1@postgres:5432/wharf",
        "redis://:x1@valkey:6379/0",
        "http://s3:8333",
        True,
    )


def test_no_secret_has_a_default_and_the_example_lists_each() -> None:
    text = read("docker-compose.yml")
    asked = set(re.findall(r"\$\{(\w+)", text))
    required = set(re.findall(r"\$\{(\w+):\?", text))
    assert asked - required == {"WHARF_ALLOWED_HOSTS", "WHARF_SECRET_KEYS", "WHARF_STATIC_KEYS"}
    example = dict(re.findall(r"^(\w+)=(.*)$", read(".env.example"), re.MULTILINE))
    assert set(example) == asked
    assert {name for name, value in example.items() if value} == {"WHARF_S3_PUBLIC_ENDPOINT"}


def test_nothing_in_compose_is_published_beyond_this_machine() -> None:
    published = {name: service.get("ports", []) for name, service in compose().items() if service.get("ports")}
    assert published == {
        "s3": ["127.0.0.1:8333:8333"],
        "web": ["127.0.0.1:8080:8080"],
        "flower": ["127.0.0.1:5555:5555"],
    }


def test_servers_of_others_are_pinned_to_a_version() -> None:
    images = {service["image"] for service in compose().values()} - {"wharf"}
    assert {image.partition(":")[0] for image in images} == {"postgres", "valkey/valkey", "chrislusf/seaweedfs"}
    assert all(re.fullmatch(r"[\w/]+:\d+(\.\d+)*", image) for image in images)


def test_the_worker_may_finish_its_chunk_before_it_is_stopped() -> None:
    assert compose()["worker"]["stop_grace_period"] == "60s"


def test_every_service_has_a_health_check_or_says_that_it_has_none() -> None:
    checks = {name: service.get("healthcheck") for name, service in compose().items()}
    assert {name for name, check in checks.items() if check is None} == {"web"}  # it has the image's
    assert {name for name, check in checks.items() if check and check.get("disable")} == {"migrate", "beat"}
    assert "HEALTHCHECK" in read("Dockerfile")


def test_the_image_is_not_run_by_root_and_built_by_hash() -> None:
    dockerfile = read("Dockerfile")
    assert re.findall(r"^USER (.+)$", dockerfile, re.MULTILINE) == ["10001:10001"]
    assert "--require-hashes --requirement requirements/server.txt" in dockerfile
