"""URLs that must never lead to a connection, and the names that some of them need."""

import socket
from collections.abc import Sequence
from ipaddress import ip_address

from service.source.resolver import Address

PUBLIC = "8.8.8.8"

# One entry for each known way to name a place that is not public; every one must end before anything is dialled.
HOSTILE_TARGETS = {
    "loopback": "https://127.0.0.1/",
    "loopback elsewhere in its network": "https://127.8.9.1/",
    "decimal": "https://2130706433/",
    "hexadecimal": "https://0x7f000001/",
    "hexadecimal by bytes": "https://0x7f.0x0.0x0.0x1/",
    "octal": "https://0177.0.0.1/",
    "octal as one number": "https://017700000001/",
    "leading zeros": "https://127.000.000.001/",
    "short": "https://127.1/",
    "zero": "https://0/",
    "unspecified": "https://0.0.0.0/",
    "final dot": "https://127.0.0.1./",
    "RFC 1918, 10": "https://10.0.0.1/",
    "RFC 1918, 172": "https://172.31.255.254/",
    "RFC 1918, 192": "https://192.168.1.1/",
    "CGNAT": "https://100.64.0.1/",
    "metadata": "https://169.254.169.254/latest/meta-data/",
    "metadata of Alibaba": "https://100.100.100.200/",
    "metadata of Oracle": "https://192.0.0.192/",
    "wire server of Azure": "https://168.63.129.16/",
    "benchmarking": "https://198.18.0.1/",
    "documentation": "https://203.0.113.5/",
    "multicast": "https://224.0.0.1/",
    "reserved": "https://240.0.0.1/",
    "broadcast": "https://255.255.255.255/",
    "IPv6 loopback": "https://[::1]/",
    "IPv6 loopback, long": "https://[0:0:0:0:0:0:0:1]/",
    "IPv6 unspecified": "https://[::]/",
    "IPv4-mapped": "https://[::ffff:127.0.0.1]/",
    "IPv4-mapped in hexadecimal": "https://[::ffff:a9fe:a9fe]/",
    "IPv4-compatible": "https://[::127.0.0.1]/",
    "NAT64": "https://[64:ff9b::10.0.0.1]/",
    "local NAT64": "https://[64:ff9b:1::8.8.8.8]/",
    "6to4": "https://[2002:7f00:1::]/",
    "Teredo": "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "unique local": "https://[fd00:ec2::254]/",
    "site-local": "https://[fec0::1]/",
    "link-local": "https://[fe80::1]/",
    "link-local with a zone": "https://[fe80::1%25eth0]/",
    "IPv6 multicast": "https://[ff02::1]/",
    "IPv6 documentation": "https://[2001:db8::1]/",
    "full-width digits": "https://１２７.０.０.１/",  # noqa: RUF001  # that is the attack
    "percent-encoded": "https://%31%32%37.0.0.1/",
    "localhost": "https://localhost/",
    "plain http": "http://public.example/",
    "another scheme": "ftp://public.example/",
    "a file": "file:///etc/passwd",
    "another port": "https://public.example:8443/",
    "port 80": "https://public.example:80/",
    "port 0": "https://public.example:0/",
    "port out of range": "https://public.example:99999/",
    "user and password": "https://user:secret@public.example/",
    "host behind a user": "https://public.example@127.0.0.1/",
    "host behind a backslash": "https://public.example\\@127.0.0.1/",
    "line break": "https://public.example/\r\nHost: inside",
    "leading space": " https://public.example/",
    "no host": "https:///path",
    "no scheme": "public.example/file.csv",
    "empty label": "https://public..example/",
    "empty": "",
    "private name": "https://inside.example/",
    "mixed answers": "https://mixed.example/",
    "mixed families": "https://mixed6.example/",
    "private name with a final dot": "https://inside.example./",
}


class Names:
    """A resolver that answers from a table; a name with several rounds of answers gives the next one each time."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self._rounds = {name.replace("_", "."): rounds for name, rounds in answers.items()}

    def __call__(self, host: str, port: int) -> Sequence[Address]:
        del port
        rounds = self._rounds.get(host)
        if not rounds:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        answer = rounds.pop(0) if len(rounds) > 1 else rounds[0]
        return [ip_address(text) for text in answer]


def make_names() -> Names:
    return Names(
        public_example=[[PUBLIC]],
        localhost=[["127.0.0.1", "::1"]],
        inside_example=[["10.1.2.3"]],
        mixed_example=[[PUBLIC, "10.0.0.1"]],
        mixed6_example=[[PUBLIC, "::1"]],
        rebinding_example=[[PUBLIC], ["127.0.0.1"]],
        several_example=[["8.8.8.8", "8.8.4.4", "1.1.1.1", "9.9.9.9", "9.9.9.10"]],
    )
