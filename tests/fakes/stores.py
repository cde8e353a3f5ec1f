"""Loopback servers that do what the S3 servers of the tests cannot: refuse on demand, encrypt, give roles."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from service.stack.ports import HOST

#: Headers that belong to one connection and are not passed on.
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "expect"}
_DENIED = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
_ENCRYPTION = "x-amz-server-side-encryption"


@dataclass(frozen=True)
class Seen:
    """A request that a server got; its headers by lower-case names."""

    method: str
    target: str
    headers: dict[str, str]


@dataclass
class Front:
    """A server before a real store, which it asks everything.

    It refuses methods in `refused`, cuts the answer to those in `cut`, says that it encrypts where it `encrypts`, calls
    `on_request` with each method, makes refusals longer by `padding_bytes`, and remembers what it was asked.
    """

    store: str
    port: int = 0
    refused: set[str] = field(default_factory=set)
    cut: set[str] = field(default_factory=set)
    encrypts: bool = False
    on_request: Callable[[str], object] = bool
    padding_bytes: int = 0
    seen: list[Seen] = field(default_factory=list)

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    def asked_encryption(self) -> dict[str, tuple[str | None, str | None]]:
        """Algorithm and key of each kind of request that asked for one: PUT, and POST which begins an upload."""
        key = f"{_ENCRYPTION}-aws-kms-key-id"
        asked = [seen for seen in self.seen if _ENCRYPTION in seen.headers]
        return {seen.method: (seen.headers[_ENCRYPTION], seen.headers.get(key)) for seen in asked}


@dataclass
class Sts:
    """A server that gives roles for an hour or another time: each role with its external id, and the keys it means."""

    roles: dict[str, str | None]
    keys: tuple[str, str]
    trusted: set[str]
    lives: timedelta = timedelta(hours=1)
    port: int = 0
    asked: list[dict[str, str]] = field(default_factory=list)

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    def answer(self, form: dict[str, str], authorization: str) -> bytes | None:
        """The credentials of a role, None for one who may not have it."""
        self.asked.append(form)
        caller = authorization.partition("Credential=")[2].partition("/")[0]
        arn = form.get("RoleArn", "")
        if caller not in self.trusted or arn not in self.roles or self.roles[arn] not in {None, form.get("ExternalId")}:
            return None
        ends_at = (datetime.now(UTC) + self.lives).isoformat()
        return (
            "<AssumeRoleResponse xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><AssumeRoleResult><Credentials>"
            f"<AccessKeyId>{self.keys[0]}</AccessKeyId><SecretAccessKey>{self.keys[1]}</SecretAccessKey>"
            f"<SessionToken>token</SessionToken><Expiration>{ends_at}</Expiration>"
            "</Credentials></AssumeRoleResult></AssumeRoleResponse>"
        ).encode()


@contextmanager
def run_front(store: str) -> Iterator[Front]:
    """A front before the store at this endpoint, while the block lasts."""
    front = Front(store)
    with _serving(type("FrontHandler", (_FrontHandler,), {"front": front})) as front.port:
        yield front


@contextmanager
def run_sts(sts: Sts) -> Iterator[Sts]:
    """That STS, while the block lasts."""
    with _serving(type("StsHandler", (_StsHandler,), {"sts": sts})) as sts.port:
        yield sts


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """The port of a server with this handler."""
    with ThreadingHTTPServer((HOST, 0), handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    """What both have in common: bodies are read whole, and nothing is printed."""

    # The connection ends with the answer, so that no thread waits for another request when the server stops.
    protocol_version = "HTTP/1.0"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def read_body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def send(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class _FrontHandler(_Handler):
    front: Front

    def handle_any(self) -> None:
        body = self.read_body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.front.seen.append(Seen(self.command, self.path, headers))
        self.front.on_request(self.command)
        if self.command in self.front.refused:
            refusal = _DENIED + bytes(self.front.padding_bytes)
            return self.send(403, [("Content-Length", str(len(refusal)))], refusal)
        status, answered, content = self._ask(body)
        if self.front.encrypts and _ENCRYPTION in headers:
            answered.append((_ENCRYPTION, headers[_ENCRYPTION]))
        return self.send(status, answered, content[: len(content) // 2] if self.command in self.front.cut else content)

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """What the real store answers; the host stays the one that was signed."""
        place = urlsplit(self.front.store)
        connection = HTTPConnection(str(place.hostname), place.port, timeout=30)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _HOP_BY_HOP:
                    connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP]
            return answer.status, kept, answer.read()
        finally:
            connection.close()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any  # noqa: N815


class _StsHandler(_Handler):
    sts: Sts

    def do_POST(self) -> None:
        form = {name: values[0] for name, values in parse_qs(self.read_body().decode()).items()}
        answer = self.sts.answer(form, self.headers.get("Authorization", ""))
        refusal = b"<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code></Error></ErrorResponse>"
        self.send(200 if answer else 403, [("Content-Type", "text/xml")], answer or refusal)
