"""Share links of well-known hosts, played by a local server: rewritten, redirected as they do it, read whole.

A server of the test's own stands behind every name, with a certificate for all of them. Each name has an address of
its own, so that the attempts tell which hop was dialled.
"""

import ssl
from pathlib import Path
from typing import NamedTuple

import pytest

from service.errors import SourceRefusedError
from service.source.guard import AddressGuard
from service.source.http import SourceLimits, open_source
from tests.integration.source.origin import Dials, Origin, answer, trust, whole
from tests.unit.source.hostile import Names

ROWS = b"external_id,name\nc-1,One\n"
LIMITS = SourceLimits(max_bytes=1000, connect_seconds=2, read_seconds=2)


class Share(NamedTuple):
    """A link as people copy it, and the URLs that are then fetched, all but the last answering with a redirect."""

    link: str
    status: int
    fetched: list[str]

    @property
    def hosts(self) -> list[str]:
        return [url.split("/")[2] for url in self.fetched]


SHARES = {
    "Google Drive": Share(
        "https://drive.google.com/file/d/1aB-c_9/view?usp=sharing",
        303,
        [
            "https://drive.google.com/uc?export=download&id=1aB-c_9",
            "https://doc-0s-8k-docs.googleusercontent.com/docs/securesc/ha0ro9/7f/1aB-c_9?e=download&uuid=1",
        ],
    ),
    "Google Drive by its newer host": Share(
        "https://drive.google.com/open?id=1aB-c_9",
        303,
        [
            "https://drive.google.com/uc?export=download&id=1aB-c_9",
            "https://drive.usercontent.google.com/download?id=1aB-c_9&export=download",
        ],
    ),
    "Dropbox": Share(
        "https://www.dropbox.com/scl/fi/k1/rows.csv?rlkey=a%2Bb&st=1&dl=0",
        302,
        [
            "https://www.dropbox.com/scl/fi/k1/rows.csv?rlkey=a%2Bb&st=1&dl=1",
            "https://uc0ffee.dl.dropboxusercontent.com/cd/0/get/Cx/file?dl=1",
        ],
    ),
    "Dropbox, an old link": Share(
        "https://www.dropbox.com/s/k1/rows.csv",
        302,
        [
            "https://www.dropbox.com/s/k1/rows.csv?dl=1",
            "https://www.dropbox.com/s/dl/k1/rows.csv",
            "https://uc0ffee.dl.dropboxusercontent.com/cd/0/get/Cx/file?dl=1",
        ],
    ),
    "OneDrive": Share(
        "https://1drv.ms/u/s!AbC?e=1",
        302,
        [
            "https://api.onedrive.com/v1.0/shares/u!aHR0cHM6Ly8xZHJ2Lm1zL3UvcyFBYkM_ZT0x/root/content",
            "https://public.dm.files.1drv.com/y4mXyz/rows.csv?psid=1",
        ],
    ),
    "GitHub": Share(
        "https://github.com/acme/rows/blob/main/a/rows.csv",
        302,
        ["https://raw.githubusercontent.com/acme/rows/main/a/rows.csv"],
    ),
}
PUBLIC = ["8.8.8.8", "1.1.1.1", "9.9.9.9"]
PRIVATE = {
    "loopback by name": "https://inside.example/rows.csv",
    "loopback": "https://127.0.0.1/rows.csv",
    "metadata": "http://169.254.169.254/latest/meta-data/",
    "its own server by plain http": "http://drive.google.com/rows.csv",
    "another port": "https://drive.google.com:8443/rows.csv",
    "user in front of the host": "https://drive.google.com@127.0.0.1/rows.csv",
}

each_share = pytest.mark.parametrize("share", SHARES.values(), ids=SHARES)


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    return trust(certificate)


def play(origin: Origin, share: Share, after_the_last: str | None = None) -> None:
    """Let the server answer as the hosts of `share` do, the last with the file or with one redirect more."""
    for url, following in zip(share.fetched, [*share.fetched[1:], after_the_last], strict=True):
        path = "/" + url.split("/", 3)[3].partition("?")[0]
        same_host = following and following.startswith(url[: url.index("/", 8)] + "/")
        location = "/" + following.split("/", 3)[3] if following and same_host else following
        origin.answers[path] = answer(share.status, Content_Length="0", Location=location) if location else whole(ROWS)


def addresses(share: Share) -> dict[str, str]:
    """A public address for each host of `share`."""
    return dict(zip(dict.fromkeys(share.hosts), PUBLIC, strict=False))


def names_of(answers: dict[str, str]) -> Names:
    return Names({"inside.example": [["127.0.0.1"]], **{host: [[address]] for host, address in answers.items()}})


def asked_of(origin: Origin) -> list[str]:
    """The URLs that the server was asked for, put together from what reached it."""
    return [f"https://{headers['Host']}{path}" for path, headers in origin.requests]


@each_share
def test_a_share_link_is_read_whole_and_every_hop_is_checked(
    tls_origin: Origin, tls: ssl.SSLContext, share: Share
) -> None:
    play(tls_origin, share)
    answers = addresses(share)
    names, dials = names_of(answers), Dials(tls_origin)
    with open_source(share.link, AddressGuard(resolver=names, dialer=dials), LIMITS, tls=tls) as source:
        assert b"".join(source) == ROWS
    assert asked_of(tls_origin) == share.fetched
    assert names.asked == share.hosts
    assert dials.attempts == [(answers[host], 443) for host in share.hosts]


@each_share
def test_hosts_at_private_addresses_are_read_through_the_allow_list(
    tls_origin: Origin, tls: ssl.SSLContext, share: Share
) -> None:
    play(tls_origin, share)
    names, dials = names_of(dict.fromkeys(share.hosts, "127.0.0.1")), Dials(tls_origin)
    guard = AddressGuard(frozenset(share.hosts), resolver=names, dialer=dials)
    with open_source(share.link, guard, LIMITS, tls=tls) as source:
        assert b"".join(source) == ROWS
    assert dials.attempts == [("127.0.0.1", 443)] * len(share.hosts)


@each_share
def test_a_last_hop_at_a_private_address_is_not_dialled(tls_origin: Origin, tls: ssl.SSLContext, share: Share) -> None:
    play(tls_origin, share)
    answers = addresses(share) | {share.hosts[-1]: "10.0.0.1"}
    dials = Dials(tls_origin)
    with pytest.raises(SourceRefusedError, match="its host name leads to an address that is not public"):
        open_source(share.link, AddressGuard(resolver=names_of(answers), dialer=dials), LIMITS, tls=tls)
    assert dials.attempts == [(answers[host], 443) for host in share.hosts[:-1]]


@pytest.mark.parametrize("location", PRIVATE.values(), ids=PRIVATE)
@each_share
def test_a_redirect_to_a_private_host_is_refused_with_no_attempt_at_it(
    tls_origin: Origin, tls: ssl.SSLContext, share: Share, location: str
) -> None:
    play(tls_origin, share, after_the_last=location)
    answers = addresses(share)
    dials = Dials(tls_origin)
    guard = AddressGuard(resolver=names_of(answers), dialer=dials)
    with pytest.raises(SourceRefusedError, match=f"^the redirect of https://{share.hosts[-1]} must be an https URL"):
        open_source(share.link, guard, LIMITS, tls=tls)
    assert dials.attempts == [(answers[host], 443) for host in share.hosts]


def test_a_redirect_to_a_share_link_is_followed_as_it_is(tls_origin: Origin, tls: ssl.SSLContext) -> None:
    # Only the caller's own link is rewritten: what a host redirects to is what it means.
    tls_origin.answers["/rows.csv"] = answer(302, Content_Length="0", Location=SHARES["Dropbox"].link)
    tls_origin.answers["/scl/fi/k1/rows.csv"] = whole(ROWS)
    guard = AddressGuard(
        resolver=names_of({"files.example": "8.8.8.8", "www.dropbox.com": "1.1.1.1"}), dialer=Dials(tls_origin)
    )
    with open_source("https://files.example/rows.csv", guard, LIMITS, tls=tls) as source:
        assert b"".join(source) == ROWS
    assert asked_of(tls_origin) == ["https://files.example/rows.csv", SHARES["Dropbox"].link]
