"""URLs that must never lead to a connection, by the rule that each breaks, and the names that some of them need."""

import socket
from collections.abc import Sequence
from ipaddress import ip_address
from typing import NamedTuple

from service.source.resolver import Address

PUBLIC = "8.8.8.8"


class Hostile(NamedTuple):
    """One way to name a place that must not be reached."""

    kind: str
    url: str
    rule: str


# Each kind once, or once for each place where parsers disagree. The rule is what the caller must be told.
_TABLE: dict[str, dict[str, str]] = {
    "its address is not public": {
        "loopback": "https://127.0.0.1/",
        "loopback elsewhere in its network": "https://127.8.9.1/",
        "loopback with a final dot": "https://127.0.0.1./",
        "loopback, its dots percent-encoded": "https://127%2e0%2e0%2e1/",
        "loopback, its digits percent-encoded": "https://%31%32%37.0.0.1/",
        "unspecified": "https://0.0.0.0/",
        "RFC 1918, 10": "https://10.0.0.1/",
        "RFC 1918, 172": "https://172.31.255.254/",
        "RFC 1918, 192": "https://192.168.1.1/",
        "CGNAT": "https://100.64.0.1/",
        "metadata": "https://169.254.169.254/latest/meta-data/",
        "metadata of Alibaba": "https://100.100.100.200/",
        "metadata of Oracle": "https://192.0.0.192/",
        "metadata of Amazon by IPv6": "https://[fd00:ec2::254]/",
        "wire server of Azure": "https://168.63.129.16/",
        "benchmarking": "https://198.18.0.1/",
        "documentation": "https://203.0.113.5/",
        "6to4 relay": "https://192.88.99.1/",
        "multicast": "https://224.0.0.1/",
        "reserved": "https://240.0.0.1/",
        "broadcast": "https://255.255.255.255/",
        "IPv6 loopback": "https://[::1]/",
        "IPv6 loopback, long": "https://[0:0:0:0:0:0:0:1]/",
        "IPv6 unspecified": "https://[::]/",
        "IPv4-mapped": "https://[::ffff:127.0.0.1]/",
        "IPv4-mapped in hexadecimal": "https://[::ffff:7f00:1]/",
        "IPv4-mapped metadata": "https://[::ffff:a9fe:a9fe]/",
        "IPv4-mapped wire server of Azure": "https://[::FFFF:168.63.129.16]/",
        "IPv4-compatible": "https://[::127.0.0.1]/",
        "IPv4-translated": "https://[::ffff:0:127.0.0.1]/",
        "NAT64": "https://[64:ff9b::10.0.0.1]/",
        "NAT64 in hexadecimal": "https://[64:ff9b::a9fe:a9fe]/",
        "local NAT64, even of a public address": "https://[64:ff9b:1::8.8.8.8]/",
        "6to4": "https://[2002:7f00:1::]/",
        "6to4 of metadata": "https://[2002:a9fe:a9fe::1]/",
        "Teredo": "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
        "unique local": "https://[fc00::1]/",
        "site-local": "https://[fec0::1]/",
        "link-local": "https://[fe80::1]/",
        "IPv6 multicast": "https://[ff02::1]/",
        "IPv6 documentation": "https://[2001:db8::1]/",
        "IPv6 discard": "https://[100::1]/",
        "IPv6 outside what is assigned": "https://[4000::1]/",
    },
    "its host is neither a name nor an address in its usual form": {
        "decimal": "https://2130706433/",
        "hexadecimal": "https://0x7f000001/",
        "hexadecimal by bytes": "https://0x7f.0x0.0x0.0x1/",
        "hexadecimal in capitals": "https://0X7F.1/",
        "octal": "https://0177.0.0.1/",
        "octal as one number": "https://017700000001/",
        "leading zeros": "https://127.000.000.001/",
        "short": "https://127.1/",
        "short, of three": "https://127.0.1/",
        "zero": "https://0/",
        "mixed notations": "https://127.0x0.01/",
        "too large": "https://256.0.0.1/",
        "five parts": "https://127.0.0.1.1/",
        "number with a final dot": "https://2130706433./",
        "number percent-encoded": "https://127%2e1/",
        "link-local with a zone": "https://[fe80::1%25eth0]/",
        "loopback with a zone": "https://[::1%25lo]/",
        "public address with a zone": "https://[2606:4700::1111%25lo]/",
        "no host": "https:///path",
        "no host, four slashes": "https:////127.0.0.1/",
        "one slash": "https:/127.0.0.1/",
        "no slash": "https:127.0.0.1/",
        "empty label": "https://public..example/",
        "two final dots": "https://localhost../",
        "long label": f"https://{'a' * 64}.example/",
        "long name": f"https://{'a.' * 125}example/",
        "slash percent-encoded": "https://127.0.0.1%2f.public.example/",
        "@ percent-encoded": "https://public.example%40127.0.0.1/",
        "percent sign percent-encoded": "https://%256cocalhost/",
        "semicolon": "https://127.0.0.1;.public.example/",
        "comma": "https://127.0.0.1,public.example/",
    },
    "it is not a URL": {
        "full-width digits": "https://１２７.０.０.１/",  # noqa: RUF001  # that is the attack
        "full-width letters": "https://ｌocalhost/",  # noqa: RUF001  # that is the attack
        "circled digits": "https://①②⑦.0.0.1/",
        "circled letter": "https://ⓛocalhost/",
        "ideographic full stop": "https://127。0。0。1/",
        "half-width full stop": "https://127｡0｡0｡1/",
        "zero-width space": "https://local\u200bhost/",
        "zero-width joiner": "https://localhost\u200d/",
        "soft hyphen": "https://local\u00adhost/",
        "right-to-left override": "https://\u202elocalhost/",
        "long s": "https://localhoſt/",  # noqa: RUF001  # that is the attack
        "long s in the scheme": "httpſ://public.example/",  # noqa: RUF001  # that is the attack
        "sign of two letters": "https://℀.example/",
        "no-break space": "https://127.0.0.1\u00a0/",
        "zero byte percent-encoded": "https://127.0.0.1%00.public.example/",
        "line break percent-encoded": "https://public.example%0d%0aHost:inside/",
        "half an escape": "https://public.example%2/",
        "half a bracket": "https://[::1/",
        "half a bracket within": "https://public.example]/",
        "two brackets": "https://[[::1]]/",
        "brackets around a name": "https://[localhost]/",
        "brackets around IPv4": "https://[127.0.0.1]/",
        "brackets percent-encoded": "https://%5B::1%5D/",
        "IPv6 without brackets": "https://::1/",
        "future address": "https://[v1.::1]/",
        "something behind a bracket": "https://[::1]public.example/",
        "port with letters": "https://public.example:443abc/",
        "port out of range": "https://public.example:65536/",
        "port of six digits": "https://public.example:000443000/",
        "port below zero": "https://public.example:-443/",
        "port with a sign": "https://public.example:+443/",
        "port in full-width digits": "https://public.example:４４３/",  # noqa: RUF001  # that is the attack
        "two ports": "https://public.example:443:80/",
    },
    "it is empty or contains white space, a control character or a backslash": {
        "empty": "",
        "leading space": " https://public.example/",
        "space in the host": "https://127.0.0.1 .public.example/",
        "tab": "https://127.0.\t0.1/",
        "line break": "https://public.example/\r\nHost: inside",
        "zero byte": "https://127.0.0.1\x00.public.example/",
        "delete": "https://127.0.0.1\x7f/",
        "host behind a backslash": "https://public.example\\@127.0.0.1/",
        "host before a backslash": "https://127.0.0.1\\.public.example/",
        "backslashes for slashes": "https:\\\\127.0.0.1\\",
        "half a surrogate": "https://public.example/\ud800",
    },
    "it carries a user name or password": {
        "user and password": "https://user:secret@public.example/",
        "user": "https://user@public.example/",
        "empty user": "https://@public.example/",
        "empty user and password": "https://:@public.example/",
        "host behind a user": "https://public.example@127.0.0.1/",
        "host behind a port": "https://public.example:443@127.0.0.1/",
        "host behind a semicolon": "https://public.example;@127.0.0.1/",
        "host behind two users": "https://public.example@public.example@127.0.0.1/",
        "user percent-encoded": "https://user%3asecret@public.example/",
    },
    "it does not begin with https://": {
        "plain http": "http://public.example/",
        "plain http to loopback": "http://127.0.0.1/",
        "another scheme": "ftp://public.example/",
        "gopher": "gopher://127.0.0.1:6379/_FLUSHALL",
        "a bucket": "s3://bucket/rows.csv",
        "a file": "file:///etc/passwd",
        "data": "data:text/csv,id",
        "script": "javascript:alert(1)",
        "no scheme": "public.example/file.csv",
        "no scheme but a port": "localhost:443/",
        "no scheme but slashes": "//127.0.0.1/",
        "longer scheme": "httpss://public.example/",
        "scheme within a scheme": "jar:https://public.example/!/",
    },
    "port 8443 is not allowed": {"another port": "https://public.example:8443/"},
    "port 80 is not allowed": {"port 80": "https://public.example:80/"},
    "port 22 is not allowed": {"port 22": "https://public.example:22/"},
    "port 0 is not allowed": {"port 0": "https://public.example:0/"},
    "port 65535 is not allowed": {"the last port": "https://public.example:65535/"},
    "it is longer than 8000 characters": {"too long": f"https://public.example/{'a' * 8000}"},
    "its host name leads to an address that is not public": {
        "localhost": "https://localhost/",
        "localhost in capitals": "https://LOCALHOST/",
        "localhost with a final dot": "https://localhost./",
        "localhost percent-encoded": "https://%6cocalhost/",
        "private name": "https://inside.example/",
        "private name with a final dot": "https://inside.example./",
        "private name with an empty port": "https://inside.example:/",
        "private name with zeros in its port": "https://inside.example:00443/",
        "private name, scheme in capitals": "HTTPS://inside.example/",
        "public name that holds an address": "https://127-0-0-1.wildcard.example/",
        "mixed answers": "https://mixed.example/",
        "mixed answers, private first": "https://mixed-first.example/",
        "mixed families": "https://mixed6.example/",
        "name of metadata": "https://metadata.example/",
        "name of a mapped address": "https://mapped.example/",
        "name of a NAT64 address": "https://nat64.example/",
    },
}

HOSTILE = [Hostile(kind, url, rule) for rule, urls in _TABLE.items() for kind, url in urls.items()]

# What a name answers when the task is created, and what when it is fetched.
REBINDING = {
    "to loopback": [[PUBLIC], ["127.0.0.1"]],
    "to IPv6 loopback": [[PUBLIC], ["::1"]],
    "to metadata": [[PUBLIC], ["169.254.169.254"]],
    "to metadata in a mapped address": [[PUBLIC], ["::ffff:169.254.169.254"]],
    "to a mixed answer": [[PUBLIC], [PUBLIC, "10.0.0.1"]],
    "to the wire server of Azure": [[PUBLIC], ["168.63.129.16"]],
    "to what this host calls itself": [[PUBLIC], ["0.0.0.0"]],  # noqa: S104  # nothing is bound to it
}


class Names:
    """A resolver that answers from a table; a name with several rounds of answers gives the next one each time.

    `asked` is every name that was looked up, in order.
    """

    def __init__(self, rounds: dict[str, list[list[str]]]) -> None:
        self._rounds = {name: list(answers) for name, answers in rounds.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[Address]:
        del port
        self.asked.append(host)
        rounds = self._rounds.get(host)
        if not rounds:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        answer = rounds.pop(0) if len(rounds) > 1 else rounds[0]
        return [ip_address(text) for text in answer]


def make_names(**more: list[list[str]]) -> Names:
    """The names of the table; those in `more` are hosts of .example."""
    return Names(
        {
            "public.example": [[PUBLIC]],
            "localhost": [["127.0.0.1", "::1"]],
            "inside.example": [["10.1.2.3"]],
            "127-0-0-1.wildcard.example": [["127.0.0.1"]],
            "mixed.example": [[PUBLIC, "10.0.0.1"]],
            "mixed-first.example": [["10.0.0.1", PUBLIC]],
            "mixed6.example": [[PUBLIC, "::1"]],
            "metadata.example": [["169.254.169.254"]],
            "mapped.example": [["::ffff:10.0.0.1"]],
            "nat64.example": [["64:ff9b::a00:1"]],
            "several.example": [["8.8.8.8", "8.8.4.4", "1.1.1.1", "9.9.9.9", "9.9.9.10"]],
            **{f"{name}.example": rounds for name, rounds in more.items()},
        }
    )
