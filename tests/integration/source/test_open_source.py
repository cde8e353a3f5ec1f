"""Sources read over real connections: whole, or refused, or unavailable; never cut without a word."""

import gzip
import logging
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from service.errors import SourceRefusedError, SourceUnavailableError
from service.logs import _LOGS_URLS
from service.source.guard import AddressGuard
from service.source.http import SourceLimits, open_source
from tests.integration.source.origin import Answer, Dials, Origin, answer, trust, whole
from tests.unit.source.hostile import HOSTILE, Hostile, Names, make_names
from tests.unit.source.wire import Connections

LIMITS = SourceLimits(max_bytes=10_000_000, connect_seconds=2, read_seconds=2, stall_seconds=2, stall_bytes=1000)
SECRET = "token=s3cr3t"
NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


def raw(answer: bytes) -> Answer:
    """These bytes and no others; then the connection ends."""

    def send(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(answer)

    return send


def drip(origin: Origin, head: bytes, piece: bytes) -> Answer:
    """An answer that sends `piece` 20 times a second and never ends by itself."""

    def send(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(head)
        try:
            while not origin.over.wait(0.05):
                request.wfile.write(piece)
        except OSError:
            return  # the reader has had enough, which is what the test is about

    return send


def make_guard(origin: Origin) -> AddressGuard:
    return AddressGuard(frozenset({f"127.0.0.1:{origin.port}"}), resolver=make_names())


def read(origin: Origin, path: str = "/rows.csv", limits: SourceLimits = LIMITS) -> bytes:
    with open_source(f"{origin.url}{path}?{SECRET}", make_guard(origin), limits, now=lambda: NOW) as source:
        return b"".join(source)


def test_a_whole_file_is_read_with_its_length(origin: Origin) -> None:
    body = bytes(range(256)) * 10_000
    origin.answers["/rows.csv"] = whole(body)
    with open_source(f"{origin.url}/rows.csv", make_guard(origin), LIMITS) as source:
        assert source.length_bytes == len(body)
        assert source.origin == origin.url
        assert b"".join(source) == body


def test_the_request_asks_for_plain_bytes_and_tells_nothing_else(
    origin: Origin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login user password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    origin.answers["/start"] = answer(302, Location="/rows.csv", Set_Cookie="session=1; Path=/")
    origin.answers["/rows.csv"] = whole(b"id\n")
    assert read(origin, "/start") == b"id\n"
    sent = {"Host": f"127.0.0.1:{origin.port}", "Accept-Encoding": "identity", "Accept": "*/*", "User-Agent": "wharf"}
    assert origin.requests == [(f"/start?{SECRET}", sent), ("/rows.csv", sent)]


def test_an_empty_file_is_whole(origin: Origin) -> None:
    origin.answers["/rows.csv"] = whole(b"")
    assert read(origin) == b""


def test_a_chunked_body_is_read(origin: Origin) -> None:
    origin.answers["/rows.csv"] = answer(200, b"3\r\nid\n\r\n2\r\n1\n\r\n0\r\n\r\n", Transfer_Encoding="chunked")
    assert read(origin) == b"id\n1\n"


def test_a_body_that_ends_with_its_connection_is_read(origin: Origin) -> None:
    origin.answers["/rows.csv"] = answer(200, b"id\n1\n")
    assert read(origin) == b"id\n1\n"


def test_transport_gzip_is_taken_off(origin: Origin) -> None:
    origin.answers["/rows.csv"] = whole(gzip.compress(b"id\n1\n"), Content_Encoding="gzip")
    with open_source(f"{origin.url}/rows.csv", make_guard(origin), LIMITS) as source:
        assert source.length_bytes is None
        assert b"".join(source) == b"id\n1\n"


def test_a_gzip_file_stays_as_it_is(origin: Origin) -> None:
    packed = gzip.compress(b"id\n1\n")
    origin.answers["/rows.csv"] = whole(packed, Content_Type="application/gzip")
    assert read(origin) == packed


CUT: dict[str, Answer] = {
    "a body shorter than its length": answer(200, b"id\n1\n", Content_Length="1000"),
    "no body for its length": answer(200, b"", Content_Length="1000"),
    "a chunk shorter than its length": answer(200, b"3e8\r\nid\n", Transfer_Encoding="chunked"),
    "no last chunk": answer(200, b"3\r\nid\n\r\n", Transfer_Encoding="chunked"),
    "a chunk with a length below zero": answer(200, b"-5\r\nid\n", Transfer_Encoding="chunked"),
    "a chunk without a length": answer(200, b"zz\r\nid\n", Transfer_Encoding="chunked"),
    "cut gzip": answer(200, gzip.compress(b"id\n1\n")[:-3], Content_Length="25", Content_Encoding="gzip"),
    "no answer": lambda _request: None,
    "half a header line": raw(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "half a header": raw(b"HTTP/1.1 200 OK\r\nServer: x\r\n"),
    "half a status line": raw(b"HTTP/1.1 2"),
}


@pytest.mark.parametrize("cut", CUT.values(), ids=CUT)
def test_a_cut_transfer_is_not_the_end_of_the_file(origin: Origin, cut: Answer) -> None:
    origin.answers["/rows.csv"] = cut
    with pytest.raises(SourceUnavailableError, match="was cut") as error:
        read(origin)
    assert SECRET not in str(error.value)


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"a"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=", b"a"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b""),
        (b"", b""),
    ],
    ids=["in a header", "in the body", "in the length of a chunk", "silent in the body", "silent from the start"],
)
def test_a_source_that_is_too_slow_is_given_up(origin: Origin, head: bytes, piece: bytes) -> None:
    origin.answers["/rows.csv"] = drip(origin, head, piece)
    limits = SourceLimits(max_bytes=1000_000, read_seconds=0.3, stall_seconds=0.6, stall_bytes=1000)
    with pytest.raises(SourceUnavailableError, match="too slowly"):
        read(origin, limits=limits)


def test_a_port_where_nobody_listens_is_unavailable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        guard = AddressGuard(frozenset({"127.0.0.1"}))
        with pytest.raises(SourceUnavailableError, match=f"No connection .* \\(http://127.0.0.1:{port}\\)"):
            open_source(f"http://127.0.0.1:{port}/x?{SECRET}", guard, LIMITS)


@pytest.mark.parametrize("status", [201, 203, 204, 206, 300, 304, 400, 401, 403, 404, 410, 451, 501, 499])
def test_an_answer_that_only_the_caller_can_mend_is_refused(origin: Origin, status: int) -> None:
    origin.answers["/rows.csv"] = answer(status, Content_Length="0")
    with pytest.raises(SourceRefusedError, match=f"^The source answered {status} .*{origin.url}.*new task$") as error:
        read(origin)
    assert SECRET not in str(error.value)


@pytest.mark.parametrize(
    ("status", "headers", "details"),
    [
        (408, {}, {}),
        (429, {"Retry_After": "17"}, {"retry_after": 17}),
        (500, {}, {}),
        (502, {"Retry_After": "soon"}, {}),
        (502, {"Retry_After": "9" * 5000}, {}),
        (502, {"Retry_After": "Thu, 01 Jan 2026 12:01:30 +99999999999"}, {}),
        (503, {"Retry_After": "Thu, 01 Jan 2026 12:01:30 GMT"}, {"retry_after": 90}),
        (503, {"Retry_After": "Thu, 01 Jan 2026 11:00:00 GMT"}, {"retry_after": 0}),
        (504, {}, {}),
    ],
)
def test_an_answer_that_may_change_is_unavailable_for_as_long_as_it_says(
    origin: Origin, status: int, headers: dict[str, str], details: dict[str, int]
) -> None:
    origin.answers["/rows.csv"] = answer(status, b"", Content_Length="0", **headers)
    with pytest.raises(SourceUnavailableError, match=f"^The source answered {status} ") as error:
        read(origin)
    assert error.value.details == {"status": status} | details


def test_five_redirects_are_followed_and_a_sixth_is_not(origin: Origin) -> None:
    for number in range(6):
        origin.answers[f"/{number}"] = answer(303, Content_Length="0", Location=f"/{number + 1}")
    origin.answers["/6"] = whole(b"id\n")
    assert read(origin, "/1") == b"id\n"
    with pytest.raises(SourceRefusedError, match="redirects more than 5 times"):
        read(origin, "/0")


def test_redirects_in_a_circle_end(origin: Origin) -> None:
    origin.answers["/a"] = answer(302, Content_Length="0", Location="/b")
    origin.answers["/b"] = answer(307, Content_Length="0", Location="/a")
    with pytest.raises(SourceRefusedError, match="redirects more than 5 times; use the link that it leads to"):
        read(origin, "/a")
    assert [path.partition("?")[0] for path, _ in origin.requests] == ["/a", "/b"] * 3


def test_a_redirect_to_itself_ends(origin: Origin) -> None:
    origin.answers["/rows.csv"] = answer(302, Content_Length="0", Location="/rows.csv")
    with pytest.raises(SourceRefusedError, match="redirects more than 5 times"):
        read(origin)
    assert len(origin.requests) == 6


# What a Location header can carry and is not relative to the present host.
LOCATIONS = [
    target
    for target in HOSTILE
    if target.url.startswith(("http", "ftp", "file")) and target.url.isascii() and target.url.isprintable()
]


@pytest.mark.parametrize("target", LOCATIONS, ids=[target.kind for target in LOCATIONS])
def test_a_redirect_to_a_hostile_target_is_not_followed(origin: Origin, target: Hostile) -> None:
    origin.answers["/rows.csv"] = answer(302, Content_Length="0", Location=target.url)
    dials = Dials(origin)
    guard = AddressGuard(frozenset({f"127.0.0.1:{origin.port}"}), resolver=make_names(), dialer=dials)
    with pytest.raises(SourceRefusedError, match="redirect"):
        open_source(f"{origin.url}/rows.csv", guard, LIMITS)
    assert dials.attempts == [("127.0.0.1", origin.port)]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_of_any_kind_is_judged(origin: Origin, status: int) -> None:
    origin.answers["/good"] = answer(status, Content_Length="0", Location="/rows.csv")
    origin.answers["/bad"] = answer(status, Content_Length="0", Location="https://inside.example/")
    origin.answers["/rows.csv"] = whole(b"id\n")
    assert read(origin, "/good") == b"id\n"
    with pytest.raises(SourceRefusedError, match="leads to an address that is not public"):
        read(origin, "/bad")


@pytest.mark.parametrize("status", [300, 304, 305, 306])
def test_a_location_in_an_answer_that_is_no_redirect_is_not_followed(origin: Origin, status: int) -> None:
    origin.answers["/rows.csv"] = answer(status, Content_Length="0", Location="/other.csv")
    with pytest.raises(SourceRefusedError, match=f"answered {status} "):
        read(origin)
    assert len(origin.requests) == 1


def test_the_secrets_of_a_link_reach_no_log(origin: Origin, caplog: pytest.LogCaptureFixture) -> None:
    # The levels that WHARF_LOG_LEVEL=DEBUG gives the libraries. The lowest comes last: each call sets the ear's own.
    for name in _LOGS_URLS:
        caplog.set_level(logging.ERROR, logger=name)
    caplog.set_level(logging.DEBUG)
    # urllib3 warns of a spoilt header, with the URL.
    origin.answers["/start"] = answer(302, Content_Length="0", Location=f"/rows.csv?{SECRET}")
    origin.answers["/rows.csv"] = raw(b"HTTP/1.1 200 OK\r\nno header\r\nContent-Length: 3\r\n\r\nid\n")
    assert read(origin, "/start") == b"id\n"
    assert [path for path, _ in origin.requests] == [f"/start?{SECRET}", f"/rows.csv?{SECRET}"]
    assert SECRET not in caplog.text


def test_the_ear_of_the_unit_tests_hears_a_connection(origin: Origin) -> None:
    # Without this, that they hear none would prove nothing.
    ear = Connections()
    origin.answers["/rows.csv"] = whole(b"id\n")
    read(origin)
    assert ear.addresses == [("127.0.0.1", origin.port)]


def test_a_file_past_the_limit_is_refused_before_it_is_read(origin: Origin) -> None:
    origin.answers["/rows.csv"] = answer(200, b"", Content_Length="10000001")
    with pytest.raises(SourceRefusedError, match=r"larger than 10000000 bytes.*WHARF_FILE_MAX_BYTES"):
        read(origin)


@pytest.mark.parametrize(
    "send",
    [answer(200, bytes(5000)), whole(gzip.compress(bytes(5000)), Content_Encoding="gzip")],
    ids=["plain", "gzip"],
)
def test_a_file_that_grows_past_the_limit_is_refused_while_it_is_read(origin: Origin, send: Answer) -> None:
    origin.answers["/rows.csv"] = send
    with pytest.raises(SourceRefusedError, match="larger than 4000 bytes"):
        read(origin, limits=SourceLimits(max_bytes=4000))


@pytest.mark.parametrize("length", ["-5", "five", "", "5.0", "+5", "5 5", "9" * 5000])
def test_a_length_that_is_no_number_is_refused(origin: Origin, length: str) -> None:
    origin.answers["/rows.csv"] = answer(200, b"id\n1\n", Content_Length=length)
    with pytest.raises(SourceRefusedError, match="a length that is not a number"):
        read(origin)


def test_a_coding_that_was_not_asked_for_is_refused(origin: Origin) -> None:
    origin.answers["/rows.csv"] = whole(b"x", Content_Encoding="br")
    with pytest.raises(SourceRefusedError, match="coding 'br'"):
        read(origin)


def tls_guard(origin: Origin, host: str = "files.example") -> tuple[AddressGuard, Dials]:
    """A guard for which `host` has a public address, and a dialer that leads to the test's server instead."""
    dials = Dials(origin)
    return AddressGuard(resolver=Names({host: [["8.8.8.8"]]}), dialer=dials), dials


def test_a_public_https_source_is_reached_at_the_checked_address_under_its_name(
    tls_origin: Origin, certificate: Path
) -> None:
    tls_origin.answers["/rows.csv"] = whole(b"id\n")
    guard, dials = tls_guard(tls_origin)
    with open_source("https://files.example/rows.csv", guard, LIMITS, tls=trust(certificate)) as source:
        assert b"".join(source) == b"id\n"
    assert dials.attempts == [("8.8.8.8", 443)]
    assert tls_origin.requests[0][1]["Host"] == "files.example"


def test_a_name_that_changes_before_a_redirect_to_itself_is_not_dialled_again(
    tls_origin: Origin, certificate: Path
) -> None:
    tls_origin.answers["/rows.csv"] = answer(302, Content_Length="0", Location="/again.csv")
    dials = Dials(tls_origin)
    guard = AddressGuard(resolver=Names({"files.example": [["8.8.8.8"], ["127.0.0.1"]]}), dialer=dials)
    with pytest.raises(SourceRefusedError, match=r"^the redirect of https://files.example must be .* is not public"):
        open_source("https://files.example/rows.csv", guard, LIMITS, tls=trust(certificate))
    assert dials.attempts == [("8.8.8.8", 443)]


def test_a_certificate_for_another_name_is_refused(tls_origin: Origin, certificate: Path) -> None:
    guard, _ = tls_guard(tls_origin, "other.example")
    with pytest.raises(SourceRefusedError, match="certificate"):
        open_source("https://other.example/rows.csv", guard, LIMITS, tls=trust(certificate))


def test_a_certificate_that_nobody_vouches_for_is_refused(tls_origin: Origin) -> None:
    guard, _ = tls_guard(tls_origin)
    with pytest.raises(SourceRefusedError, match="certificate"):
        open_source("https://files.example/rows.csv", guard, LIMITS)


def test_a_server_without_tls_is_unavailable(origin: Origin) -> None:
    guard, _ = tls_guard(origin)
    with pytest.raises(SourceUnavailableError, match="TLS"):
        open_source("https://files.example/rows.csv", guard, LIMITS)


@pytest.mark.parametrize(
    ("ends", "is_whole"),
    [(lambda sock: sock.unwrap(), True), (lambda sock: sock.shutdown(socket.SHUT_RDWR), False)],
    ids=["closed", "cut"],
)
def test_a_tls_body_without_length_is_whole_only_if_tls_was_closed(
    tls_origin: Origin, certificate: Path, ends: Callable[[ssl.SSLSocket], None], *, is_whole: bool
) -> None:
    def send(request: BaseHTTPRequestHandler) -> None:
        answer(200, b"id\n")(request)
        try:
            ends(request.connection)
        except OSError:
            return  # the reader closed without an answer, which it may

    tls_origin.answers["/rows.csv"] = send
    guard, _ = tls_guard(tls_origin)
    with open_source("https://files.example/rows.csv", guard, LIMITS, tls=trust(certificate)) as source:
        if is_whole:
            assert b"".join(source) == b"id\n"
        else:
            with pytest.raises(SourceUnavailableError):
                b"".join(source)
