"""Opening a source: one GET through the guard, answered by the whole file or by an error that says what to do."""

import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import NoReturn, Self
from urllib.parse import urljoin

from urllib3 import BaseHTTPResponse, Timeout
from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError, SSLError
from urllib3.exceptions import TimeoutError as HTTPTimeoutError

from service.config import Settings
from service.errors import SourceRefusedError, SourceUnavailableError, ValidationError
from service.source.connections import GuardedPools
from service.source.decompress import InflateLimit, gunzip
from service.source.guard import AddressGuard, Target
from service.source.links import direct_link
from service.source.pace import Pace

BLOCK_BYTES = 256 * 1024

_REDIRECTS_MAX = 5
_WHOLE_NUMBER = re.compile(r"[0-9]{1,18}")
_NEW_LINK = "Check the link and create a new task"
_HEADERS = {
    # The bytes as they are stored: a compressed transfer could not be checked against its length.
    "Accept-Encoding": "identity",
    "Accept": "*/*",
    "User-Agent": "wharf",
}
# Those that a second try may mend, besides all 5xx but 501.
_TRANSIENT = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}

# The first that fits: urllib3 counts a refused connection among the timeouts.
_UNAVAILABLE: tuple[tuple[type[HTTPError], str], ...] = (
    (NameResolutionError, "The host name of the source cannot be resolved"),
    (NewConnectionError, "No connection to the source could be made"),
    (HTTPTimeoutError, "The source does not answer, or too slowly"),
    (SSLError, "The TLS connection to the source failed"),
    (HTTPError, "The connection to the source was cut"),
)


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """How long and how much is read from one source."""

    max_bytes: int
    connect_seconds: float = 5
    read_seconds: float = 30
    stall_seconds: float = 60
    stall_bytes: int = 60 * 1024
    inflate: InflateLimit = field(default_factory=InflateLimit)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The limits that the operator chose."""
        return cls(
            max_bytes=settings.file_max_bytes,
            connect_seconds=settings.source_connect_seconds,
            read_seconds=settings.source_read_seconds,
        )


class SourceStream:
    """The bytes of a source: iterate once, in blocks of any size, inside `with`.

    When the iteration ends without an error the file is whole. `length_bytes` is what the source announced, None
    where it did not or where it sends gzip. Iterating raises SourceUnavailableError when the transfer is cut or too
    slow, SourceRefusedError when the file is past a limit or damaged.
    """

    def __init__(self, response: BaseHTTPResponse, target: Target, limits: SourceLimits) -> None:
        """Take over an answer 200; raises SourceRefusedError for a coding or a length that is not accepted."""
        self.origin = target.origin
        self._response = response
        self._limits = limits
        self._is_gzip = _uses_gzip(response, self.origin)
        announced = _announced_bytes(response, self.origin)
        self.length_bytes = None if self._is_gzip else announced
        self._check_size(self.length_bytes or 0)

    def __enter__(self) -> Self:
        """Hand out the stream itself."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close the connection, read to the end or not."""
        self.close()

    def __iter__(self) -> Iterator[bytes]:
        """The file's bytes in order, transport gzip taken off."""
        size_bytes = 0
        for block in gunzip(self._read(), self._limits.inflate) if self._is_gzip else self._read():
            size_bytes += len(block)
            self._check_size(size_bytes)
            yield block

    def close(self) -> None:
        """Close the connection; safe to call twice."""
        self._response.close()

    def _read(self) -> Iterator[bytes]:
        """The bytes of the body; urllib3 compares them with the announced length and refuses a cut chunked body."""
        while True:
            with _translated(self.origin):
                block = self._response.read(BLOCK_BYTES, decode_content=False)
            if not block:
                return
            yield block

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes > self._limits.max_bytes:
            message = (
                f"The source is larger than {self._limits.max_bytes} bytes, the limit for files "
                "(WHARF_FILE_MAX_BYTES); split it and create a task for each piece"
            )
            raise SourceRefusedError(message, origin=self.origin)


def open_source(
    url: str,
    guard: AddressGuard,
    limits: SourceLimits,
    *,
    tls: ssl.SSLContext | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> SourceStream:
    """Ask for `url` and follow at most 5 redirects, each judged by `guard` like the first; one try, no retries.

    Share links of well-known hosts are turned into download links first. Raises SourceRefusedError where the caller
    must change something, SourceUnavailableError (with `retry_after` in seconds where the source says so) where a
    later try may succeed. Messages name scheme, host and port of the source and never its path or query.
    """
    pace = Pace(limits.read_seconds, limits.stall_seconds, limits.stall_bytes)
    url = direct_link(url, _check(guard, url).host)
    for _ in range(_REDIRECTS_MAX + 1):
        target = _check(guard, url)
        with _translated(target.origin):
            response = _get(GuardedPools(guard, pace, tls), url, limits)
        location = response.get_redirect_location()
        if not location:
            return _accept(response, target, limits, now)
        response.close()
        url = _join(url, location, target)
        # From here on a refusal is about the redirect, which the caller cannot see in the URL.
        guard = replace(guard, field=f"the redirect of {target.origin}")
    message = f"The source redirects more than {_REDIRECTS_MAX} times; use the link that it leads to"
    raise SourceRefusedError(message, origin=target.origin)


def _check(guard: AddressGuard, url: str) -> Target:
    try:
        return guard.check_url(url)
    except ValidationError as error:
        raise _refused_address(error) from error


def _join(url: str, location: str, target: Target) -> str:
    """Where a redirect leads, as an absolute URL."""
    try:
        return urljoin(url, location)
    except ValueError:
        # Half a bracket, for one. The error is not chained: its text may quote the URL.
        message = f"The source redirects to something that is not a URL ({target.origin}). {_NEW_LINK}"
        raise SourceRefusedError(message) from None


def _get(pools: GuardedPools, url: str, limits: SourceLimits) -> BaseHTTPResponse:
    return pools.request(
        "GET",
        url,
        headers=_HEADERS,
        timeout=Timeout(connect=limits.connect_seconds, read=limits.read_seconds),
        redirect=False,
        retries=False,
        preload_content=False,
        decode_content=False,
    )


def _accept(
    response: BaseHTTPResponse, target: Target, limits: SourceLimits, now: Callable[[], datetime]
) -> SourceStream:
    """A stream for an answer 200; the connection is closed on everything else."""
    try:
        if response.status != HTTPStatus.OK:
            _refuse_status(response, target.origin, now)
        return SourceStream(response, target, limits)
    except (SourceRefusedError, SourceUnavailableError):
        response.close()
        raise


def _refuse_status(response: BaseHTTPResponse, origin: str, now: Callable[[], datetime]) -> NoReturn:
    status = response.status
    answer = f"The source answered {status} {_phrase(status)} ({origin})"
    if status in _TRANSIENT or (status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.NOT_IMPLEMENTED):
        wait = _retry_after(response.headers.get("Retry-After", ""), now)
        details = {} if wait is None else {"retry_after": wait}
        message = f"{answer}; it is tried again"
        raise SourceUnavailableError(message, status=status, **details)
    message = f"{answer}; only 200 with the whole file is accepted. {_advice(status)}"
    raise SourceRefusedError(message, status=status)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "(unknown status)"


def _advice(status: int) -> str:
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return "Use a link that needs no sign-in and has not expired, and create a new task"
    return _NEW_LINK


def _retry_after(value: str, now: Callable[[], datetime]) -> int | None:
    """Seconds to wait by a Retry-After header, which holds seconds or a date (RFC 9110 section 10.2.3)."""
    seconds = _whole_number(value)
    if seconds is not None:
        return seconds
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return max(0, round((at.replace(tzinfo=at.tzinfo or UTC) - now()).total_seconds()))


def _announced_bytes(response: BaseHTTPResponse, origin: str) -> int | None:
    """The length in the header, None without one; raises SourceRefusedError where that is no number.

    Such a body would end where its connection ends, cut or not (RFC 9112 section 6.3). urllib3 holds several equal.
    """
    lengths = response.headers.get("Content-Length")
    if lengths is None:
        return None
    length = _whole_number(lengths.partition(",")[0].strip())
    if length is None:
        message = f"The source announces a length that is not a number ({origin}). {_NEW_LINK}"
        raise SourceRefusedError(message)
    return length


def _whole_number(value: str) -> int | None:
    """The number that a header holds; None for everything else, and for more digits than any number here can have."""
    return int(value) if _WHOLE_NUMBER.fullmatch(value) else None


def _uses_gzip(response: BaseHTTPResponse, origin: str) -> bool:
    """Whether the body is gzip although we asked for none; raises SourceRefusedError for any other coding."""
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    if coding not in {"", "identity", "gzip", "x-gzip"}:
        message = (
            f"The source sends its bytes in the coding {coding!r}, which was not asked for ({origin}). {_NEW_LINK}"
        )
        raise SourceRefusedError(message)
    return coding.endswith("gzip")


@contextmanager
def _translated(origin: str) -> Iterator[None]:
    """Say in Wharf's errors what urllib3 and the guard say in theirs."""
    try:
        yield
    except ValidationError as error:
        raise _refused_address(error) from error
    except HTTPError as error:
        raise _from_urllib3(error, origin) from error
    except ValueError as error:
        # http.client lets this through for a chunk whose length is a number below zero.
        raise _from_urllib3(HTTPError(), origin) from error


def _from_urllib3(error: HTTPError, origin: str) -> SourceRefusedError | SourceUnavailableError:
    if isinstance(error, SSLError) and any(isinstance(cause, ssl.SSLCertVerificationError) for cause in error.args):
        return SourceRefusedError(f"The certificate of the source is not trusted ({origin}). {_NEW_LINK}")
    text = next(text for kind, text in _UNAVAILABLE if isinstance(error, kind))
    return SourceUnavailableError(f"{text} ({origin}); it is tried again")


def _refused_address(error: ValidationError) -> SourceRefusedError:
    return SourceRefusedError(f"{error.message}: {error.details['rule']}. {error.details['remedy']}", **error.details)
