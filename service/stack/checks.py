"""Questions to a server that may not listen yet: whether it speaks its protocol and knows the password."""

import base64
import http.client
import socket

from service.stack.ports import HOST

_SECONDS = 2.0


def ask_http(port: int, path: str, *, host: str = HOST, user: str = "", password: str = "") -> int | None:
    """The status of a GET, with basic authentication where a user is given; None while nobody answers."""
    headers = {}
    if user:
        headers["Authorization"] = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    connection = http.client.HTTPConnection(host, port, timeout=_SECONDS)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def answers_redis(port: int, password: str) -> bool:
    """Whether the server takes the password and answers PING; False while it loads its file."""
    expected = b"+OK\r\n+PONG\r\n"
    try:
        with socket.create_connection((HOST, port), timeout=_SECONDS) as connection:
            connection.sendall(_encode("AUTH", password) + _encode("PING"))
            return connection.makefile("rb").read(len(expected)) == expected
    except OSError:
        return False


def _encode(*words: str) -> bytes:
    """A Redis command: an array of strings, each with its length in bytes (RESP)."""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in map(str.encode, words))
