"""The choice of ports, and that it is kept."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from service.errors import ConfigurationError
from service.stack.ports import HOST, Ports, choose_ports

CHOSEN = Ports(valkey=20001, s3=20002, postgres=20003, web=8080, flower=5555)


def all_but(*taken: int) -> Callable[[str, int], bool]:
    """Stand in for the machine: every port is free but these."""
    return lambda _host, port: port not in taken


def test_first_start_takes_the_usual_ports_and_saves_them(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    assert choose_ports(path, is_free=all_but(), candidates=iter(range(20001, 20100))) == CHOSEN
    assert json.loads(path.read_text()) == {
        "valkey": 20001,
        "s3": 20002,
        "postgres": 20003,
        "web": 8080,
        "flower": 5555,
    }
    assert path.stat().st_mode & 0o777 == 0o600


def test_next_start_takes_the_same_ports(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    choose_ports(path, is_free=all_but(), candidates=iter(range(20001, 20100)))
    assert choose_ports(path, is_free=all_but(), candidates=iter(range(20500, 20600))) == CHOSEN


def test_a_kept_port_that_is_taken_is_replaced_and_the_new_one_kept(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    choose_ports(path, is_free=all_but(), candidates=iter(range(20001, 20100)))
    choose_ports(path, is_free=all_but(8080, 20002), candidates=iter(range(20001, 20100)))
    changed = Ports(valkey=20001, s3=20003, postgres=20004, web=20005, flower=5555)
    assert choose_ports(path, is_free=all_but(), candidates=iter(())) == changed


def test_no_port_is_given_twice(tmp_path: Path) -> None:
    chosen = choose_ports(
        tmp_path / "ports.json", web_port=5555, is_free=all_but(), candidates=iter([7, 7, 8, 8, 9, 10])
    )
    assert chosen == Ports(valkey=7, s3=8, postgres=9, web=5555, flower=10)


def test_a_port_asked_for_is_taken_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    assert choose_ports(path, web_port=9000, is_free=all_but()).web == 9000
    assert choose_ports(path, is_free=all_but()).web == 9000


def test_a_port_asked_for_that_is_taken_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=rf"^Port 9000 on {HOST} is taken.*--port\.$"):
        choose_ports(tmp_path / "ports.json", web_port=9000, is_free=all_but(9000))
    assert not (tmp_path / "ports.json").exists()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"web": "8080"}', '{"web": 0}', '{"web": 65536}', '{"web": true}', '{"gopher": 70}', "\x00"],
)
def test_a_damaged_file_is_named_with_its_remedy(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ports.json"
    path.write_text(text)
    with pytest.raises(
        ConfigurationError, match=r"ports\.json is damaged: .* Delete it: other ports are chosen then\.$"
    ):
        choose_ports(path, is_free=all_but())
    assert path.read_text() == text
