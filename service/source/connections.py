"""The guard and the pace put under urllib3: every connection of a pool is dialled by the one and read by the other.

urllib3 is used without requests because all that requests would add is unwanted here: cookies, proxies and
credentials from the environment, redirects of its own.
"""

import socket
import ssl
from typing import Any, cast

from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from service.source.guard import AddressGuard, make_target
from service.source.pace import Pace, PacedSocket


class _GuardedConnection(HTTPConnection):
    """A connection to an address that its guard has judged; Host, SNI and certificate stay those of the name."""

    scheme = "http"

    def __init__(self, *args: Any, guard: AddressGuard, pace: Pace, **options: Any) -> None:
        super().__init__(*args, **options)
        self._guard = guard
        self._pace = pace

    def _new_conn(self) -> socket.socket:
        """Dial through the guard; its refusals are no OSError and so reach the caller as they are."""
        target = make_target(self.scheme, self.host, self.port)
        try:
            return self._guard.connect(target, self.timeout)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, f"no connection to {target.origin} in time") from error
        except OSError as error:
            raise NewConnectionError(self, f"no connection to {target.origin}: {error}") from error

    def connect(self) -> None:
        super().connect()
        if isinstance(self.sock, ssl.SSLSocket):
            # Without this a cut TLS connection reads as a clean end, and a body without length ends with it
            # (RFC 9112 section 8: incomplete).
            self.sock.suppress_ragged_eofs = False  # type: ignore[attr-defined]  # typeshed does not list it
        self.sock = cast("socket.socket", PacedSocket(self.sock, self._pace))


class _GuardedTLSConnection(_GuardedConnection, HTTPSConnection):
    scheme = "https"


class GuardedPools(PoolManager):
    """A urllib3 pool manager that reaches nothing but what `guard` allows, by no proxy."""

    def __init__(self, guard: AddressGuard, pace: Pace, tls: ssl.SSLContext | None = None) -> None:
        """Take `tls` for what certificates are trusted; by default those of the system."""
        super().__init__(ssl_context=tls)
        self._guard = guard
        self._pace = pace

    def _new_pool(
        self, scheme: str, host: str, port: int, request_context: dict[str, Any] | None = None
    ) -> HTTPConnectionPool:
        pool = super()._new_pool(scheme, host, port, request_context)
        pool.ConnectionCls = _GuardedTLSConnection if scheme == "https" else _GuardedConnection
        pool.conn_kw |= {"guard": self._guard, "pace": self._pace}
        return pool
