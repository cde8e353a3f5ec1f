"""The address guard: which URLs may be read, and connections to checked addresses only.

Checking a URL first and fetching it afterwards proves nothing, since a name may answer differently the second time.
So the rules hold where the connection is made: the name is resolved once, every answer is judged, and the address
that was judged is the one dialled (docs/adr/0005-address-guard.md).
"""

import re
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Protocol

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from service.errors import ValidationError
from service.source.resolver import Address, resolve_by_system

_DEFAULT_PORTS = {"http": 80, "https": 443}
_GLOBAL_UNICAST = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")

# Written out instead of `ipaddress.is_global`, which differs between Python's versions, lets cloud metadata through
# and calls multicast and site-local addresses global. From IANA's special-purpose registries unless noted.
_NOT_PUBLIC = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; Alibaba's metadata is 100.100.100.200
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's wire server: a public address that answers inside its virtual machines
        "169.254.0.0/16",  # link-local, with the metadata service of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # with Oracle's metadata, 192.0.0.192
        "192.0.2.0/24",
        "192.88.99.0/24",  # 6to4 relays, withdrawn
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",  # IETF protocols: Teredo, ORCHID, benchmarking
        "2001:db8::/32",
        "3fff::/20",
    )
)

# The last label of a name that every resolver reads as an IPv4 address in disguise: 2130706433, 0x7f.1, 127.0.0.01.
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_NAME_MAX_CHARACTERS = 253
# Parsers disagree about white space, control characters and backslashes; a half surrogate has no bytes at all.
_NEVER_IN_A_URL = re.compile(r"[\x00-\x20\x7f\\\ud800-\udfff]")
# Any @ before the path, also one with nothing before it, which parse_url passes over.
_USER = re.compile(r"[^/?#]*//[^/?#]*@")
# What every part of HTTP should support (RFC 9110 section 4.1); signed links have a few hundred.
_URL_MAX_CHARACTERS = 8000
# An entry of the allow-list; what does not fit is an IPv6 address without brackets.
_ALLOWED = re.compile(r"(?P<host>\[.*\]|[^:]*)(?::(?P<port>[0-9]{1,5}))?")

# A name may answer with any number of addresses, and each may take the whole connect timeout.
_ADDRESSES_TRIED = 4

_REMEDY = (
    "Use an https link on port 443 of a public host, without user name and password; "
    "other hosts and ports must be allowed by the operator with WHARF_ALLOWED_HOSTS"
)


class Resolver(Protocol):
    """Looks a name up; raises socket.gaierror where there is no answer."""

    def __call__(self, host: str, port: int) -> Sequence[Address]:
        """Every address of `host`, best first."""


class Dialer(Protocol):
    """Opens a TCP connection; raises OSError where that fails."""

    def __call__(self, address: Address, port: int, timeout: float | None) -> socket.socket:
        """A socket connected to exactly `address` within `timeout` seconds."""


def dial(address: Address, port: int, timeout: float | None) -> socket.socket:
    """Connect to a literal address: no name is looked up here."""
    return socket.create_connection((str(address), port), timeout)


def is_public(ip: Address) -> bool:
    """Whether `ip` belongs to the public internet; an IPv4 address inside an IPv6 one is judged by itself."""
    inner = _embedded(ip)
    if inner is not None:
        return is_public(inner)
    if isinstance(ip, IPv6Address) and ip not in _GLOBAL_UNICAST:
        return False
    return not any(ip in network for network in _NOT_PUBLIC)


def _embedded(ip: Address) -> IPv4Address | None:
    """The IPv4 address that a mapped, NAT64 or 6to4 address leads to."""
    if isinstance(ip, IPv4Address):
        return None
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour


@dataclass(frozen=True, slots=True)
class Target:
    """What a URL connects to: a lower-case scheme, a name or literal address without brackets, a port."""

    scheme: str
    host: str
    port: int

    @property
    def literal(self) -> Address | None:
        """The host as an address, where it is one; with a zone it belongs to one link and means nothing elsewhere."""
        try:
            return None if "%" in self.host else ip_address(self.host)
        except ValueError:
            return None

    @property
    def origin(self) -> str:
        """The URL without path and query, fit for messages and logs."""
        port = "" if self.port == _DEFAULT_PORTS.get(self.scheme) else f":{self.port}"
        return f"{self.scheme}://{_bracketed(self.host)}{port}"


@dataclass(frozen=True, slots=True)
class AddressGuard:
    """The rules for one kind of URL (`field` names it in messages), with the operator's exceptions.

    An allowed `host` may be reached on every port, `host:port` on that port only (`[::1]:8080` for IPv6); both by plain
    http and on private addresses too. Resolver and dialer are parameters so that tests see every attempt.
    """

    allowed_hosts: frozenset[str] = frozenset()
    field: str = "file_url"
    resolver: Resolver = resolve_by_system
    dialer: Dialer = dial

    def check_url(self, url: str) -> Target:
        """Judge a URL by its text alone, without any look-up; raises ValidationError with the rule it breaks."""
        if not url or _NEVER_IN_A_URL.search(url):
            raise self._refusal("it is empty or contains white space, a control character or a backslash")
        if len(url) > _URL_MAX_CHARACTERS:
            raise self._refusal(f"it is longer than {_URL_MAX_CHARACTERS} characters")
        if _USER.match(url):
            raise self._refusal("it carries a user name or password")
        try:
            parts = parse_url(url)
        except LocationParseError:
            # Its text quotes the URL, which may hold a signature.
            raise self._refusal("it is not a URL") from None
        scheme = parts.scheme or ""
        port = _DEFAULT_PORTS.get(scheme, 0) if parts.port is None else parts.port
        target = make_target(scheme, parts.host or "", port)
        self.check_target(target)
        return target

    def check_target(self, target: Target) -> None:
        """Judge scheme, host and port, and the address where the host is a literal one; raises ValidationError."""
        if target.scheme not in _DEFAULT_PORTS:
            raise self._refusal("it does not begin with https://")
        if target.literal is None and not _is_name(target.host):
            raise self._refusal("its host is neither a name nor an address in its usual form")
        if self._allows(target):
            return
        if target.scheme != "https":
            raise self._refusal("it does not begin with https://")
        if target.port != _DEFAULT_PORTS["https"]:
            raise self._refusal(f"port {target.port} is not allowed")
        if target.literal is not None and not is_public(target.literal):
            raise self._refusal("its address is not public")

    def admit(self, url: str) -> Target:
        """Judge a URL when a task is created: its text, and every address that its name has now.

        Raises ValidationError, or ResolverBusyError when too many names are being looked up. What holds is the check
        that `connect` makes; this one tells the caller early.
        """
        target = self.check_url(url)
        try:
            self.resolve(target)
        except socket.gaierror as error:
            raise self._refusal(f"its host name cannot be resolved ({error.strerror})") from error
        return target

    def resolve(self, target: Target) -> Sequence[Address]:
        """The addresses of `target`, at least one, all of them public unless the host is allowed by the operator.

        Raises ValidationError when any answer is not public, socket.gaierror when there is none.
        """
        addresses = [target.literal] if target.literal else self.resolver(target.host, target.port)
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "no address")
        if not self._allows(target) and not all(map(is_public, addresses)):
            raise self._refusal("its host name leads to an address that is not public")
        return addresses

    def connect(self, target: Target, timeout: float | None) -> socket.socket:
        """Connect to an address of `target` that was judged in this very call; `timeout` in seconds for each try.

        Raises ValidationError before anything is dialled, socket.gaierror and OSError as sockets do.
        """
        self.check_target(target)
        *others, last = self.resolve(target)[:_ADDRESSES_TRIED]
        for address in others:
            with suppress(OSError):
                return self.dialer(address, target.port, timeout)
        return self.dialer(last, target.port, timeout)

    def _allows(self, target: Target) -> bool:
        return any(_opens(entry, target) for entry in self.allowed_hosts)

    def _refusal(self, rule: str) -> ValidationError:
        message = f"{self.field} must be an https URL pointing to a publicly routable host"
        return ValidationError(message, field=self.field, rule=rule, remedy=_REMEDY)


def make_target(scheme: str, host: str, port: int) -> Target:
    """A target in its one spelling: no brackets, no final dot, lower case, addresses in their shortest form."""
    target = Target(scheme.lower(), host.strip("[]").removesuffix(".").lower(), port)
    return target if target.literal is None else Target(target.scheme, str(target.literal), port)


def _opens(entry: str, target: Target) -> bool:
    """Whether an entry of the allow-list names the host of `target`, and its port if it names any."""
    found = _ALLOWED.fullmatch(entry)
    host, port = found.group("host", "port") if found else (entry, None)
    allowed = make_target(target.scheme, host, target.port if port is None else int(port))
    return allowed == target


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _is_name(host: str) -> bool:
    """Whether `host` is a DNS name that no resolver takes for a number."""
    labels = host.split(".")
    return (
        len(host) <= _NAME_MAX_CHARACTERS
        and all(_LABEL.fullmatch(label) for label in labels)
        and not _NUMERIC_LABEL.fullmatch(labels[-1])
    )
