"""The address guard: what is public, and that nothing else is ever dialled."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import SourceRefusedError, SourceUnavailableError, ValidationError
from service.source.guard import AddressGuard, Target, is_public
from service.source.http import SourceLimits, open_source
from service.source.resolver import Address
from tests.unit.source.hostile import HOSTILE_TARGETS, PUBLIC, Names, make_names

MESSAGE = "file_url must be an https URL pointing to a publicly routable host"
LIMITS = SourceLimits(max_bytes=1000)


class Dials:
    """A dialer that writes down every attempt and never connects."""

    def __init__(self) -> None:
        self.attempts: list[tuple[str, int]] = []

    def __call__(self, address: Address, port: int, timeout: float | None) -> socket.socket:
        del timeout
        self.attempts.append((str(address), port))
        raise ConnectionRefusedError


@pytest.mark.parametrize("url", HOSTILE_TARGETS.values(), ids=HOSTILE_TARGETS)
def test_a_hostile_target_is_refused_and_never_dialled(url: str) -> None:
    dials = Dials()
    guard = AddressGuard(resolver=make_names(), dialer=dials)
    with pytest.raises(ValidationError, match=f"^{MESSAGE}$") as refusal:
        guard.admit(url)
    with pytest.raises(SourceRefusedError, match=MESSAGE):
        open_source(url, guard, LIMITS)
    assert refusal.value.details.keys() == {"field", "rule", "remedy"}
    assert dials.attempts == []


def test_a_name_that_changes_between_check_and_connection_is_not_dialled() -> None:
    dials = Dials()
    guard = AddressGuard(resolver=make_names(), dialer=dials)
    guard.admit("https://rebinding.example/")
    with pytest.raises(SourceRefusedError, match="an address that is not public"):
        open_source("https://rebinding.example/", guard, LIMITS)
    assert dials.attempts == []


def test_the_address_that_was_checked_is_the_one_dialled() -> None:
    dials = Dials()
    guard = AddressGuard(resolver=Names(rebinding_example=[[PUBLIC], ["127.0.0.1"]]), dialer=dials)
    with pytest.raises(SourceUnavailableError):
        open_source("https://rebinding.example/file.csv?token=secret", guard, LIMITS)
    assert dials.attempts == [(PUBLIC, 443)]


def test_at_most_four_addresses_of_a_name_are_tried() -> None:
    dials = Dials()
    guard = AddressGuard(resolver=make_names(), dialer=dials)
    with pytest.raises(ConnectionRefusedError):
        guard.connect(Target("https", "several.example", 443), timeout=1)
    assert dials.attempts == [("8.8.8.8", 443), ("8.8.4.4", 443), ("1.1.1.1", 443), ("9.9.9.9", 443)]


def test_a_name_without_an_address_is_refused_at_create_and_tried_again_at_fetch() -> None:
    guard = AddressGuard(resolver=Names(), dialer=Dials())
    with pytest.raises(ValidationError, match=MESSAGE) as refusal:
        guard.admit("https://unknown.example/")
    assert refusal.value.details["rule"] == "its host name cannot be resolved"
    with pytest.raises(SourceUnavailableError, match="cannot be resolved"):
        open_source("https://unknown.example/", guard, LIMITS)


def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:3128")
    dials = Dials()
    with pytest.raises(SourceUnavailableError):
        open_source("https://public.example/", AddressGuard(resolver=make_names(), dialer=dials), LIMITS)
    assert dials.attempts == [(PUBLIC, 443)]


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://public.example/a?b#c", Target("https", "public.example", 443)),
        ("HTTPS://PUBLIC.example.:443/", Target("https", "public.example", 443)),
        ("https://münchen.example/", Target("https", "xn--mnchen-3ya.example", 443)),
        ("https://8.8.8.8/", Target("https", "8.8.8.8", 443)),
        ("https://[2001:4860:4860:0::8888]/", Target("https", "2001:4860:4860::8888", 443)),
    ],
)
def test_a_public_https_url_gives_its_target(url: str, target: Target) -> None:
    assert AddressGuard().check_url(url) == target


@pytest.mark.parametrize(
    ("allowed", "url", "is_allowed"),
    [
        ("inside.example", "http://inside.example/", True),
        ("inside.example", "https://inside.example:9000/", True),
        ("inside.example:9000", "http://inside.example:9000/", True),
        ("inside.example:9000", "http://inside.example:9001/", False),
        ("inside.example:80", "http://inside.example/", True),
        ("inside.example", "http://sub.inside.example/", False),
        ("inside.example", "http://inside.example.org/", False),
        ("10.0.0.1:8000", "http://10.0.0.1:8000/", True),
        ("10.0.0.1", "http://10.0.0.2/", False),
        ("[::1]:8000", "http://[::1]:8000/", True),
        ("[::1]", "http://[0::1]:8000/", True),
        ("inside.example", "http://user@inside.example/", False),
        ("inside.example", "file://inside.example/", False),
    ],
)
def test_the_allow_list_opens_exactly_what_it_names(allowed: str, url: str, *, is_allowed: bool) -> None:
    guard = AddressGuard(frozenset({allowed}), resolver=make_names(), dialer=Dials())
    if is_allowed:
        guard.admit(url)
    else:
        with pytest.raises(ValidationError, match=MESSAGE):
            guard.admit(url)


def test_the_message_names_the_field_that_is_guarded() -> None:
    with pytest.raises(ValidationError, match=r"^endpoint must be an https URL"):
        AddressGuard(field="endpoint").check_url("http://public.example/")


@pytest.mark.parametrize(
    "text",
    ["8.8.8.8", "1.1.1.1", "168.63.129.17", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::"],
)
def test_an_address_of_the_internet_is_public(text: str) -> None:
    assert is_public(ip_address(text))


@given(st.ip_addresses())
def test_what_is_public_is_global_and_unicast_to_python_too(ip: Address) -> None:
    if is_public(ip):
        assert ip.is_global
        assert not ip.is_multicast


@given(st.ip_addresses(v=4))
def test_an_embedded_address_is_judged_like_the_address_itself(ip: IPv4Address) -> None:
    forms = [
        IPv6Address(f"::ffff:{ip}"),
        IPv6Address(f"64:ff9b::{ip}"),
        IPv6Address((0x2002 << 112) | (int(ip) << 80)),
    ]
    assert [is_public(form) for form in forms] == [is_public(ip)] * len(forms)
