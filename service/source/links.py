"""Share links of well-known hosts, turned into links that answer with the file itself."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import SplitResult, parse_qs, urlsplit

_DRIVE_PATH = re.compile(r"/d/([\w-]+)")


def direct_link(url: str) -> str:
    """The URL to fetch for `url`: a download link where the host is one whose share links show a page, else `url`.

    The host decides, not a piece of text somewhere in the URL, so that a name in a query string changes nothing.
    """
    parts = urlsplit(url)
    rewrite = _REWRITES.get((parts.hostname or "").removesuffix(".").removeprefix("www."))
    return rewrite(parts) if rewrite else url


def _google_drive(parts: SplitResult) -> str:
    """`/file/d/<id>/…`, `/d/<id>` and `?id=<id>`; a link without an id, or a download link already, stays as it is."""
    query = parse_qs(parts.query)
    in_path = _DRIVE_PATH.search(parts.path)
    file_id = in_path.group(1) if in_path else query.get("id", [""])[0]
    if not re.fullmatch(r"[\w-]+", file_id) or query.get("export") == ["download"]:
        return parts.geturl()
    return f"https://drive.google.com/uc?export=download&id={file_id}"


def _onedrive(parts: SplitResult) -> str:
    """The sharing API takes the whole link as unpadded base64url after `u!`."""
    token = urlsafe_b64encode(parts.geturl().encode()).decode().rstrip("=")
    return f"https://api.onedrive.com/v1.0/shares/u!{token}/root/content"


def _dropbox(parts: SplitResult) -> str:
    """`dl=1`; the other parameters keep their order and spelling, because `rlkey` is the permission."""
    others = [pair for pair in parts.query.split("&") if pair and pair.partition("=")[0] != "dl"]
    return parts._replace(query="&".join([*others, "dl=1"])).geturl()


def _github(parts: SplitResult) -> str:
    """`/owner/repository/blob/…` only; every other page of GitHub stays as it is."""
    found = re.fullmatch(r"(/[^/]+/[^/]+)/blob(/.+)", parts.path)
    if not found:
        return parts.geturl()
    return parts._replace(netloc="raw.githubusercontent.com", path=found.group(1) + found.group(2)).geturl()


_REWRITES: dict[str, Callable[[SplitResult], str]] = {
    "drive.google.com": _google_drive,
    "onedrive.live.com": _onedrive,
    "1drv.ms": _onedrive,
    "dropbox.com": _dropbox,
    "github.com": _github,
}
