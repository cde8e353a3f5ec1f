"""Names are looked up for a bounded time."""

import socket
from collections.abc import Callable
from ipaddress import ip_address
from threading import Event
from typing import Any

import pytest

from service.source.resolver import resolve_by_system


def found(*addresses: str) -> Callable[..., list[Any]]:
    return lambda _host, port, **_options: [(0, 0, 0, "", (text, port)) for text in addresses]


def test_each_address_is_given_once_in_the_order_of_the_system() -> None:
    look_up = found("2606:4700::1111", "1.1.1.1", "2606:4700::1111")
    assert resolve_by_system("a.example", 443, look_up=look_up) == [
        ip_address("2606:4700::1111"),
        ip_address("1.1.1.1"),
    ]


def test_the_system_reads_a_literal_address_as_itself() -> None:
    assert resolve_by_system("127.0.0.1", 80) == [ip_address("127.0.0.1")]


def test_an_unknown_name_is_an_error() -> None:
    def look_up(*_: object, **_options: object) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    with pytest.raises(socket.gaierror, match="unknown"):
        resolve_by_system("a.example", 443, look_up=look_up)


def test_a_late_answer_is_not_waited_for() -> None:
    over = Event()

    def look_up(*_: object, **_options: object) -> list[Any]:
        over.wait()
        return []

    with pytest.raises(socket.gaierror, match="did not answer in time"):
        resolve_by_system("a.example", 443, seconds=0.01, look_up=look_up)
    over.set()
