"""Whatever a URL, a redirect or an answer says: a checked address is dialled, or one of our errors is raised."""

from collections.abc import Sequence
from contextlib import suppress
from ipaddress import IPv6Address, ip_address

from hypothesis import given
from hypothesis import strategies as st

from service.errors import SourceRefusedError, SourceUnavailableError, ValidationError
from service.source.guard import AddressGuard
from service.source.http import SourceLimits, open_source
from service.source.resolver import Address
from tests.unit.source.hostile import HOSTILE
from tests.unit.source.wire import Dials, redirect_to

LIMITS = SourceLimits(max_bytes=1000)
START = "http://start.example/rows.csv"

PIECES = st.sampled_from(
    [
        *["https://", "https:", "https:/", "http://", "ftp://", "//", "/", "\\", "?", "#", "@", ":", ";", "&", "."],
        *[":443", ":80", ":0", ":", "[", "]", "%", "%25", "%2e", "%2f", "%40", "%00", "。", "｡", "①", "ⓛ", "\u200b"],
        *["public.example", "inside.example", "localhost", "drive.google.com", "1drv.ms", "www.dropbox.com"],
        *["github.com", "/file/d/", "/a/b/blob/", "?id=", "?dl=0", "xn--", "ß", "İ", "K", "ſ", "℀", "é", "\ud800"],  # noqa: RUF001
        *["127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177", "8.8.8.8", "::1", "[::1]", "[::ffff:7f00:1]", "%25lo"],
        *["[2606:4700::1111]", "[64:ff9b::a00:1]", "169.254.169.254", "user:password@", "\t", "\r\n", " ", "\x00"],
    ]
)
URLS = st.one_of(
    st.text(),
    st.text().map("https://".__add__),
    st.lists(PIECES | st.text(max_size=2), max_size=8).map("".join),
    st.lists(PIECES | st.text(max_size=2), max_size=6).map(lambda pieces: "https://" + "".join(pieces)),
    st.tuples(st.sampled_from([target.url for target in HOSTILE]), PIECES, st.integers(0, 40)).map(
        lambda made: made[0][: made[2]] + made[1] + made[0][made[2] :]
    ),
)
ANSWERS = st.lists(
    st.lists(
        st.sampled_from(["8.8.8.8", "1.1.1.1", "2606:4700::1111", "64:ff9b::808:808"])
        | st.sampled_from(["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fe80::1%eth0", "::ffff:10.0.0.1"])
        | st.ip_addresses().map(str),
        max_size=3,
    ),
    min_size=1,
    max_size=4,
)
HEADERS = st.sampled_from([b"Location", b"Content-Length", b"Retry-After", b"Content-Encoding", b"Transfer-Encoding"])
VALUES = st.binary(max_size=20) | st.sampled_from(
    [
        b"chunked",
        b"gzip",
        b"9" * 5000,
        b"-5",
        b"3, 4",
        b"0",
        b"1",
        b"https://[x",
        b"Mon, 01 Jan 2026 00:00:00 +99999999999",
    ]
)


class Rounds:
    """A resolver that gives the next of its answers each time, and begins again after the last."""

    def __init__(self, answers: list[list[str]]) -> None:
        self._answers = answers
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[Address]:
        del port
        self.asked.append(host)
        return [ip_address(text) for text in self._answers[len(self.asked) % len(self._answers)]]


def is_of_the_internet(text: str) -> bool:
    """What Python's own table says of an address, looked at from inside out; not what the guard says of it."""
    ip = ip_address(text)
    if isinstance(ip, IPv6Address):
        nat64 = ip_address(int(ip) & 0xFFFF_FFFF) if text.startswith("64:ff9b::") else None
        ip = ip.ipv4_mapped or ip.sixtofour or nat64 or ip
    return ip.is_global and not ip.is_multicast and str(ip) not in {"168.63.129.16", "192.0.0.192"}


def read(url: str, guard: AddressGuard) -> None:
    """Read a source to its end, or to one of the two errors that it may end with."""
    with suppress(SourceRefusedError, SourceUnavailableError), open_source(url, guard, LIMITS) as source:
        for _ in source:
            pass


@given(URLS, ANSWERS)
def test_any_text_is_refused_or_leads_to_public_addresses_on_443(url: str, answers: list[list[str]]) -> None:
    dials = Dials()
    guard = AddressGuard(resolver=Rounds(answers), dialer=dials)
    with suppress(ValidationError):
        guard.admit(url)
    read(url, guard)
    assert [attempt for attempt in dials.attempts if attempt[1] != 443 or not is_of_the_internet(attempt[0])] == []


@given(URLS)
def test_the_host_that_is_checked_is_the_host_that_is_looked_up(url: str) -> None:
    names = Rounds([["8.8.8.8"]])
    guard = AddressGuard(resolver=names, dialer=Dials())
    try:
        target = guard.check_url(url)
    except ValidationError:
        return
    read(url, guard)
    rewritten = {"drive.google.com", "api.onedrive.com", "raw.githubusercontent.com"}
    assert names.asked == ([] if target.literal else [target.host]) or {*names.asked} < rewritten


@given(URLS, ANSWERS)
def test_any_redirect_is_refused_or_leads_to_public_addresses_on_443(location: str, answers: list[list[str]]) -> None:
    value = location.replace("\r", "").replace("\n", "").encode("utf-8", "surrogatepass")
    with Dials(redirect_to(value)) as dials:
        guard = AddressGuard(frozenset({"start.example:80"}), resolver=Rounds(answers), dialer=dials)
        read(START, guard)
    elsewhere = [attempt for attempt in dials.attempts if attempt[1] != 80]
    assert [attempt for attempt in elsewhere if attempt[1] != 443 or not is_of_the_internet(attempt[0])] == []


@given(
    st.sampled_from([200, 302, 303, 429, 503, 404, 101, 204]),
    st.lists(st.tuples(HEADERS, VALUES), max_size=4),
    st.binary(max_size=60) | st.sampled_from([b"-5\r\n", b"1_0\r\nx", b"0\r\n\r\n", b"ffffffffffffffffff\r\n"]),
)
def test_any_answer_is_read_or_ends_with_one_of_our_errors(
    status: int, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    lines = [b"HTTP/1.1 %d Words" % status, *(name + b": " + value for name, value in headers)]
    with Dials(b"\r\n".join(lines) + b"\r\n\r\n" + body) as dials:
        read(START, AddressGuard(frozenset({"start.example"}), resolver=Rounds([["8.8.8.8"]]), dialer=dials))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_end_with_one_of_our_errors(answer: bytes) -> None:
    with Dials(answer) as dials:
        read(START, AddressGuard(frozenset({"start.example"}), resolver=Rounds([["8.8.8.8"]]), dialer=dials))
