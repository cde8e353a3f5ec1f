"""boto3 over connections that somebody else makes: who knows which addresses may be dialled.

The names of customers' stores are theirs to choose, so checking a name before boto3 looks it up again would prove
nothing (docs/adr/0005-address-guard.md). botocore asks its `before-send` event for an answer before it sends a
request; here the answer comes from a session of our own, whose connections are made by `dial`.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
    AWSResponse,
)
from botocore.exceptions import HTTPClientError
from botocore.httpsession import URLLib3Session
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.exceptions import HTTPError as URLLib3Error

from service.errors import WharfError

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest
    from mypy_boto3_s3 import S3Client

# The longest that we ask for, a list of a thousand uploads, has less than a tenth of it.
_ANSWER_MAX_BYTES = 8 * 1024 * 1024

#: Connects by scheme, host and port within so many seconds; raises a WharfError for what may not be dialled, and
#: OSError and socket.gaierror as sockets do.
Dial = Callable[[str, str, int, float | None], socket.socket]


def guard_client(client: S3Client, dial: Dial) -> None:
    """Let a client's requests go over connections made by `dial`, and by no proxy."""
    config = client.meta.config
    session = _GuardedSession(
        dial,
        timeout=(config.connect_timeout, config.read_timeout),  # type: ignore[attr-defined]  # not in the stubs
        max_pool_connections=config.max_pool_connections,  # type: ignore[attr-defined]  # the same
        socket_options=[(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
    )
    client.meta.events.register("before-send.s3", session.answer)  # type: ignore[arg-type]  # the answer counts


class _GuardedSession(URLLib3Session):
    """A botocore session whose pools dial through the guard."""

    def __init__(self, dial: Dial, **options: Any) -> None:
        super().__init__(**options)
        manager: Any = self._manager  # type: ignore[attr-defined]  # not in the stubs
        manager.pool_classes_by_scheme = {
            "http": _pools(AWSHTTPConnectionPool, _GuardedConnection, dial),
            "https": _pools(AWSHTTPSConnectionPool, _GuardedTLSConnection, dial),
        }

    def answer(self, request: AWSPreparedRequest, **_event: Any) -> AWSResponse:
        """Send a request; a refusal of the guard comes out as it is, so that it is not tried again."""
        is_streamed, request.stream_output = request.stream_output, True
        try:
            found = self.send(request)
        except HTTPClientError as error:
            refusal = error.kwargs.get("error")
            if isinstance(refusal, WharfError):
                raise refusal from error
            raise
        headers: Any = found.headers
        answer = _ShortAnswer(found.url, found.status_code, headers, found.raw)
        if not is_streamed:
            answer.read_whole()
        return answer


def _read_all(raw: Any) -> bytes:
    """A byte more than is allowed at most."""
    try:
        content: bytes = raw.read(_ANSWER_MAX_BYTES + 1)
    except URLLib3Error as error:
        raise HTTPClientError(error=error) from error
    return content


class _ShortAnswer(AWSResponse):
    """An answer that is read whole only if it is short: a store that sends without end must not fill our memory."""

    _content: bytes | None

    def read_whole(self) -> bytes:
        """The body, once; raises HTTPClientError where it is too long or cut."""
        if self._content is None:
            content: bytes = _read_all(self.raw)
            if len(content) > _ANSWER_MAX_BYTES:
                self.raw.close()
                raise HTTPClientError(error=f"an answer longer than {_ANSWER_MAX_BYTES} bytes")
            self._content = content
        return self._content

    content = property(read_whole)


class _Guarded:
    """Makes a connection of botocore's dial through the guard; Host, SNI and certificate stay those of the name."""

    scheme = "http"
    host: str
    port: int
    timeout: float | None
    socket_options: Any

    def __init__(self, *args: Any, dial: Dial, **options: Any) -> None:
        super().__init__(*args, **options)
        self._dial = dial

    def _new_conn(self) -> socket.socket:
        try:
            made = self._dial(self.scheme, self.host, self.port, self.timeout)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error  # type: ignore[arg-type]  # a mixin of it
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "no connection in time") from error
        except OSError as error:
            raise NewConnectionError(self, f"no connection: {error}") from error  # type: ignore[arg-type]  # the same
        for option in self.socket_options or ():
            made.setsockopt(*option)
        return made


class _GuardedConnection(_Guarded, AWSHTTPConnection):  # type: ignore[misc]  # as botocore's own classes
    pass


class _GuardedTLSConnection(_Guarded, AWSHTTPSConnection):  # type: ignore[misc]  # the same
    scheme = "https"


def _pools(pools: Callable[..., Any], connections: type[_Guarded], dial: Dial) -> Callable[..., Any]:
    """What makes a pool for a host: one whose connections are dialled by the guard."""

    def make_pool(host: str, port: int, **options: Any) -> Any:
        pool = pools(host, port, **options)
        pool.ConnectionCls = connections
        pool.conn_kw["dial"] = dial
        return pool

    return make_pool
