"""The address guard: what is public, and that nothing else is ever dialled."""

from ipaddress import IPv4Address, IPv6Address, ip_address
from traceback import format_exception

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import SourceRefusedError, SourceUnavailableError, ValidationError
from service.source.guard import AddressGuard, Target, is_public
from service.source.http import SourceLimits, open_source
from service.source.resolver import Address, SystemResolver
from tests.unit.source.hostile import HOSTILE, PUBLIC, REBINDING, Hostile, make_names
from tests.unit.source.wire import Connections, Dials, redirect_to

MESSAGE = "file_url must be an https URL pointing to a publicly routable host"
REMEDY = (
    "Use an https link on port 443 of a public host, without user name and password; "
    "other hosts and ports must be allowed by the operator with WHARF_ALLOWED_HOSTS"
)
LIMITS = SourceLimits(max_bytes=1000)
SECRET = "s3cr3t"

each_hostile_target = pytest.mark.parametrize("target", HOSTILE, ids=[target.kind for target in HOSTILE])


@each_hostile_target
def test_a_hostile_target_is_refused_at_create_by_its_rule(connections: Connections, target: Hostile) -> None:
    dials = Dials()
    with pytest.raises(ValidationError) as refusal:
        AddressGuard(resolver=make_names(), dialer=dials).admit(target.url)
    assert refusal.value.message == MESSAGE
    assert refusal.value.details == {"field": "file_url", "rule": target.rule, "remedy": REMEDY}
    assert (dials.attempts, connections.addresses) == ([], [])


@each_hostile_target
def test_a_hostile_target_is_never_dialled(connections: Connections, target: Hostile) -> None:
    dials = Dials()
    with pytest.raises(SourceRefusedError) as refusal:
        open_source(target.url, AddressGuard(resolver=make_names(), dialer=dials), LIMITS)
    assert refusal.value.message == f"{MESSAGE}: {target.rule}. {REMEDY}"
    assert (dials.attempts, connections.addresses) == ([], [])


def in_a_header(url: str) -> bytes | None:
    """The URL as a Location that is absolute and survives the header; None for what cannot be sent so."""
    scheme, colon, _ = url.partition(":")
    return url.encode() if colon and scheme.isalnum() and scheme.isascii() and url.isprintable() else None


@pytest.mark.parametrize(
    ("target", "location"),
    [(target, location) for target in HOSTILE if (location := in_a_header(target.url))],
    ids=[target.kind for target in HOSTILE if in_a_header(target.url)],
)
def test_a_redirect_to_a_hostile_target_is_not_followed(
    connections: Connections, target: Hostile, location: bytes
) -> None:
    with Dials(redirect_to(location)) as dials:
        guard = AddressGuard(frozenset({"start.example"}), resolver=make_names(start=[[PUBLIC]]), dialer=dials)
        with pytest.raises(SourceRefusedError) as refusal:
            open_source("http://start.example/", guard, LIMITS)
    assert "redirect" in refusal.value.message
    assert (dials.attempts, connections.addresses) == ([(PUBLIC, 80)], [])


@pytest.mark.parametrize(
    "target",
    [
        Target("http", "public.example", 80),
        Target("https", "public.example", 8443),
        Target("ftp", "public.example", 443),
        Target("https", "127.1", 443),
        Target("https", "127.0.0.1", 443),
        Target("https", "::1%lo", 443),
        Target("https", "inside.example", 443),
        Target("https", "", 443),
    ],
)
def test_a_connection_is_judged_whatever_was_judged_before(target: Target) -> None:
    dials = Dials()
    with pytest.raises(ValidationError):
        AddressGuard(resolver=make_names(), dialer=dials).connect(target, timeout=1)
    assert dials.attempts == []


@pytest.mark.parametrize("rounds", REBINDING.values(), ids=REBINDING)
def test_a_name_that_changes_between_check_and_connection_is_not_dialled(
    connections: Connections, rounds: list[list[str]]
) -> None:
    dials = Dials()
    guard = AddressGuard(resolver=make_names(rebinding=rounds), dialer=dials)
    guard.admit("https://rebinding.example/")
    with pytest.raises(SourceRefusedError, match="its host name leads to an address that is not public"):
        open_source("https://rebinding.example/", guard, LIMITS)
    assert (dials.attempts, connections.addresses) == ([], [])


@pytest.mark.parametrize("rounds", REBINDING.values(), ids=REBINDING)
def test_the_address_that_was_checked_is_the_one_dialled(rounds: list[list[str]]) -> None:
    dials = Dials()
    names = make_names(rebinding=rounds)
    with pytest.raises(SourceUnavailableError):
        open_source("https://rebinding.example/rows.csv", AddressGuard(resolver=names, dialer=dials), LIMITS)
    assert names.asked == ["rebinding.example"]
    assert dials.attempts == [(PUBLIC, 443)]


@each_hostile_target
def test_a_refusal_keeps_the_secrets_of_its_url(target: Hostile) -> None:
    guard = AddressGuard(resolver=make_names(), dialer=Dials())
    url = target.url.replace("secret@", f"{SECRET}@") + f"?X-Amz-Signature={SECRET}"
    with pytest.raises(ValidationError) as at_create:
        guard.admit(url)
    with pytest.raises(SourceRefusedError) as at_fetch:
        open_source(url, guard, LIMITS)
    for error in (at_create.value, at_fetch.value):
        # With all that led to it, as a log would have it.
        assert SECRET not in "".join(format_exception(error)) + str(error.details)


@pytest.mark.parametrize(
    "location", ["https://[half/?token=s3cr3t", "//[x]/?token=s3cr3t", "http://[::ffff:1.2.3.4?token=s3cr3t"]
)
def test_a_redirect_to_what_is_no_url_is_refused(location: str) -> None:
    with Dials(redirect_to(location.encode())) as dials:
        guard = AddressGuard(frozenset({"start.example"}), resolver=make_names(start=[[PUBLIC]]), dialer=dials)
        with pytest.raises(SourceRefusedError) as refusal:
            open_source("http://start.example/", guard, LIMITS)
    assert refusal.value.message == (
        "The source redirects to something that is not a URL (http://start.example). "
        "Check the link and create a new task"
    )
    assert SECRET not in "".join(format_exception(refusal.value))
    assert dials.attempts == [(PUBLIC, 80)]


def test_a_refused_redirect_is_told_from_the_url_of_the_caller() -> None:
    with Dials(redirect_to(b"http://inside.example/")) as dials:
        guard = AddressGuard(frozenset({"start.example"}), resolver=make_names(start=[[PUBLIC]]), dialer=dials)
        with pytest.raises(SourceRefusedError, match=r"^the redirect of http://start.example must be an https URL"):
            open_source("http://start.example/rows.csv", guard, LIMITS)


def test_at_most_four_addresses_of_a_name_are_tried() -> None:
    dials = Dials()
    guard = AddressGuard(resolver=make_names(), dialer=dials)
    with pytest.raises(ConnectionRefusedError):
        guard.connect(Target("https", "several.example", 443), timeout=1)
    assert dials.attempts == [("8.8.8.8", 443), ("8.8.4.4", 443), ("1.1.1.1", 443), ("9.9.9.9", 443)]


def test_a_name_without_an_address_is_refused_at_create_and_tried_again_at_fetch() -> None:
    guard = AddressGuard(resolver=make_names(), dialer=Dials())
    with pytest.raises(ValidationError, match=MESSAGE) as refusal:
        guard.admit("https://unknown.example/")
    assert refusal.value.details["rule"] == "its host name cannot be resolved (unknown)"
    with pytest.raises(SourceUnavailableError, match="cannot be resolved"):
        open_source("https://unknown.example/", guard, LIMITS)


def test_a_name_whose_servers_are_silent_is_refused_at_create() -> None:
    guard = AddressGuard(resolver=SystemResolver(seconds=0, look_up=lambda *_, **_options: []), dialer=Dials())
    with pytest.raises(ValidationError, match=MESSAGE) as refusal:
        guard.admit("https://silent.example/")
    assert refusal.value.details["rule"].startswith("its host name cannot be resolved (")


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
        ("https://public.example/@127.0.0.1", Target("https", "public.example", 443)),
        ("https://public.example?@127.0.0.1", Target("https", "public.example", 443)),
        ("https://public.example#@127.0.0.1", Target("https", "public.example", 443)),
        ("https://public.example//127.0.0.1:99999/", Target("https", "public.example", 443)),
        ("HTTPS://PUBLIC.example.:443/", Target("https", "public.example", 443)),
        ("https://public.example:/", Target("https", "public.example", 443)),
        ("https://public%2eexample/", Target("https", "public.example", 443)),
        ("https://münchen.example/", Target("https", "xn--mnchen-3ya.example", 443)),
        ("https://_a-.example/", Target("https", "_a-.example", 443)),
        (f"https://{'a' * 63}.example/", Target("https", f"{'a' * 63}.example", 443)),
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
        ("inside.example", "http://INSIDE.example./", True),
        ("inside.example.", "http://inside.example/", True),
        ("inside.example:9000", "http://inside.example:9000/", True),
        ("inside.example:9000", "http://inside.example:9001/", False),
        ("inside.example:9000", "http://inside.example/", False),
        ("inside.example:80", "http://inside.example/", True),
        ("inside.example:80", "https://inside.example/", False),
        ("inside.example", "http://sub.inside.example/", False),
        ("inside.example", "http://inside.example.org/", False),
        ("inside.example", "http://notinside.example/", False),
        ("*.example", "http://inside.example/", False),
        ("https://inside.example", "http://inside.example/", False),
        ("10.0.0.1:8000", "http://10.0.0.1:8000/", True),
        ("10.0.0.1", "http://10.0.0.2/", False),
        ("10.0.0.1", "http://[::ffff:10.0.0.1]/", False),
        ("10.0.0.1", "http://167772161/", False),
        ("10.1.2.3", "http://inside.example/", False),
        ("[::1]:8000", "http://[::1]:8000/", True),
        ("[::1]:8000", "http://[::1]:8001/", False),
        ("[::1]", "http://[0::1]:8000/", True),
        ("[0:0::1]:8000", "http://[::1]:8000/", True),
        ("::1", "http://[::1]:8000/", True),
        ("::1", "http://127.0.0.1/", False),
        ("fe80::1%eth0", "http://[fe80::1%25eth0]/", False),
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


def test_a_redirect_from_an_allowed_host_is_not_allowed_by_it() -> None:
    with Dials(redirect_to(b"http://start.example:8000/"), redirect_to(b"https://inside.example/")) as dials:
        guard = AddressGuard(frozenset({"start.example"}), resolver=make_names(start=[["10.0.0.9"]]), dialer=dials)
        with pytest.raises(SourceRefusedError, match=r"^the redirect of http://start.example:8000 must be"):
            open_source("http://start.example/", guard, LIMITS)
    assert dials.attempts == [("10.0.0.9", 80), ("10.0.0.9", 8000)]


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
