"""Share links of well-known hosts, turned into links that answer with the file itself."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

_DRIVE_PATH = re.compile(r"/d/([\w-]+)", re.ASCII)
_DRIVE_ID = re.compile(r"[\w-]+", re.ASCII)
_GITHUB_PATH = re.compile(r"(/[^/]+/[^/]+)/blob(/.+)")


def direct_link(url: str, host: str) -> str:
    """The URL to fetch for `url`: a download link where `host` is one whose share links show a page, else `url`.

    The host decides, not a piece of text somewhere in the URL, so that a name in a query string changes nothing. It is
    the one that the address guard read out of the URL: a second parser might read another.
    """
    rewrite = _REWRITES.get(host.removeprefix("www."))
    return rewrite(url) if rewrite else url


def _google_drive(url: str) -> str:
    """`/file/d/<id>/…`, `/d/<id>` and `?id=<id>`; a link without an id, or a download link already, stays as it is."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    in_path = _DRIVE_PATH.search(parts.path)
    file_id = in_path.group(1) if in_path else query.get("id", [""])[0]
    if not _DRIVE_ID.fullmatch(file_id) or query.get("export") == ["download"]:
        return url
    return f"https://drive.google.com/uc?export=download&id={file_id}"


def _onedrive(url: str) -> str:
    """The sharing API takes the whole link as unpadded base64url after `u!`."""
    token = urlsafe_b64encode(url.encode()).decode().rstrip("=")
    return f"https://api.onedrive.com/v1.0/shares/u!{token}/root/content"


def _dropbox(url: str) -> str:
    """`dl=1`; the other parameters keep their order and spelling, because `rlkey` is the permission."""
    parts = urlsplit(url)
    others = [pair for pair in parts.query.split("&") if pair and pair.partition("=")[0] != "dl"]
    return parts._replace(query="&".join([*others, "dl=1"])).geturl()


def _github(url: str) -> str:
    """`/owner/repository/blob/…` only; every other page of GitHub stays as it is."""
    parts = urlsplit(url)
    found = _GITHUB_PATH.fullmatch(parts.path)
    if not found:
        return url
    return parts._replace(netloc="raw.githubusercontent.com", path=found.group(1) + found.group(2)).geturl()


_REWRITES: dict[str, Callable[[str], str]] = {
    "drive.google.com": _google_drive,
    "onedrive.live.com": _onedrive,
    "1drv.ms": _onedrive,
    "dropbox.com": _dropbox,
    "github.com": _github,
}
